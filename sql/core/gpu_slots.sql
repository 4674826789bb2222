-- Which GPUs holders had of whom only the node and a number are known: the node's other GPUs, busiest first, are taken
-- for the ones that were given. Which of these one holder had, and which another, nobody knows: several share every one
-- of them in proportion to what they asked for, and are called assumed. What is given beyond the GPUs that reported is
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

asked as (
    select
        spells.usage_date,
        spells.cluster,
        spells.hostname,
        spells.mig_profile,
        spells.at_second,
        spells.next_second,
        by_node.namespace,
        by_node.pod,
        cast(sum(by_node.asked_ppm) as bigint) as asked_ppm
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
    group by
        spells.usage_date,
        spells.cluster,
        spells.hostname,
        spells.mig_profile,
        spells.at_second,
        spells.next_second,
        by_node.namespace,
        by_node.pod
),

totals as (
    select
        usage_date,
        cluster,
        hostname,
        mig_profile,
        at_second,
        count(*) as holder_count,
        cast(sum(asked_ppm) as bigint) as all_ppm,
        cast((sum(asked_ppm) + 999999) // 1000000 as bigint) as given_count
    from asked
    group by usage_date, cluster, hostname, mig_profile, at_second
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
                when runs.activity_state in ('busy', 'resident')
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
        ) - 1 as slot_number,
        count(*) over (partition by usage_date, cluster, hostname, mig_profile, at_second) as gpu_count
    from busy
),

sizes as (
    select
        totals.usage_date,
        totals.cluster,
        totals.hostname,
        totals.mig_profile,
        totals.at_second,
        totals.holder_count,
        totals.all_ppm,
        totals.given_count,
        coalesce(max(ranked.gpu_count), 0) as gpu_count
    from totals
    left join ranked
        on
            totals.usage_date = ranked.usage_date
            and totals.cluster = ranked.cluster
            and totals.hostname = ranked.hostname
            and totals.mig_profile = ranked.mig_profile
            and totals.at_second = ranked.at_second
    group by
        totals.usage_date,
        totals.cluster,
        totals.hostname,
        totals.mig_profile,
        totals.at_second,
        totals.holder_count,
        totals.all_ppm,
        totals.given_count
),

parted as (
    select
        asked.*,
        sizes.given_count,
        case when sizes.holder_count > 1 then 'assumed' else 'allocation_node' end as holder_source,
        case
            when sizes.given_count <= sizes.gpu_count then asked.asked_ppm // sizes.given_count
            else (asked.asked_ppm * 1000000) // sizes.all_ppm
        end as part_ppm,
        case
            when sizes.given_count <= sizes.gpu_count then asked.asked_ppm % sizes.given_count
            else 0
        end as odd_ppm,
        case
            when sizes.given_count <= sizes.gpu_count then 0
            else asked.asked_ppm - sizes.gpu_count * ((asked.asked_ppm * 1000000) // sizes.all_ppm)
        end as unobserved_ppm
    from asked
    inner join sizes
        on
            asked.usage_date = sizes.usage_date
            and asked.cluster = sizes.cluster
            and asked.hostname = sizes.hostname
            and asked.mig_profile = sizes.mig_profile
            and asked.at_second = sizes.at_second
)

select
    parted.usage_date,
    parted.cluster,
    parted.hostname,
    ranked.gpu_uuid,
    ranked.gpu_instance_id,
    parted.mig_profile,
    parted.at_second as start_second,
    parted.next_second as end_second,
    parted.namespace,
    parted.pod,
    parted.holder_source,
    parted.part_ppm + case when ranked.slot_number < parted.odd_ppm then 1 else 0 end as asked_ppm
from parted
inner join ranked
    on
        parted.usage_date = ranked.usage_date
        and parted.cluster = ranked.cluster
        and parted.hostname = ranked.hostname
        and parted.mig_profile = ranked.mig_profile
        and parted.at_second = ranked.at_second
        and parted.given_count > ranked.slot_number
where parted.part_ppm > 0 or ranked.slot_number < parted.odd_ppm
union all
select
    usage_date,
    cluster,
    hostname,
    'unobserved' as gpu_uuid,
    '' as gpu_instance_id,
    mig_profile,
    at_second as start_second,
    next_second as end_second,
    namespace,
    pod,
    'allocation_node' as holder_source,
    unobserved_ppm as asked_ppm
from parted
where unobserved_ppm > 0
