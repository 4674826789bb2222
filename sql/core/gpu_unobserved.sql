-- The GPUs of a billed node of which nothing is known in an hour, because they never reported or are silent that day:
-- held by whom the scheduler gave them to, though nobody knows what they did; free while the cluster saw the node and
-- had given them to nobody; unknown otherwise. Each holder has a part of each of them, or its own part of the GPU that
-- samples of other hours say is its: of a MIG instance before its first sample, or after its last. An instance is as
-- much of a GPU as its profile says, of the slices that the node's type of GPU has.
with known_hours as (
    select distinct
        cluster,
        hostname,
        gpu_uuid,
        hour_number
    from gpu_shares
),

-- a GPU whose instances are somebody's has nothing of what nobody can place, where another GPU may have it
partitioned as (
    select distinct
        cluster,
        hostname,
        gpu_uuid
    from gpu_held
    where gpu_uuid <> 'unobserved' and gpu_instance_id <> ''
),

silent as (
    select
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.gpu_uuid,
        gpu_targets.target_seconds,
        gpu_targets.gpus,
        case when partitioned.gpu_uuid is null then gpu_targets.gpus else 0 end as open_gpus
    from gpu_targets
    left join known_hours
        on
            gpu_targets.cluster = known_hours.cluster
            and gpu_targets.hostname = known_hours.hostname
            and gpu_targets.gpu_uuid = known_hours.gpu_uuid
            and gpu_targets.hour_number = known_hours.hour_number
    left join partitioned
        on
            gpu_targets.cluster = partitioned.cluster
            and gpu_targets.hostname = partitioned.hostname
            and gpu_targets.gpu_uuid = partitioned.gpu_uuid
    where known_hours.gpu_uuid is null
),

counted as (
    select
        *,
        sum(gpus) over (partition by resource_id, cluster, hostname, hour_number) as all_gpus,
        sum(open_gpus) over (partition by resource_id, cluster, hostname, hour_number) as all_open_gpus
    from silent
),

targets as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        target_seconds,
        gpus,
        case when all_open_gpus = 0 then all_gpus else all_open_gpus end as silent_gpus,
        case when all_open_gpus = 0 or open_gpus > 0 then 'unobserved' else gpu_uuid end as may_hold
    from counted
),

billed as (
    select
        resource_id,
        cluster,
        hostname,
        cast(epoch(hour_start) as bigint) // 3600 as hour_number,
        case
            when gpu_model_name like '%RTX PRO 5000%' then 2
            when gpu_model_name like '%A30%' or gpu_model_name like '%RTX PRO 6000%' then 4
            else 7
        end as gpu_slices
    from gpu_billed_hours
),

spells as (
    select
        cluster,
        hostname,
        gpu_uuid,
        namespace,
        pod,
        asked_ppm,
        cast(epoch(held_from) as bigint) as from_second,
        cast(epoch(held_to) as bigint) as to_second,
        try_cast(nullif(regexp_extract(mig_profile, '([0-9]+)g([.]|$)', 1), '') as integer) as told_slices
    from gpu_held
    where gpu_uuid = 'unobserved' or gpu_instance_id <> ''
),

