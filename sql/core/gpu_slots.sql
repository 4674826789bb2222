-- Which GPUs holders had of whom only the node and a number are known: the node's other GPUs, busiest first, are taken
-- for the ones that were given, in the order in which holders came. What is given beyond the GPUs that reported is
-- unobserved.
with by_node as (
    select *
    from gpu_given
    where holder_source = 'allocation_node'
),

by_gpu as (
    select *
    from gpu_given
    where holder_source = 'allocation_gpu'
),

runs as (
    select
        *,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as end_second
    from gpu_runs
),

edges as (
    select
        usage_date,
        cluster,
        hostname,
        mig_profile,
        start_second as at_second
    from by_node
    union
    select
        usage_date,
        cluster,
        hostname,
        mig_profile,
        end_second as at_second
    from by_node
),

spells as (
    select
        *,
        lead(at_second) over (
            partition by usage_date, cluster, hostname, mig_profile order by at_second
        ) as next_second
    from edges
),

queued as (
    select
        spells.usage_date,
        spells.cluster,
        spells.hostname,
        spells.mig_profile,
        spells.at_second,
        spells.next_second,
        by_node.namespace,
        by_node.pod,
        by_node.asked_ppm,
        sum(by_node.asked_ppm) over (
            partition by spells.usage_date, spells.cluster, spells.hostname, spells.mig_profile, spells.at_second
            order by by_node.start_second, by_node.namespace, by_node.pod, by_node.gpu_instance_id
            rows between unbounded preceding and current row
        ) as until_ppm
    from spells
    inner join by_node
        on
            spells.usage_date = by_node.usage_date
            and spells.cluster = by_node.cluster
            and spells.hostname = by_node.hostname
            and spells.mig_profile = by_node.mig_profile
            and spells.at_second >= by_node.start_second
            and spells.at_second < by_node.end_second
    where spells.next_second is not null
),

ranged as (
    select
        *,
        cast(until_ppm - asked_ppm as bigint) as from_ppm,
        cast(until_ppm as bigint) as to_ppm
    from queued
),

slots as (
    select
        ranged.usage_date,
        ranged.cluster,
        ranged.hostname,
        ranged.mig_profile,
        ranged.at_second,
        ranged.next_second,
        ranged.namespace,
        ranged.pod,
        step.slot_number,
        least(ranged.to_ppm, (step.slot_number + 1) * 1000000)
        - greatest(ranged.from_ppm, step.slot_number * 1000000) as asked_ppm
    from ranged
    cross join
        unnest(generate_series(ranged.from_ppm // 1000000, (ranged.to_ppm - 1) // 1000000)) as step (slot_number)
),

candidates as (
    select
        runs.usage_date,
        runs.cluster,
        runs.hostname,
        runs.mig_profile,
        runs.gpu_uuid,
        runs.gpu_instance_id
    from runs
    left join by_gpu
        on
            runs.usage_date = by_gpu.usage_date
            and runs.cluster = by_gpu.cluster
            and runs.hostname = by_gpu.hostname
            and runs.gpu_uuid = by_gpu.gpu_uuid
            and runs.gpu_instance_id = by_gpu.gpu_instance_id
    where by_gpu.gpu_uuid is null
    group by
        runs.usage_date, runs.cluster, runs.hostname, runs.mig_profile, runs.gpu_uuid, runs.gpu_instance_id
    having max(runs.holders) = ''
),

busy as (
    select
        spells.usage_date,
        spells.cluster,
        spells.hostname,
        spells.mig_profile,
        spells.at_second,
        candidates.gpu_uuid,
        candidates.gpu_instance_id,
        sum(
            case
                when runs.activity_state = 'busy'
                    then
                        greatest(
                            least(runs.end_second, spells.next_second) - greatest(runs.start_second, spells.at_second),
                            0
                        )
                else 0
            end
        ) as busy_seconds
    from spells
    inner join candidates
        on
            spells.usage_date = candidates.usage_date
            and spells.cluster = candidates.cluster
            and spells.hostname = candidates.hostname
            and spells.mig_profile = candidates.mig_profile
    inner join runs
        on
            candidates.usage_date = runs.usage_date
            and candidates.cluster = runs.cluster
            and candidates.hostname = runs.hostname
            and candidates.gpu_uuid = runs.gpu_uuid
            and candidates.gpu_instance_id = runs.gpu_instance_id
    where spells.next_second is not null
    group by
        spells.usage_date,
        spells.cluster,
        spells.hostname,
        spells.mig_profile,
        spells.at_second,
        candidates.gpu_uuid,
        candidates.gpu_instance_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by usage_date, cluster, hostname, mig_profile, at_second
            order by busy_seconds desc, gpu_uuid asc, gpu_instance_id asc
        ) - 1 as slot_number
    from busy
)

select
    slots.usage_date,
    slots.cluster,
    slots.hostname,
    coalesce(ranked.gpu_uuid, 'unobserved') as gpu_uuid,
    coalesce(ranked.gpu_instance_id, '') as gpu_instance_id,
    slots.mig_profile,
    slots.at_second as start_second,
    slots.next_second as end_second,
    slots.namespace,
    slots.pod,
    'allocation_node' as holder_source,
    slots.asked_ppm
from slots
left join ranked
    on
        slots.usage_date = ranked.usage_date
        and slots.cluster = ranked.cluster
        and slots.hostname = ranked.hostname
        and slots.mig_profile = ranked.mig_profile
        and slots.at_second = ranked.at_second
        and slots.slot_number = ranked.slot_number
