-- Each sample is a step that holds until the next one, but no longer than three median gaps of its day or five minutes:
-- beyond that nobody knows. States are the contract's list, first match wins.
--   unhealthy     a fatal XID and no activity (the code is sticky: a GPU that computes has recovered)
--   unallocated   no pod holds it
--   unknown       no metric, or only GPU utilisation, which can prove that a GPU idles and nothing else
--   allocated_idle  activity below 0.05 (utilisation at most 0.01) in a run of 15 minutes without gap or change of
--                 holder; not while a kernel is resident most of the time: one busy SM is under-use, not idleness
--   under_used    activity below 0.8; effective: the rest
-- Everything is counted in shares of a second, of which a second has 720720, so that sevenths and any number of pods up
-- to 16 divide it evenly. Pods on one instance share it equally. MIG instances weigh by the compute slices that their
-- profiles name, and equally where a profile is not told; slices without an instance are unallocated.
-- Shares become seconds by largest remainder, so every GPU-hour sums to its billed seconds exactly.
-- Only the days beside a day can touch it, and the median is a day's own: a day built alone or in a month is the same.
with samples as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        sample_date,
        namespace,
        pod,
        xid_code,
        try_cast(split_part(mig_profile, 'g', 1) as integer) as instance_slices,
        case when gpu_model_name like '%A30%' or gpu_model_name like '%RTX PRO 6000%' then 4 else 7 end as gpu_slices,
        cast(epoch(date_trunc('second', sampled_at)) as bigint) as at_second,
        greatest(sm_active_ratio, dram_active_ratio, tensor_active_ratio) as activity_ratio,
        gr_engine_active_ratio,
        gpu_util_ratio
    from gpu_samples
    where hostname is not null
),

readings as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        sample_date,
        at_second,
        max(activity_ratio) as activity_ratio,
        max(gr_engine_active_ratio) as gr_engine_active_ratio,
        max(gpu_util_ratio) as gpu_util_ratio,
        max(instance_slices) as instance_slices,
        max(gpu_slices) as gpu_slices,
        max(case when xid_code in (48, 63, 64, 79, 94, 95) then 1 else 0 end) as fatal_xid,
        max(case when namespace <> '' then 1 else 0 end) as held,
        min(case when namespace <> '' then concat_ws('/', namespace, pod) end) as first_holder,
        max(case when namespace <> '' then concat_ws('/', namespace, pod) end) as last_holder
    from samples
    group by cluster, hostname, gpu_uuid, gpu_instance_id, sample_date, at_second
),

steps as (
    select
        *,
        lead(at_second) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by at_second
        ) as next_second,
        lead(at_second) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id, sample_date order by at_second
        ) - at_second as gap_seconds
    from readings
),

ordered_gaps as (
    select
        *,
        row_number() over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id, sample_date
            order by gap_seconds nulls last, at_second
        ) as gap_order,
        count(gap_seconds) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id, sample_date
        ) as gap_count
    from steps
),

holds as (
    select
        *,
        least(
            3 * coalesce(
                max(case when gap_order = (gap_count + 1) // 2 then gap_seconds end) over (
                    partition by cluster, hostname, gpu_uuid, gpu_instance_id, sample_date
                ),
                100
            ),
            300
        ) as hold_seconds
    from ordered_gaps
),

held_steps as (
    select
        *,
        least(coalesce(next_second, at_second + hold_seconds), at_second + hold_seconds) as end_second,
        case
            when fatal_xid = 1 and coalesce(activity_ratio, gr_engine_active_ratio, gpu_util_ratio) < 0.05
                then 'unhealthy'
            when held = 0 then 'unallocated'
            when coalesce(activity_ratio, gr_engine_active_ratio) >= 0.8 then 'effective'
            when coalesce(activity_ratio, gr_engine_active_ratio) >= 0.05 then 'under_used'
            when coalesce(activity_ratio, gr_engine_active_ratio) < 0.05
                then case when coalesce(gpu_util_ratio, 0) >= 0.5 then 'under_used' else 'lull' end
            when gpu_util_ratio <= 0.01 then 'lull'
            else 'unknown'
        end as first_state
    from holds
),

beside as (
    select
        *,
        lag(end_second) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by at_second
        ) as previous_end,
        lag(concat_ws('|', first_state, first_holder, last_holder)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by at_second
        ) as previous_run
    from held_steps
),

