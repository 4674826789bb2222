-- Time of known GPUs without samples, on days on which somebody but the exporter may speak of them: the scheduler, or
-- the cluster of the node, where it was delivered who holds GPUs.
with delivered as (
    select distinct
        cluster,
        usage_date
    from holder_days
),

spoken as (
    select
        node_sightings.cluster,
        node_sightings.hostname,
        node_sightings.sighting_date as usage_date
    from node_sightings
    inner join delivered
        on
            node_sightings.cluster = delivered.cluster
            and node_sightings.sighting_date = delivered.usage_date
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
        min(start_second) as first_second,
        max(end_second) as last_second
    from gpu_observed
    group by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, start_second // 86400
),

lived as (
    select
        *,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, day_number
        ) as is_partitioned,
        min(first_second) over (partition by cluster, hostname, gpu_uuid, day_number) + 300 as among_first_second,
        max(last_second) over (partition by cluster, hostname, gpu_uuid, day_number) - 300 as among_last_second
    from lives
),

-- A GPU is there for its life, a MIG instance from its first to its last sign, and all of the hour of that sign if no
-- other of the GPU came before it or after it. Of the other hours, and of a GPU that reported nothing that day, only
-- the scheduler speaks (gpu_unobserved).
known as (
    select
        lived.cluster,
        lived.hostname,
        lived.gpu_uuid,
        lived.gpu_instance_id,
        lived.mig_profile,
        lived.day_number,
        max(lived.gpu_model_name) as gpu_model_name,
        case
            when lived.gpu_instance_id = '' then min(gpu_lives.from_second)
            when min(lived.first_second) > min(lived.among_first_second) then min(lived.first_second)
            else greatest(min(gpu_lives.from_second), (min(lived.first_second) // 3600) * 3600)
        end as first_second,
        case
            when lived.gpu_instance_id = '' then max(gpu_lives.to_second)
            when max(lived.last_second) < max(lived.among_last_second) then max(lived.last_second)
            else least(max(gpu_lives.to_second), ((max(lived.last_second) - 1) // 3600 + 1) * 3600)
        end as last_second
    from lived
    inner join spoken
        on
            lived.cluster = spoken.cluster
            and lived.hostname = spoken.hostname
            and lived.day_number = cast(epoch(cast(spoken.usage_date as timestamp)) as bigint) // 86400
    inner join gpu_lives
        on
            lived.cluster = gpu_lives.cluster
            and lived.hostname = gpu_lives.hostname
            and lived.gpu_uuid = gpu_lives.gpu_uuid
            and lived.day_number = cast(epoch(cast(gpu_lives.usage_date as timestamp)) as bigint) // 86400
    where lived.is_partitioned = 0 or lived.gpu_instance_id <> ''
    group by
        lived.cluster,
        lived.hostname,
        lived.gpu_uuid,
        lived.gpu_instance_id,
        lived.mig_profile,
        lived.day_number
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
