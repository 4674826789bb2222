-- On which GPUs a holder is whom samples do not name there. What it was given less those that samples say it has
-- (gpu_claims) is on the node's free GPUs: first on those that are shared already, if all that are left share, then on
-- the busiest. Which of several GPUs one holder had, and which another, nobody knows: several share every one of them
-- in proportion to what is left of what they asked for, and are called assumed. What is given beyond the GPUs that
-- reported is unobserved.
with named_counts as (
    select
        spell_number,
        holder_number,
        count(*) as named_count
    from gpu_claims
    group by spell_number, holder_number
),

left_over as (
    select
        gpu_spells.spell_number,
        gpu_spells.holder_number,
        gpu_spells.usage_date,
        gpu_spells.cluster,
        gpu_spells.hostname,
        gpu_spells.mig_profile,
        gpu_spells.at_second,
        gpu_spells.next_second,
        gpu_spells.namespace,
        gpu_spells.pod,
        gpu_spells.is_shared,
        gpu_spells.asked_ppm - 1000000 * coalesce(named_counts.named_count, 0) as left_ppm
    from gpu_spells
    left join named_counts
        on
            gpu_spells.spell_number = named_counts.spell_number
            and gpu_spells.holder_number = named_counts.holder_number
    where gpu_spells.asked_ppm > 1000000 * coalesce(named_counts.named_count, 0)
),

totals as (
    select
        spell_number,
        usage_date,
        cluster,
        hostname,
        mig_profile,
        at_second,
        next_second,
        count(*) as holder_count,
        cast(sum(left_ppm) as bigint) as all_ppm,
        min(case when is_shared then 1 else 0 end) as all_share
    from left_over
    group by spell_number, usage_date, cluster, hostname, mig_profile, at_second, next_second
),

runs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        activity_state,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as end_second,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by usage_date, cluster, hostname, gpu_uuid, date_trunc('hour', started_at)
        ) as is_partitioned
    from gpu_runs
    where cast(started_at as date) = usage_date
),

taken as (
    select
        spell_number,
        gpu_uuid,
        gpu_instance_id,
        gpu_mig_profile,
        sum(case when is_shared then taken_ppm else 1000000 end) as taken_ppm
    from gpu_claims
    group by spell_number, gpu_uuid, gpu_instance_id, gpu_mig_profile
),

gpus as (
    select distinct
        usage_date,
        cluster,
        hostname,
        mig_profile,
        gpu_uuid,
        gpu_instance_id
    from runs
    where is_partitioned = 0 or gpu_instance_id <> ''
),

-- what each GPU did within a spell
seen as (
    select
        totals.spell_number,
        totals.mig_profile,
        runs.gpu_uuid,
        runs.gpu_instance_id,
        sum(
            case
                when runs.activity_state in ('busy', 'resident')
                    then
                        least(runs.end_second, totals.next_second) - greatest(runs.start_second, totals.at_second)
                else 0
            end
        ) as busy_seconds
    from totals
    inner join runs
        on
            totals.usage_date = runs.usage_date
            and totals.cluster = runs.cluster
            and totals.hostname = runs.hostname
            and totals.mig_profile = runs.mig_profile
            and totals.next_second > runs.start_second
            and totals.at_second < runs.end_second
    where runs.is_partitioned = 0 or runs.gpu_instance_id <> ''
    group by
        totals.spell_number,
        totals.mig_profile,
        runs.gpu_uuid,
        runs.gpu_instance_id
),

candidates as (
    select
        totals.spell_number,
        totals.mig_profile,
        totals.all_ppm,
        totals.all_share,
        gpus.gpu_uuid,
        gpus.gpu_instance_id,
        case when seen.gpu_uuid is null then 0 else 1 end as is_seen,
        coalesce(seen.busy_seconds, 0) as busy_seconds
    from totals
    inner join gpus
        on
            totals.usage_date = gpus.usage_date
            and totals.cluster = gpus.cluster
            and totals.hostname = gpus.hostname
            and totals.mig_profile = gpus.mig_profile
    inner join gpu_lives
        on
            gpus.usage_date = gpu_lives.usage_date
            and gpus.cluster = gpu_lives.cluster
            and gpus.hostname = gpu_lives.hostname
            and gpus.gpu_uuid = gpu_lives.gpu_uuid
            and totals.at_second >= gpu_lives.from_second
            and totals.at_second < gpu_lives.to_second
    left join seen
        on
            totals.spell_number = seen.spell_number
            and totals.mig_profile = seen.mig_profile
            and gpus.gpu_uuid = seen.gpu_uuid
            and gpus.gpu_instance_id = seen.gpu_instance_id
),

