-- The time of every GPU or MIG instance, cut wherever something may change: at full hours, where a run ends, where the
-- scheduler gives or takes, where a serving engine begins or ceases to have requests, where a node is seen or lost.
-- Time without samples stands here too, as unseen, where the scheduler or the node may say something of it.
-- A run ends where the next one begins, and a GPU whose instances report is not counted as a whole besides.
with runs as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        tells_holders,
        holders,
        activity_state,
        metric_used,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as run_end_second,
        unfilled_seconds,
        unfilled_ppm_seconds,
        lead(cast(epoch(started_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, mig_profile
        ) as next_second,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, date_trunc('hour', started_at)
        ) as is_partitioned
    from gpu_runs
),

observed as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        tells_holders,
        holders,
        activity_state,
        metric_used,
        start_second,
        least(run_end_second, coalesce(next_second, run_end_second)) as end_second,
        run_end_second - start_second as run_seconds,
        unfilled_seconds,
        unfilled_ppm_seconds
    from runs
    where
        (is_partitioned = 0 or gpu_instance_id <> '')
        and (next_second is null or next_second > start_second)
),

held as (
    select
        *,
        cast(epoch(held_from) as bigint) as from_second,
        cast(epoch(held_to) as bigint) as to_second
    from gpu_held
),

sighted as (
    select
        cluster,
        hostname,
        cast(epoch(seen_from) as bigint) as from_second,
        cast(epoch(seen_to) as bigint) as to_second
    from node_sightings
),

-- days of GPUs of which somebody but the exporter may speak
spoken as (
    select
        cluster,
        hostname,
        sighting_date as usage_date
    from node_sightings
    union
    select
        cluster,
        hostname,
        usage_date
    from gpu_held
),

lives as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        start_second // 86400 as day_number,
        max(gpu_model_name) as gpu_model_name,
        1 as is_sampled,
        min(start_second) as first_second,
        max(end_second) as last_second
    from observed
    group by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, start_second // 86400
    union all
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        from_second // 86400 as day_number,
        cast(null as varchar) as gpu_model_name,
        0 as is_sampled,
        min(from_second) as first_second,
        max(to_second) as last_second
    from held
    where gpu_uuid <> 'unobserved'
    group by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, from_second // 86400
),

sampled as (
    select
        *,
        max(is_sampled) over (partition by cluster, hostname, gpu_uuid, day_number) as is_gpu_sampled,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, day_number
        ) as is_partitioned
    from lives
),

-- a GPU is there all day, a MIG instance from its first to its last sign if its GPU reports at all
known as (
    select
        sampled.cluster,
        sampled.hostname,
        sampled.gpu_uuid,
        sampled.gpu_instance_id,
        sampled.mig_profile,
        sampled.day_number,
        max(sampled.gpu_model_name) as gpu_model_name,
        case
            when sampled.gpu_instance_id = '' or sampled.is_gpu_sampled = 0 then sampled.day_number * 86400
            else min(sampled.first_second)
        end as first_second,
        case
            when sampled.gpu_instance_id = '' or sampled.is_gpu_sampled = 0 then (sampled.day_number + 1) * 86400
            else max(sampled.last_second)
        end as last_second
    from sampled
    inner join spoken
        on
            sampled.cluster = spoken.cluster
            and sampled.hostname = spoken.hostname
            and sampled.day_number = cast(epoch(cast(spoken.usage_date as timestamp)) as bigint) // 86400
    where sampled.is_partitioned = 0 or sampled.gpu_instance_id <> ''
    group by
        sampled.cluster,
        sampled.hostname,
        sampled.gpu_uuid,
        sampled.gpu_instance_id,
        sampled.mig_profile,
        sampled.day_number,
        sampled.is_gpu_sampled
),

marks as (
    select
        known.cluster,
        known.hostname,
        known.gpu_uuid,
        known.gpu_instance_id,
        known.mig_profile,
        known.gpu_model_name,
        known.first_second,
        known.last_second,
        greatest(observed.start_second, known.first_second) as start_second,
        least(observed.end_second, known.last_second) as end_second
    from known
    inner join observed
        on
            known.cluster = observed.cluster
            and known.hostname = observed.hostname
            and known.gpu_uuid = observed.gpu_uuid
            and known.gpu_instance_id = observed.gpu_instance_id
            and known.mig_profile = observed.mig_profile
            and observed.start_second // 86400 between known.day_number - 1 and known.day_number
            and known.last_second > observed.start_second
            and known.first_second < observed.end_second
    union all
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        first_second,
        last_second,
        last_second as start_second,
        last_second as end_second
    from known
),

