-- A sum is known when each of its parts is: an interval without a count makes the hour's NULL, never smaller.
with intervals as (
    select
        date_trunc('hour', serving_intervals.interval_start) as hour_start,
        serving_intervals.*,
        model_identity.model_id,
        case
            when serving_intervals.waiting_requests_max > 0 then serving_intervals.covered_seconds
            when serving_intervals.waiting_requests_max = 0 then 0
        end as waiting_seconds
    from serving_intervals
    left join model_identity
        on
            serving_intervals.engine_name = model_identity.source_provider
            and serving_intervals.model_name = model_identity.source_model
),

engines as (
    select
        hour_start,
        usage_date,
        cluster,
        namespace,
        pod,
        engine_name,
        engine_replica,
        model_name as source_model,
        model_id,
        case when count(prompt_tokens) = count(*) then sum(prompt_tokens) end as prompt_tokens,
        case when count(cached_tokens) = count(*) then sum(cached_tokens) end as cached_tokens,
        case when count(generated_tokens) = count(*) then sum(generated_tokens) end as generated_tokens,
        case when count(finished_requests) = count(*) then sum(finished_requests) end as finished_requests,
        case when count(prefill_seconds) = count(*) then sum(prefill_seconds) end as prefill_seconds,
        case when count(decode_seconds) = count(*) then sum(decode_seconds) end as decode_seconds,
        max(running_requests_max) as running_requests_max,
        max(waiting_requests_max) as waiting_requests_max,
        sum(covered_seconds) as covered_seconds,
        case when count(waiting_seconds) = count(*) then sum(waiting_seconds) end as waiting_seconds,
        sum(reset_count) as reset_count,
        min(engine_started_at) as first_engine_started_at,
        max(engine_started_at) as engine_started_at,
        min(busy_from) as first_busy_at,
        max(busy_to) as last_busy_at,
        max(source_count) as source_count
    from intervals
    group by hour_start, usage_date, cluster, namespace, pod, engine_name, engine_replica, model_name, model_id
)

select
    hour_start,
    usage_date,
    cluster,
    namespace,
    pod,
    engine_name,
    source_model,
    model_id,
    cast(case when count(prompt_tokens) = count(*) then sum(prompt_tokens) end as bigint) as prompt_tokens,
    cast(case when count(cached_tokens) = count(*) then sum(cached_tokens) end as bigint) as cached_tokens,
    cast(case when count(generated_tokens) = count(*) then sum(generated_tokens) end as bigint) as generated_tokens,
    cast(case when count(finished_requests) = count(*) then sum(finished_requests) end as bigint)
        as finished_requests,
    case when count(prefill_seconds) = count(*) then sum(prefill_seconds) end as prefill_seconds,
    case when count(decode_seconds) = count(*) then sum(decode_seconds) end as decode_seconds,
    max(running_requests_max) as running_requests_max,
    max(waiting_requests_max) as waiting_requests_max,
    cast(max(covered_seconds) as bigint) as covered_seconds,
    cast(max(waiting_seconds) as bigint) as waiting_seconds,
    cast(sum(reset_count) as bigint) as reset_count,
    min(first_engine_started_at) as first_engine_started_at,
    max(engine_started_at) as engine_started_at,
    min(first_busy_at) as first_busy_at,
    max(last_busy_at) as last_busy_at,
    max(source_count) as source_count
from engines
group by hour_start, usage_date, cluster, namespace, pod, engine_name, source_model, model_id
