-- States are the contract's list, first match wins:
--   unhealthy       a fatal XID and no activity, or a cordoned node's GPU that nobody holds
--   in_use          it works, and nobody knows for whom
--   unallocated     nobody holds it, and somebody who would know of a holder says so: a source of samples that tells
--                   holders, or the scheduler of its cluster while it speaks
--   unknown         nobody knows whether somebody holds it; or somebody does and no metric tells, or only GPU
--                   utilisation, which can prove that a GPU idles and nothing else; or it works and no metric tells
--                   how well, and then the metric that proves the work is named
--   allocated_idle  a lull, in a run without gap or change of holder that lasts as long as idleness must for this kind
--                   of work; not while the holder's serving engine has requests
--   in_use          the rest: what of it activity did not fill is told beside
-- Samples say who holds a GPU, and the scheduler where they name nobody, or not all who share it. Holders of one GPU
-- share its time by what they asked for, where that is told of all of them, else equally; whose activity it was, nobody
-- can tell.
with thresholds as (
    select
        coalesce(max(interactive_idle_seconds), 900) as interactive_idle_seconds,
        coalesce(max(training_idle_seconds), 1800) as training_idle_seconds,
        coalesce(max(batch_idle_seconds), 300) as batch_idle_seconds
    from gpu_rules
),

names as (
    select distinct
        holder_number,
        namespace,
        pod
    from gpu_pods
),

asked as (
    select
        gpu_held.usage_date,
        gpu_held.cluster,
        gpu_held.hostname,
        gpu_pods.holder_number,
        max(gpu_held.asked_ppm) as asked_ppm
    from gpu_held
    inner join gpu_pods
        on
            gpu_held.usage_date = gpu_pods.usage_date
            and gpu_held.cluster = gpu_pods.cluster
            and gpu_held.namespace = gpu_pods.namespace
            and gpu_held.pod = gpu_pods.pod
    group by gpu_held.usage_date, gpu_held.cluster, gpu_held.hostname, gpu_pods.holder_number
),

