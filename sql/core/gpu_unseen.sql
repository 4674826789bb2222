-- Time of known GPUs without samples, on days on which somebody but the exporter may speak of them: the scheduler, or
-- the cluster of the node.
with held as (
    select
        *,
        cast(epoch(held_from) as bigint) as from_second,
        cast(epoch(held_to) as bigint) as to_second
    from gpu_held
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
    from gpu_observed
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
        greatest(gpu_observed.start_second, known.first_second) as start_second,
        least(gpu_observed.end_second, known.last_second) as end_second
    from known
    inner join gpu_observed
        on
            known.cluster = gpu_observed.cluster
            and known.hostname = gpu_observed.hostname
            and known.gpu_uuid = gpu_observed.gpu_uuid
            and known.gpu_instance_id = gpu_observed.gpu_instance_id
            and known.mig_profile = gpu_observed.mig_profile
            and gpu_observed.start_second // 86400 between known.day_number - 1 and known.day_number
            and known.last_second > gpu_observed.start_second
            and known.first_second < gpu_observed.end_second
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
)

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
