-- Which GPU a holder had, from what the scheduler says:
--   by the GPU's UUID or its index on the node, where the scheduler knows it (allocation_gpu);
--   by the exporter, where it names the holder on some GPU of the node that day: the scheduler's interval then says who
--   held that GPU while no sample does (exporter_label);
--   by the node and a count otherwise: the node's other GPUs, busiest first, are taken for the ones that were given, in
--   the order in which holders came (allocation_node). What is given beyond the GPUs that reported is unobserved.
-- Exporters name a batch job by its id alone, whatever namespace they put before it. A share of a time-sliced GPU is
-- one of as many as the node offers of each GPU.
with replicas as (
    select
        sighting_date as usage_date,
        cluster,
        hostname,
        max(gpu_replicas) as gpu_replicas
    from node_sightings
    group by sighting_date, cluster, hostname
),

given as (
    select
        gpu_allocations.allocation_date as usage_date,
        gpu_allocations.cluster,
        gpu_allocations.hostname,
        gpu_allocations.holder_kind,
        gpu_allocations.namespace,
        gpu_allocations.pod,
        gpu_allocations.gpu_uuid,
        gpu_allocations.gpu_index,
        gpu_allocations.gpu_instance_id,
        coalesce(gpu_allocations.mig_profile, '') as mig_profile,
        cast(epoch(gpu_allocations.started_at) as bigint) as start_second,
        cast(epoch(gpu_allocations.ended_at) as bigint) as end_second,
        cast(sum(gpu_allocations.allocated_gpus * 1000000) as bigint)
        // max(case when gpu_allocations.is_shared then coalesce(replicas.gpu_replicas, 1) else 1 end) as asked_ppm
    from gpu_allocations
    left join replicas
        on
            gpu_allocations.allocation_date = replicas.usage_date
            and gpu_allocations.cluster = replicas.cluster
            and gpu_allocations.hostname = replicas.hostname
    where gpu_allocations.hostname <> ''
    group by
        gpu_allocations.allocation_date,
        gpu_allocations.cluster,
        gpu_allocations.hostname,
        gpu_allocations.holder_kind,
        gpu_allocations.namespace,
        gpu_allocations.pod,
        gpu_allocations.gpu_uuid,
        gpu_allocations.gpu_index,
        gpu_allocations.gpu_instance_id,
        coalesce(gpu_allocations.mig_profile, ''),
        gpu_allocations.started_at,
        gpu_allocations.ended_at
),

runs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_index,
        holders,
        activity_state,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as end_second
    from gpu_runs
),

indexed as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_index,
        gpu_uuid,
        min(start_second) as first_second
    from runs
    where gpu_index is not null
    group by usage_date, cluster, hostname, gpu_index, gpu_uuid
),

-- a GPU that was exchanged leaves its index to its successor
seats as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_index,
        gpu_uuid,
        case
            when row_number() over (partition by usage_date, cluster, hostname, gpu_index order by first_second) = 1
                then 0
            else first_second
        end as from_second,
        coalesce(
            lead(first_second) over (partition by usage_date, cluster, hostname, gpu_index order by first_second),
            1000000000000
        ) as to_second
    from indexed
),

by_gpu as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        start_second,
        end_second,
        namespace,
        pod,
        asked_ppm
    from given
    where gpu_uuid <> ''
    union all
    select
        given.usage_date,
        given.cluster,
        given.hostname,
        seats.gpu_uuid,
        given.gpu_instance_id,
        given.mig_profile,
        greatest(given.start_second, seats.from_second) as start_second,
        least(given.end_second, seats.to_second) as end_second,
        given.namespace,
        given.pod,
        given.asked_ppm
    from given
    inner join seats
        on
            given.usage_date = seats.usage_date
            and given.cluster = seats.cluster
            and given.hostname = seats.hostname
            and given.gpu_index = seats.gpu_index
            and given.start_second < seats.to_second
            and given.end_second > seats.from_second
    where given.gpu_uuid = ''
),

held_runs as (
    select distinct
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        holders
    from runs
    where holders <> ''
),

labels as (
    select distinct
        held_runs.usage_date,
        held_runs.cluster,
        held_runs.hostname,
        held_runs.gpu_uuid,
        held_runs.gpu_instance_id,
        held_runs.mig_profile,
        split_part(step.holder, '/', 1) as namespace,
        substr(step.holder, length(split_part(step.holder, '/', 1)) + 2) as pod
    from held_runs
    cross join unnest(str_split_regex(held_runs.holders, ',')) as step (holder)
),

by_node as (
    select given.*
    from given
    left join labels
        on
            given.usage_date = labels.usage_date
            and given.cluster = labels.cluster
            and given.hostname = labels.hostname
            and given.pod = labels.pod
            and (given.namespace = labels.namespace or given.holder_kind = 'job')
    left join seats
        on
            given.usage_date = seats.usage_date
            and given.cluster = seats.cluster
            and given.hostname = seats.hostname
            and given.gpu_index = seats.gpu_index
    where given.gpu_uuid = '' and labels.pod is null and seats.gpu_uuid is null
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
            order by by_node.start_second, by_node.namespace, by_node.pod, by_node.gpu_index, by_node.gpu_instance_id
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
),

placed as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        start_second,
        end_second,
        namespace,
        pod,
        'allocation_gpu' as holder_source,
        asked_ppm
    from by_gpu
    union all
    select
        given.usage_date,
        given.cluster,
        given.hostname,
        labels.gpu_uuid,
        labels.gpu_instance_id,
        labels.mig_profile,
        given.start_second,
        given.end_second,
        given.namespace,
        given.pod,
        'exporter_label' as holder_source,
        given.asked_ppm
    from given
    inner join labels
        on
            given.usage_date = labels.usage_date
            and given.cluster = labels.cluster
            and given.hostname = labels.hostname
            and given.pod = labels.pod
            and (given.namespace = labels.namespace or given.holder_kind = 'job')
    where given.gpu_uuid = ''
    union all
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
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    max(mig_profile) as mig_profile,
    timestamp '1970-01-01 00:00:00' + start_second * interval '1 second' as held_from,
    timestamp '1970-01-01 00:00:00' + end_second * interval '1 second' as held_to,
    namespace,
    pod,
    min(holder_source) as holder_source,
    cast(sum(asked_ppm) as bigint) as asked_ppm
from placed
where end_second > start_second
group by
    usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, start_second, end_second, namespace, pod