held as (
    select
        spells.*,
        step.hour_number
    from spells
    cross join
        unnest(generate_series(spells.from_second // 3600, (spells.to_second - 1) // 3600)) as step (hour_number)
),

parts as (
    select
        targets.resource_id,
        targets.cluster,
        targets.hostname,
        targets.hour_number,
        targets.gpu_uuid,
        targets.target_seconds,
        targets.silent_gpus,
        held.namespace,
        held.pod,
        case when held.gpu_uuid = 'unobserved' then 0 else 1 end as is_own,
        greatest(held.from_second, targets.hour_number * 3600) as from_second,
        least(held.to_second, (targets.hour_number + 1) * 3600) as to_second,
        ((held.asked_ppm * 720720) // 1000000)
        * case when held.told_slices between 1 and billed.gpu_slices then held.told_slices else 1 end
        // case when held.told_slices between 1 and billed.gpu_slices then billed.gpu_slices else 1 end as parts_of_gpu
    from targets
    inner join billed
        on
            targets.resource_id = billed.resource_id
            and targets.cluster = billed.cluster
            and targets.hostname = billed.hostname
            and targets.hour_number = billed.hour_number
    inner join held
        on
            targets.cluster = held.cluster
            and targets.hostname = held.hostname
            and targets.hour_number = held.hour_number
            and held.gpu_uuid in (targets.may_hold, targets.gpu_uuid)
),

held_unobserved as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        target_seconds,
        namespace,
        pod,
        cast(sum((1 - is_own) * (to_second - from_second) * parts_of_gpu) as bigint) // max(silent_gpus)
        + cast(sum(is_own * (to_second - from_second) * parts_of_gpu) as bigint) as second_shares
    from parts
    group by resource_id, cluster, hostname, hour_number, gpu_uuid, target_seconds, namespace, pod
),

held_totals as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        sum(second_shares) as second_shares
    from held_unobserved
    group by resource_id, cluster, hostname, hour_number, gpu_uuid
),

-- that a node answers says nothing of its pods on a day on which nobody delivered who holds GPUs
delivered as (
    select distinct
        cluster,
        usage_date
    from holder_days
),

sighted as (
    select
        node_sightings.cluster,
        node_sightings.hostname,
        cast(epoch(date_trunc('second', node_sightings.seen_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', node_sightings.seen_to)) as bigint) as to_second
    from node_sightings
    inner join delivered
        on
            node_sightings.cluster = delivered.cluster
            and node_sightings.sighting_date = delivered.usage_date
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

held_in_sight as (
    select
        parts.resource_id,
        parts.cluster,
        parts.hostname,
        parts.hour_number,
        parts.gpu_uuid,
        cast(sum(
            (1 - parts.is_own)
            * (least(parts.to_second, sighted.to_second) - greatest(parts.from_second, sighted.from_second))
            * parts.parts_of_gpu
        ) as bigint) // max(parts.silent_gpus)
        + cast(sum(
            parts.is_own
            * (least(parts.to_second, sighted.to_second) - greatest(parts.from_second, sighted.from_second))
            * parts.parts_of_gpu
        ) as bigint) as second_shares
    from parts
    inner join sighted
        on
            parts.cluster = sighted.cluster
            and parts.hostname = sighted.hostname
            and parts.to_second > sighted.from_second
            and parts.from_second < sighted.to_second
    group by parts.resource_id, parts.cluster, parts.hostname, parts.hour_number, parts.gpu_uuid
),

-- what no holder was given: free is what the cluster saw of the node beyond what it had given to somebody, as it speaks
-- of both at once; of the rest nobody knows
spare as (
    select
        targets.resource_id,
        targets.cluster,
        targets.hostname,
        targets.hour_number,
        targets.gpu_uuid,
        targets.target_seconds,
        cast(
            greatest(
                (targets.target_seconds // targets.gpus) * 720720 - coalesce(held_totals.second_shares, 0), 0
            ) as bigint
        ) as spare_shares,
        cast(
            greatest(
                ((targets.target_seconds // targets.gpus) * 720720 * coalesce(sighted_hours.sighted_seconds, 0)) // 3600
                - coalesce(held_in_sight.second_shares, 0),
                0
            ) as bigint
        ) as seen_free_shares
    from targets
    left join held_totals
        on
            targets.resource_id = held_totals.resource_id
            and targets.cluster = held_totals.cluster
            and targets.hostname = held_totals.hostname
            and targets.hour_number = held_totals.hour_number
            and targets.gpu_uuid = held_totals.gpu_uuid
    left join held_in_sight
        on
            targets.resource_id = held_in_sight.resource_id
            and targets.cluster = held_in_sight.cluster
            and targets.hostname = held_in_sight.hostname
            and targets.hour_number = held_in_sight.hour_number
            and targets.gpu_uuid = held_in_sight.gpu_uuid
    left join sighted_hours
        on
            targets.cluster = sighted_hours.cluster
            and targets.hostname = sighted_hours.hostname
            and targets.hour_number = sighted_hours.hour_number
),

kinds as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
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
        gpu_uuid,
        target_seconds,
        '' as namespace,
        '' as pod,
        'unallocated' as state,
        'none' as holder_source,
        least(seen_free_shares, spare_shares) as second_shares
    from spare
    union all
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        target_seconds,
        '' as namespace,
        '' as pod,
        'unknown' as state,
        'none' as holder_source,
        spare_shares - least(seen_free_shares, spare_shares) as second_shares
    from spare
)

select
    resource_id,
    cluster,
    hostname,
    hour_number,
    gpu_uuid,
    target_seconds,
    '' as gpu_instance_id,
    namespace,
    pod,
    state,
    case when state = 'unallocated' then 'gpu_allocations' end as metric_used,
    holder_source,
    second_shares,
    0 as observed_shares
from kinds
where second_shares > 0