runs as (
    select
        *,
        sum(
            case
                when
                    previous_end = at_second
                    and previous_run = concat_ws('|', first_state, first_holder, last_holder)
                    then 0
                else 1
            end
        ) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id
            order by at_second
            rows between unbounded preceding and current row
        ) as run_number
    from beside
),

run_lengths as (
    select
        *,
        sum(end_second - at_second) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id, run_number
        ) as run_seconds
    from runs
),

judged as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        at_second,
        end_second,
        instance_slices,
        gpu_slices,
        case
            when first_state <> 'lull' then first_state
            when run_seconds >= 900 then 'allocated_idle'
            when coalesce(activity_ratio, gr_engine_active_ratio) is null then 'unknown'
            else 'under_used'
        end as state,
        case
            when first_state = 'unhealthy' then 'xid_code'
            when first_state = 'unallocated' then 'namespace'
            when activity_ratio is not null then 'sm_dram_tensor_active_ratio'
            when gr_engine_active_ratio is not null then 'gr_engine_active_ratio'
            else 'gpu_util_ratio'
        end as metric_used,
        cast(
            round(1000000 * (1 - coalesce(activity_ratio, gr_engine_active_ratio, 0) / cast(0.8 as double))) as bigint
        ) as unfilled_ppm
    from run_lengths
),

-- no step is longer than five minutes: it touches two hours at most
hour_offsets as (
    select unnest([0, 1]) as hour_offset
),