reached as (
    select
        *,
        coalesce(
            max(end_second) over (
                partition by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, last_second
                order by start_second, end_second
                rows between unbounded preceding and 1 preceding
            ),
            first_second
        ) as reached_second
    from marks
),

unseen as (
    select
        reached.cluster,
        reached.hostname,
        reached.gpu_uuid,
        reached.gpu_instance_id,
        reached.mig_profile,
        reached.gpu_model_name,
        greatest(reached.reached_second, step.hour_number * 3600) as start_second,
        least(reached.start_second, (step.hour_number + 1) * 3600) as end_second
    from reached
    cross join
        unnest(generate_series(reached.reached_second // 3600, (reached.start_second - 1) // 3600))
            as step (hour_number)
    where reached.start_second > reached.reached_second
),

timeline as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        tells_holders,
        holders,
        activity_state,
        metric_used,
        start_second,
        end_second,
        run_seconds,
        unfilled_seconds,
        unfilled_ppm_seconds
    from observed
    union all
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        true as tells_holders,
        '' as holders,
        'unseen' as activity_state,
        '' as metric_used,
        start_second,
        end_second,
        end_second - start_second as run_seconds,
        0 as unfilled_seconds,
        0 as unfilled_ppm_seconds
    from unseen
),

named as (
    select distinct
        cluster,
        hostname,
        holders
    from gpu_runs
),

hosts_of_pods as (
    select distinct
        cluster,
        hostname,
        concat(namespace, '/', pod) as holder
    from gpu_held
    union
    select distinct
        named.cluster,
        named.hostname,
        step.holder
    from named
    cross join unnest(str_split_regex(named.holders, ',')) as step (holder)
),

changes as (
    select
        cluster,
        hostname,
        from_second as at_second
    from held
    union
    select
        cluster,
        hostname,
        to_second as at_second
    from held
    union
    select
        cluster,
        hostname,
        from_second as at_second
    from sighted
    union
    select
        cluster,
        hostname,
        to_second as at_second
    from sighted
    union
    select
        hosts_of_pods.cluster,
        hosts_of_pods.hostname,
        cast(epoch(gpu_serving.busy_from) as bigint) as at_second
    from gpu_serving
    inner join hosts_of_pods
        on
            gpu_serving.cluster = hosts_of_pods.cluster
            and concat(gpu_serving.namespace, '/', gpu_serving.pod) = hosts_of_pods.holder
    union
    select
        hosts_of_pods.cluster,
        hosts_of_pods.hostname,
        cast(epoch(gpu_serving.busy_to) as bigint) as at_second
    from gpu_serving
    inner join hosts_of_pods
        on
            gpu_serving.cluster = hosts_of_pods.cluster
            and concat(gpu_serving.namespace, '/', gpu_serving.pod) = hosts_of_pods.holder
),

points as (
    select
        timeline.*,
        timeline.start_second as at_second
    from timeline
    union all
    select
        timeline.*,
        changes.at_second
    from timeline
    inner join changes
        on
            timeline.cluster = changes.cluster
            and timeline.hostname = changes.hostname
            and timeline.start_second // 3600 = changes.at_second // 3600
            and timeline.start_second < changes.at_second
            and timeline.end_second > changes.at_second
),

cut as (
    select
        *,
        coalesce(
            lead(at_second) over (
                partition by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, start_second order by at_second
            ),
            end_second
        ) as until_second
    from points
)

select
    cast(timestamp '1970-01-01 00:00:00' + at_second * interval '1 second' as date) as usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    gpu_model_name,
    tells_holders,
    holders,
    activity_state,
    metric_used,
    at_second as start_second,
    until_second as end_second,
    (unfilled_seconds * (until_second - at_second)) // run_seconds as unfilled_seconds,
    (unfilled_ppm_seconds * (until_second - at_second)) // run_seconds as unfilled_ppm_seconds
from cut