free as (
    select
        candidates.*,
        cast(1000000 - coalesce(taken.taken_ppm, 0) as bigint) as free_ppm
    from candidates
    left join taken
        on
            candidates.spell_number = taken.spell_number
            and candidates.gpu_uuid = taken.gpu_uuid
            and candidates.gpu_instance_id = taken.gpu_instance_id
            and candidates.mig_profile = taken.gpu_mig_profile
    where coalesce(taken.taken_ppm, 0) < 1000000
),

-- up to where each GPU reaches, were what is left laid out over them in their order
laid_out as (
    select
        *,
        cast(
            sum(free_ppm) over (
                partition by spell_number, mig_profile
                order by
                    case when all_share = 1 then free_ppm else -free_ppm end,
                    is_seen desc,
                    busy_seconds desc,
                    gpu_uuid asc,
                    gpu_instance_id asc
                rows between unbounded preceding and current row
            ) as bigint
        ) as reached_ppm
    from free
),

sizes as (
    select
        totals.spell_number,
        totals.mig_profile,
        totals.holder_count,
        totals.all_ppm,
        count(laid_out.gpu_uuid) as gpu_count,
        cast(coalesce(max(laid_out.reached_ppm), 0) as bigint) as room_ppm
    from totals
    left join laid_out
        on
            totals.spell_number = laid_out.spell_number
            and totals.mig_profile = laid_out.mig_profile
    group by
        totals.spell_number,
        totals.mig_profile,
        totals.holder_count,
        totals.all_ppm
),

sized as (
    select
        left_over.*,
        sizes.all_ppm,
        sizes.room_ppm,
        case
            when sizes.holder_count > 1 and (sizes.gpu_count > 1 or sizes.all_ppm > sizes.room_ppm) then 'assumed'
            else 'allocation_node'
        end as holder_source
    from left_over
    inner join sizes
        on
            left_over.spell_number = sizes.spell_number
            and left_over.mig_profile = sizes.mig_profile
),

-- by running totals, each rounded down: parts sum to what is left; where GPUs do not hold it, the rest is unobserved
parted as (
    select
        sized.*,
        laid_out.gpu_uuid,
        laid_out.gpu_instance_id,
        case
            when sized.all_ppm > sized.room_ppm
                then (((sized.left_ppm * 1000000) // sized.all_ppm) * laid_out.free_ppm) // 1000000
            else
                (sized.left_ppm * least(laid_out.reached_ppm, sized.all_ppm)) // sized.all_ppm
                - (sized.left_ppm * (laid_out.reached_ppm - laid_out.free_ppm)) // sized.all_ppm
        end as part_ppm
    from sized
    inner join laid_out
        on
            sized.spell_number = laid_out.spell_number
            and sized.mig_profile = laid_out.mig_profile
            and laid_out.reached_ppm - laid_out.free_ppm < sized.all_ppm
),

beyond as (
    select
        sized.usage_date,
        sized.cluster,
        sized.hostname,
        sized.mig_profile,
        sized.at_second,
        sized.next_second,
        sized.namespace,
        sized.pod,
        sized.is_shared,
        cast(sized.left_ppm - sum(coalesce(parted.part_ppm, 0)) as bigint) as part_ppm
    from sized
    left join parted
        on
            sized.spell_number = parted.spell_number
            and sized.holder_number = parted.holder_number
    where sized.all_ppm > sized.room_ppm
    group by
        sized.usage_date,
        sized.cluster,
        sized.hostname,
        sized.mig_profile,
        sized.at_second,
        sized.next_second,
        sized.namespace,
        sized.pod,
        sized.is_shared,
        sized.left_ppm
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    at_second as start_second,
    next_second as end_second,
    namespace,
    pod,
    holder_source,
    is_shared,
    part_ppm as asked_ppm
from parted
where part_ppm > 0
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
    is_shared,
    part_ppm as asked_ppm
from beyond
where part_ppm > 0