pieces as (
    select
        judged.*,
        (judged.at_second // 3600) + step.hour_offset as hour_number,
        least(judged.end_second, (judged.at_second // 3600 + step.hour_offset + 1) * 3600)
        - greatest(judged.at_second, (judged.at_second // 3600 + step.hour_offset) * 3600) as piece_seconds
    from judged
    cross join hour_offsets as step
    where (judged.at_second // 3600 + step.hour_offset) * 3600 < judged.end_second
),

billed as (
    select
        *,
        cast(epoch(hour_start) as bigint) // 3600 as hour_number
    from gpu_billed_hours
),

-- an exporter that reports a partitioned GPU as a whole too says the same seconds twice: the instances speak
hour_instances as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        hour_number,
        max(instance_slices) as instance_slices,
        max(gpu_slices) as gpu_slices,
        sum(piece_seconds) as covered_seconds,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, hour_number
        ) as is_partitioned
    from pieces
    group by cluster, hostname, gpu_uuid, gpu_instance_id, hour_number
),

counted_instances as (
    select
        *,
        count(*) over (partition by cluster, hostname, gpu_uuid, hour_number) as instance_count,
        count(instance_slices) over (partition by cluster, hostname, gpu_uuid, hour_number) as sliced_count,
        sum(instance_slices) over (partition by cluster, hostname, gpu_uuid, hour_number) as slice_count
    from hour_instances
    where is_partitioned = 0 or gpu_instance_id <> ''
),

instances as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        hour_number,
        covered_seconds,
        case
            when sliced_count = instance_count
                then (720720 * instance_slices) // greatest(gpu_slices, slice_count)
            else 720720 // instance_count
        end as instance_shares,
        case
            when sliced_count = instance_count
                then (720720 * (gpu_slices - least(gpu_slices, slice_count))) // gpu_slices
            else 0
        end as stranded_shares
    from counted_instances
),

sample_days as (
    select distinct
        cluster,
        hostname,
        gpu_uuid,
        sample_date
    from samples
),

day_offsets as (
    select unnest([-1, 0, 1]) as day_offset
),

known_days as (
    select distinct
        sample_days.cluster,
        sample_days.hostname,
        sample_days.gpu_uuid,
        sample_days.sample_date + cast(day_offsets.day_offset as integer) as usage_date
    from sample_days
    cross join day_offsets
),

-- a row for each instance that reported in the hour, and one for a known GPU of which nothing did
candidates as (
    select
        billed.resource_id,
        billed.hour_start,
        billed.hour_number,
        billed.cluster,
        billed.hostname,
        billed.billed_seconds,
        billed.gpu_count,
        known_days.gpu_uuid,
        coalesce(instances.gpu_instance_id, '') as gpu_instance_id,
        coalesce(instances.instance_shares, 720720) as instance_shares,
        coalesce(instances.stranded_shares, 0) as stranded_shares,
        coalesce(instances.covered_seconds, 0) as covered_seconds,
        case when instances.gpu_uuid is null then 0 else 1 end as is_seen
    from billed
    inner join known_days
        on
            billed.cluster = known_days.cluster
            and billed.hostname = known_days.hostname
            and billed.usage_date = known_days.usage_date
    left join instances
        on
            known_days.cluster = instances.cluster
            and known_days.hostname = instances.hostname
            and known_days.gpu_uuid = instances.gpu_uuid
            and billed.hour_number = instances.hour_number
),

ordered_candidates as (
    select
        *,
        dense_rank() over (partition by resource_id, hour_start order by is_seen desc, gpu_uuid asc) as gpu_order
    from candidates
),

counted_candidates as (
    select
        *,
        max(gpu_order * is_seen) over (partition by resource_id, hour_start) as seen_count
    from ordered_candidates
),

-- more GPUs reported than billed: they share the billed seconds; fewer: the rest of the node is unobserved
gpus as (
    select
        *,
        case
            when seen_count > gpu_count
                then
                    (billed_seconds * gpu_count) // seen_count
                    + case when gpu_order <= (billed_seconds * gpu_count) % seen_count then 1 else 0 end
            else billed_seconds
        end as target_seconds
    from counted_candidates
    where gpu_order <= greatest(gpu_count, seen_count)
),

holders as (
    select distinct
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        at_second,
        namespace,
        pod
    from samples
),

named_holders as (
    select
        *,
        max(case when namespace <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id, at_second
        ) as is_held
    from holders
),

shares as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        at_second,
        namespace,
        count(*) over (partition by cluster, hostname, gpu_uuid, gpu_instance_id, at_second) as holder_count
    from named_holders
    where is_held = 0 or namespace <> ''
),

-- summed before the GPUs are joined: a sample belongs to one hour, and no order of joins may make it meet every hour
held_seconds as (
    select
        pieces.cluster,
        pieces.hostname,
        pieces.gpu_uuid,
        pieces.gpu_instance_id,
        pieces.hour_number,
        shares.namespace,
        shares.holder_count,
        pieces.state,
        case when pieces.state = 'unknown' then cast(null as varchar) else pieces.metric_used end as metric_used,
        cast(sum(pieces.piece_seconds) as bigint) as held_seconds,
        cast(
            sum(pieces.piece_seconds * case when pieces.state = 'under_used' then pieces.unfilled_ppm else 0 end)
            as bigint
        ) as unfilled_ppm_seconds
    from pieces
    inner join shares
        on
            pieces.cluster = shares.cluster
            and pieces.hostname = shares.hostname
            and pieces.gpu_uuid = shares.gpu_uuid
            and pieces.gpu_instance_id = shares.gpu_instance_id
            and pieces.at_second = shares.at_second
    group by
        pieces.cluster,
        pieces.hostname,
        pieces.gpu_uuid,
        pieces.gpu_instance_id,
        pieces.hour_number,
        shares.namespace,
        shares.holder_count,
        pieces.state,
        case when pieces.state = 'unknown' then cast(null as varchar) else pieces.metric_used end
),

known_shares as (
    select
        gpus.resource_id,
        gpus.hour_start,
        gpus.gpu_uuid,
        gpus.target_seconds,
        gpus.gpu_instance_id,
        held_seconds.namespace,
        held_seconds.state,
        held_seconds.metric_used,
        held_seconds.held_seconds * (gpus.instance_shares // held_seconds.holder_count) as second_shares,
        held_seconds.unfilled_ppm_seconds // held_seconds.held_seconds as unfilled_ppm
    from gpus
    inner join held_seconds
        on
            gpus.cluster = held_seconds.cluster
            and gpus.hostname = held_seconds.hostname
            and gpus.gpu_uuid = held_seconds.gpu_uuid
            and gpus.gpu_instance_id = held_seconds.gpu_instance_id
            and gpus.hour_number = held_seconds.hour_number
),

unknown_shares as (
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        gpu_instance_id,
        '' as namespace,
        'unknown' as state,
        cast(null as varchar) as metric_used,
        (target_seconds - covered_seconds) * instance_shares as second_shares,
        0 as unfilled_ppm
    from gpus
    where target_seconds > covered_seconds
),

-- slices of which no instance was made: known to be free while any instance of the GPU reports
stranded as (
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        least(target_seconds, max(covered_seconds)) as known_seconds,
        max(stranded_shares) as stranded_shares
    from gpus
    where stranded_shares > 0
    group by resource_id, hour_start, gpu_uuid, target_seconds
),

all_shares as (
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        gpu_instance_id,
        namespace,
        state,
        metric_used,
        second_shares,
        unfilled_ppm
    from known_shares
    union all
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        gpu_instance_id,
        namespace,
        state,
        metric_used,
        second_shares,
        unfilled_ppm
    from unknown_shares
    union all
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        '' as gpu_instance_id,
        '' as namespace,
        'unallocated' as state,
        'mig_profile' as metric_used,
        known_seconds * stranded_shares as second_shares,
        0 as unfilled_ppm
    from stranded
    where known_seconds > 0
    union all
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        '' as gpu_instance_id,
        '' as namespace,
        'unknown' as state,
        cast(null as varchar) as metric_used,
        (target_seconds - known_seconds) * stranded_shares as second_shares,
        0 as unfilled_ppm
    from stranded
    where target_seconds > known_seconds
),

state_shares as (
    select
        resource_id,
        hour_start,
        gpu_uuid,
        target_seconds,
        gpu_instance_id,
        namespace,
        state,
        max(metric_used) as metric_used,
        cast(sum(second_shares) as bigint) as second_shares,
        cast(sum(second_shares * unfilled_ppm) as bigint) // cast(sum(second_shares) as bigint) as unfilled_ppm
    from all_shares
    group by resource_id, hour_start, gpu_uuid, target_seconds, gpu_instance_id, namespace, state
),

totals as (
    select
        *,
        cast(
            sum(second_shares) over (partition by resource_id, hour_start, gpu_uuid) as bigint
        ) as gpu_shares
    from state_shares
),

floored as (
    select
        *,
        (target_seconds * second_shares) // gpu_shares as floor_seconds,
        row_number() over (
            partition by resource_id, hour_start, gpu_uuid
            order by (target_seconds * second_shares) % gpu_shares desc, gpu_instance_id, namespace asc, state asc
        ) as remainder_order
    from totals
),

whole_seconds as (
    select
        *,
        floor_seconds + case
            when
                remainder_order
                <= target_seconds - sum(floor_seconds) over (partition by resource_id, hour_start, gpu_uuid)
                then 1
            else 0
        end as state_seconds
    from floored
),

known_counts as (
    select
        cluster,
        hostname,
        usage_date,
        count(*) as known_count
    from known_days
    group by cluster, hostname, usage_date
),

unobserved as (
    select
        billed.resource_id,
        billed.hour_start,
        'unobserved' as gpu_uuid,
        '' as gpu_instance_id,
        '' as namespace,
        'unknown' as state,
        cast(null as varchar) as metric_used,
        billed.billed_seconds
        * (billed.gpu_count - least(billed.gpu_count, coalesce(known_counts.known_count, 0))) as state_seconds,
        0 as under_used_seconds
    from billed
    left join known_counts
        on
            billed.cluster = known_counts.cluster
            and billed.hostname = known_counts.hostname
            and billed.usage_date = known_counts.usage_date
),

final as (
    select
        resource_id,
        hour_start,
        gpu_uuid,
        gpu_instance_id,
        namespace,
        state,
        metric_used,
        state_seconds,
        (state_seconds * unfilled_ppm + 500000) // 1000000 as under_used_seconds
    from whole_seconds
    union all
    select
        resource_id,
        hour_start,
        gpu_uuid,
        gpu_instance_id,
        namespace,
        state,
        metric_used,
        state_seconds,
        under_used_seconds
    from unobserved
)

select
    final.hour_start,
    billed.usage_date,
    billed.cluster,
    billed.hostname,
    final.resource_id,
    final.gpu_uuid,
    final.gpu_instance_id,
    billed.gpu_model_name,
    final.namespace,
    final.state,
    final.metric_used,
    final.state_seconds,
    final.under_used_seconds
from final
inner join billed
    on
        final.resource_id = billed.resource_id
        and final.hour_start = billed.hour_start
where final.state_seconds > 0