serving as (
    select
        gpu_serving.usage_date,
        gpu_serving.cluster,
        gpu_pods.holder_number,
        cast(epoch(date_trunc('second', gpu_serving.busy_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', gpu_serving.busy_to)) as bigint) as to_second
    from gpu_serving
    inner join gpu_pods
        on
            gpu_serving.usage_date = gpu_pods.usage_date
            and gpu_serving.cluster = gpu_pods.cluster
            and gpu_serving.namespace = gpu_pods.namespace
            and gpu_serving.pod = gpu_pods.pod
),

-- what the scheduler gave on a node that it does not name may be any GPU
unplaced as (
    select distinct gpu_pieces.piece_number
    from gpu_pieces
    inner join gpu_allocations
        on
            gpu_allocations.hostname = ''
            and gpu_pieces.holders = ''
            and gpu_pieces.usage_date = gpu_allocations.allocation_date
            and gpu_pieces.cluster = gpu_allocations.cluster
            and gpu_pieces.start_second >= cast(epoch(date_trunc('second', gpu_allocations.started_at)) as bigint)
            and gpu_pieces.start_second < cast(epoch(date_trunc('second', gpu_allocations.ended_at)) as bigint)
),

-- two sources may see one node
sighted as (
    select
        gpu_pieces.piece_number,
        max(case when node_sightings.is_cordoned then 1 else 0 end) as cordon_rank
    from gpu_pieces
    inner join node_sightings
        on
            gpu_pieces.usage_date = node_sightings.sighting_date
            and gpu_pieces.cluster = node_sightings.cluster
            and gpu_pieces.hostname = node_sightings.hostname
            and gpu_pieces.start_second >= cast(epoch(date_trunc('second', node_sightings.seen_from)) as bigint)
            and gpu_pieces.start_second < cast(epoch(date_trunc('second', node_sightings.seen_to)) as bigint)
    group by gpu_pieces.piece_number
),

pieces as (
    select
        gpu_pieces.piece_number,
        gpu_pieces.usage_date,
        gpu_pieces.cluster,
        gpu_pieces.hostname,
        gpu_pieces.start_second,
        gpu_pieces.end_second,
        gpu_pieces.activity_state,
        sighted.cordon_rank,
        unplaced.piece_number is null
        and (gpu_pieces.tells_holders or gpu_spoken.cluster is not null) as is_holder_known
    from gpu_pieces
    left join sighted on gpu_pieces.piece_number = sighted.piece_number
    left join unplaced on gpu_pieces.piece_number = unplaced.piece_number
    left join gpu_spoken
        on
            gpu_pieces.cluster = gpu_spoken.cluster
            and gpu_pieces.start_second >= gpu_spoken.from_second
            and gpu_pieces.start_second < gpu_spoken.to_second
),

stated as (
    select
        gpu_piece_holders.piece_number,
        gpu_piece_holders.holder_number,
        gpu_piece_holders.holder_source,
        pieces.start_second,
        pieces.end_second,
        pieces.activity_state,
        gpu_pods.workload_name,
        coalesce(gpu_pods.work_kind, 'interactive') as work_kind,
        coalesce(gpu_piece_holders.held_ppm, asked.asked_ppm) as asked_ppm,
        case
            when pieces.activity_state = 'fault' then 'unhealthy'
            when gpu_piece_holders.holder_source = 'none' and pieces.activity_state = 'busy' then 'in_use'
            when gpu_piece_holders.holder_source = 'none' and pieces.activity_state = 'resident' then 'unknown'
            when gpu_piece_holders.holder_source = 'none' and pieces.cordon_rank = 1 then 'unhealthy'
            when gpu_piece_holders.holder_source = 'none' and not pieces.is_holder_known then 'unknown'
            when gpu_piece_holders.holder_source = 'none' then 'unallocated'
            when pieces.activity_state in ('unseen', 'blank', 'resident') then 'unknown'
            when pieces.activity_state = 'busy' then 'in_use'
            when serving.holder_number is not null and pieces.activity_state = 'lull' then 'in_use'
            when serving.holder_number is not null then 'unknown'
            else 'lull'
        end as first_state
    from gpu_piece_holders
    inner join pieces on gpu_piece_holders.piece_number = pieces.piece_number
    left join gpu_pods
        on
            gpu_piece_holders.holder_number = gpu_pods.holder_number
            and pieces.usage_date = gpu_pods.usage_date
            and pieces.cluster = gpu_pods.cluster
    left join asked
        on
            gpu_piece_holders.holder_number = asked.holder_number
            and pieces.usage_date = asked.usage_date
            and pieces.cluster = asked.cluster
            and pieces.hostname = asked.hostname
    left join serving
        on
            gpu_piece_holders.holder_number = serving.holder_number
            and pieces.usage_date = serving.usage_date
            and pieces.cluster = serving.cluster
            and pieces.start_second >= serving.from_second
            and pieces.start_second < serving.to_second
    where
        pieces.activity_state <> 'unseen'
        or gpu_piece_holders.holder_source <> 'none'
        or pieces.cordon_rank is not null
),

crowds as (
    select
        piece_number,
        count(*) as holder_count,
        count(asked_ppm) as asked_count,
        sum(asked_ppm) as asked_total
    from stated
    group by piece_number
    having count(*) > 1
),

crowded as (
    select
        stated.piece_number,
        stated.holder_number,
        crowds.holder_count,
        crowds.asked_count,
        crowds.asked_total,
        row_number() over (partition by stated.piece_number order by stated.holder_number) as holder_order
    from stated
    inner join crowds on stated.piece_number = crowds.piece_number
),

idle as (
    select
        piece_number,
        holder_number,
        start_second,
        end_second,
        piece_number // 100000000000 as instance_number
    from stated
    where first_state = 'lull'
),

beside as (
    select
        *,
        lag(end_second) over (partition by instance_number, holder_number order by start_second) as previous_end
    from idle
),

lulls as (
    select
        *,
        sum(case when previous_end = start_second then 0 else 1 end) over (
            partition by instance_number, holder_number order by start_second
            rows between unbounded preceding and current row
        ) as lull_number
    from beside
),

lengths as (
    select
        piece_number,
        holder_number,
        sum(end_second - start_second) over (
            partition by instance_number, holder_number, lull_number
        ) as lull_seconds
    from lulls
),

judged as (
    select
        stated.*,
        coalesce(crowded.holder_count, 1) as holder_count,
        coalesce(crowded.holder_order, 1) as holder_order,
        crowded.asked_count,
        crowded.asked_total,
        case
            when stated.first_state <> 'lull' then stated.first_state
            when
                lengths.lull_seconds >= case stated.work_kind
                    when 'training' then thresholds.training_idle_seconds
                    when 'batch' then thresholds.batch_idle_seconds
                    else thresholds.interactive_idle_seconds
                end
                then 'allocated_idle'
            when stated.activity_state = 'weak_lull' then 'unknown'
            else 'in_use'
        end as state
    from stated
    cross join thresholds
    left join crowded
        on
            stated.piece_number = crowded.piece_number
            and stated.holder_number = crowded.holder_number
    left join lengths
        on
            stated.piece_number = lengths.piece_number
            and stated.holder_number = lengths.holder_number
)

select
    gpu_pieces.usage_date,
    gpu_pieces.cluster,
    gpu_pieces.hostname,
    gpu_pieces.gpu_uuid,
    gpu_pieces.gpu_instance_id,
    gpu_pieces.mig_profile,
    gpu_pieces.gpu_model_name,
    timestamp '1970-01-01 00:00:00' + judged.start_second * interval '1 second' as started_at,
    timestamp '1970-01-01 00:00:00' + judged.end_second * interval '1 second' as ended_at,
    coalesce(names.namespace, '') as namespace,
    coalesce(names.pod, '') as pod,
    judged.workload_name,
    judged.work_kind,
    judged.holder_source,
    cast(judged.holder_order as integer) as holder_order,
    cast(judged.holder_count as integer) as holder_count,
    case
        when judged.holder_count > 1 and judged.asked_count = judged.holder_count then judged.asked_ppm else 1
    end as share_weight,
    case
        when judged.holder_count > 1 and judged.asked_count = judged.holder_count
            then cast(judged.asked_total as bigint)
        else judged.holder_count
    end as share_total,
    case
        when judged.holder_count = 1 then 'whole'
        when judged.asked_count = judged.holder_count then 'requested'
        else 'equal'
    end as share_basis,
    judged.state,
    case
        when judged.state = 'unhealthy' and judged.activity_state <> 'fault' then 'is_cordoned'
        when judged.state = 'unallocated' and judged.activity_state = 'unseen' then 'gpu_allocations'
        when judged.state = 'unallocated' then 'namespace'
        when judged.state = 'unknown' and judged.activity_state <> 'resident' then null
        else gpu_pieces.metric_used
    end as metric_used,
    judged.activity_state <> 'unseen' as is_observed,
    case when judged.state = 'in_use' then gpu_pieces.unfilled_seconds else 0 end as unfilled_seconds,
    case when judged.state = 'in_use' then gpu_pieces.unfilled_ppm_seconds else 0 end as unfilled_ppm_seconds
from judged
inner join gpu_pieces on judged.piece_number = gpu_pieces.piece_number
left join names on judged.holder_number = names.holder_number
