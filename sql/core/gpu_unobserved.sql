-- The GPUs of a billed node that never reported: held by whom the scheduler gave them to, though nobody knows what they
-- did; free while the cluster saw the node and had given them to nobody; unknown otherwise.
with held_unobserved as (
    select
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.target_seconds,
        gpu_targets.gpus,
        gpu_held.namespace,
        gpu_held.pod,
        cast(sum(
            (
                least(cast(epoch(gpu_held.held_to) as bigint), (gpu_targets.hour_number + 1) * 3600)
                - greatest(cast(epoch(gpu_held.held_from) as bigint), gpu_targets.hour_number * 3600)
            ) * ((gpu_held.asked_ppm * 720720) // 1000000)
        ) as bigint) // gpu_targets.gpus as second_shares
    from gpu_targets
    inner join gpu_held
        on
            gpu_targets.cluster = gpu_held.cluster
            and gpu_targets.hostname = gpu_held.hostname
            and gpu_targets.gpu_uuid = gpu_held.gpu_uuid
            and gpu_targets.hour_number // 24 = cast(epoch(gpu_held.held_from) as bigint) // 86400
            and cast(epoch(gpu_held.held_from) as bigint) < (gpu_targets.hour_number + 1) * 3600
            and cast(epoch(gpu_held.held_to) as bigint) > gpu_targets.hour_number * 3600
    where gpu_targets.gpu_uuid = 'unobserved'
    group by
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.target_seconds,
        gpu_targets.gpus,
        gpu_held.namespace,
        gpu_held.pod
),

held_totals as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        sum(second_shares) as second_shares
    from held_unobserved
    group by resource_id, cluster, hostname, hour_number
),

sighted as (
    select
        cluster,
        hostname,
        cast(epoch(date_trunc('second', seen_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', seen_to)) as bigint) as to_second
    from node_sightings
),

sighted_hours as (
    select
        sighted.cluster,
        sighted.hostname,
        step.hour_number,
        cast(least(
            sum(
                least(sighted.to_second, (step.hour_number + 1) * 3600)
                - greatest(sighted.from_second, step.hour_number * 3600)
            ),
            3600
        ) as bigint) as sighted_seconds
    from sighted
    cross join
        unnest(generate_series(sighted.from_second // 3600, (sighted.to_second - 1) // 3600)) as step (hour_number)
    where sighted.to_second > sighted.from_second
    group by sighted.cluster, sighted.hostname, step.hour_number
),

-- GPUs that never reported and that no holder was given: free while the cluster saw the node
spare as (
    select
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.gpu_uuid,
        gpu_targets.target_seconds,
        coalesce(sighted_hours.sighted_seconds, 0) as sighted_seconds,
        cast(
            greatest(
                (gpu_targets.target_seconds // gpu_targets.gpus) * 720720 - coalesce(held_totals.second_shares, 0), 0
            ) as bigint
        ) as spare_shares
    from gpu_targets
    left join held_totals
        on
            gpu_targets.resource_id = held_totals.resource_id
            and gpu_targets.cluster = held_totals.cluster
            and gpu_targets.hostname = held_totals.hostname
            and gpu_targets.hour_number = held_totals.hour_number
    left join sighted_hours
        on
            gpu_targets.cluster = sighted_hours.cluster
            and gpu_targets.hostname = sighted_hours.hostname
            and gpu_targets.hour_number = sighted_hours.hour_number
    where gpu_targets.gpu_uuid = 'unobserved'
),

kinds as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        target_seconds,
        namespace,
        pod,
        'unknown' as state,
        'allocation_node' as holder_source,
        second_shares
    from held_unobserved
    union all
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        target_seconds,
        '' as namespace,
        '' as pod,
        'unallocated' as state,
        'none' as holder_source,
        (spare_shares * sighted_seconds) // 3600 as second_shares
    from spare
    union all
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        target_seconds,
        '' as namespace,
        '' as pod,
        'unknown' as state,
        'none' as holder_source,
        spare_shares - (spare_shares * sighted_seconds) // 3600 as second_shares
    from spare
)

select
    resource_id,
    cluster,
    hostname,
    hour_number,
    'unobserved' as gpu_uuid,
    target_seconds,
    '' as gpu_instance_id,
    namespace,
    pod,
    state,
    case when state = 'unallocated' then 'gpu_allocations' end as metric_used,
    holder_source,
    second_shares
from kinds
where second_shares > 0
