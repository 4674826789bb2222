-- The one rule for when an engine had requests: in an interval in which one ran, came to an end or was given tokens,
-- and no earlier than an engine that began within it. A sample of what runs misses requests shorter than its distance.
-- Two sources may observe one engine (a server and its replica, a server and files of scrapes): the same counters
-- twice. Of an hour, which no interval crosses, the one that covers more of it counts.
with sources as (
    select
        x_source,
        cluster,
        namespace,
        pod,
        engine_name,
        engine_replica,
        model_name,
        date_trunc('hour', interval_start) as hour_start,
        sum(covered_seconds) as hour_seconds
    from serving_counters
    group by
        x_source,
        cluster,
        namespace,
        pod,
        engine_name,
        engine_replica,
        model_name,
        date_trunc('hour', interval_start)
),

ranked as (
    select
        *,
        row_number() over (
            partition by cluster, namespace, pod, engine_name, engine_replica, model_name, hour_start
            order by hour_seconds desc, x_source asc
        ) as source_order,
        count(*) over (
            partition by cluster, namespace, pod, engine_name, engine_replica, model_name, hour_start
        ) as source_count
    from sources
),

once as (
    select
        counted.*,
        counted.running_requests_max > 0 or counted.finished_requests > 0 or counted.generated_tokens > 0 as is_busy,
        cast(ranked.source_count as integer) as source_count
    from serving_counters as counted
    inner join ranked
        on
            ranked.source_order = 1
            and counted.x_source = ranked.x_source
            and counted.cluster = ranked.cluster
            and counted.namespace = ranked.namespace
            and counted.pod = ranked.pod
            and counted.engine_name = ranked.engine_name
            and counted.engine_replica = ranked.engine_replica
            and counted.model_name = ranked.model_name
            and date_trunc('hour', counted.interval_start) = ranked.hour_start
)

select
    x_source,
    usage_date,
    cluster,
    namespace,
    pod,
    engine_name,
    engine_replica,
    model_name,
    interval_start,
    interval_end,
    prompt_tokens,
    cached_tokens,
    generated_tokens,
    finished_requests,
    prefill_seconds,
    decode_seconds,
    running_requests_max,
    waiting_requests_max,
    covered_seconds,
    reset_count,
    engine_started_at,
    case
        when is_busy and reset_count = 0 and engine_started_at > interval_start and engine_started_at < interval_end
            then engine_started_at
        when is_busy then interval_start
    end as busy_from,
    case when is_busy then interval_end end as busy_to,
    source_count
from once
