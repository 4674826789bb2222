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

numbered as (
    select
        *,
        row_number() over (
            order by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, start_second
        ) as piece_number
    from gpu_pieces
),

-- of a GPU that is shared samples may name one holder only: the scheduler names the others
shared as (
    select distinct numbered.piece_number
    from numbered
    inner join gpu_held
        on
            gpu_held.is_shared
            and numbered.holders <> ''
            and numbered.usage_date = gpu_held.usage_date
            and numbered.cluster = gpu_held.cluster
            and numbered.hostname = gpu_held.hostname
            and numbered.gpu_uuid = gpu_held.gpu_uuid
            and numbered.gpu_instance_id = gpu_held.gpu_instance_id
            and numbered.mig_profile = gpu_held.mig_profile
            and numbered.start_second >= cast(epoch(gpu_held.held_from) as bigint)
            and numbered.start_second < cast(epoch(gpu_held.held_to) as bigint)
),

labelled as (
    select
        numbered.*,
        step.holder
    from numbered
    cross join unnest(str_split_regex(numbered.holders, ',')) as step (holder)
    union all
    select
        numbered.*,
        '' as holder
    from numbered
    inner join shared on numbered.piece_number = shared.piece_number
),

-- exporters name a batch job by its id, the scheduler knows whose account it is
jobs as (
    select
        allocation_date as usage_date,
        cluster,
        pod,
        min(namespace) as account
    from gpu_allocations
    where holder_kind = 'job'
    group by allocation_date, cluster, pod
),

named as (
    select
        labelled.*,
        case
            when labelled.holder <> '' then coalesce(jobs.account, split_part(labelled.holder, '/', 1))
            else coalesce(gpu_held.namespace, '')
        end as namespace,
        case
            when labelled.holder <> ''
                then substr(labelled.holder, length(split_part(labelled.holder, '/', 1)) + 2)
            else coalesce(gpu_held.pod, '')
        end as pod,
        case
            when labelled.holder <> '' then 'exporter_label' else coalesce(gpu_held.holder_source, 'none')
        end as holder_source,
        gpu_held.asked_ppm as held_ppm
    from labelled
    left join jobs
        on
            labelled.holder <> ''
            and labelled.usage_date = jobs.usage_date
            and labelled.cluster = jobs.cluster
            and substr(labelled.holder, length(split_part(labelled.holder, '/', 1)) + 2) = jobs.pod
    left join gpu_held
        on
            labelled.holder = ''
            and (labelled.holders = '' or gpu_held.is_shared)
            and labelled.usage_date = gpu_held.usage_date
            and labelled.cluster = gpu_held.cluster
            and labelled.hostname = gpu_held.hostname
            and labelled.gpu_uuid = gpu_held.gpu_uuid
            and labelled.gpu_instance_id = gpu_held.gpu_instance_id
            and labelled.mig_profile = gpu_held.mig_profile
            and labelled.start_second >= cast(epoch(gpu_held.held_from) as bigint)
            and labelled.start_second < cast(epoch(gpu_held.held_to) as bigint)
),

workloads as (
    select
        allocation_date as usage_date,
        cluster,
        namespace,
        pod,
        max(workload_name) as workload_name,
        max(case
            when holder_kind = 'job' then 'training'
            when workload_kind = 'Job' then 'batch'
            when workload_kind like '%Job' or workload_kind in ('TrainJob', 'Workflow') then 'training'
            else 'interactive'
        end) as told_kind
    from gpu_allocations
    group by allocation_date, cluster, namespace, pod
),

asked as (
    select
        usage_date,
        cluster,
        hostname,
        namespace,
        pod,
        max(asked_ppm) as asked_ppm
    from gpu_held
    group by usage_date, cluster, hostname, namespace, pod
),

-- what the scheduler gave on a node that it does not name may be any GPU
unplaced as (
    select distinct pieces.piece_number
    from numbered as pieces
    inner join gpu_allocations
        on
            gpu_allocations.hostname = ''
            and pieces.holders = ''
            and pieces.usage_date = gpu_allocations.allocation_date
            and pieces.cluster = gpu_allocations.cluster
            and pieces.start_second >= cast(epoch(date_trunc('second', gpu_allocations.started_at)) as bigint)
            and pieces.start_second < cast(epoch(date_trunc('second', gpu_allocations.ended_at)) as bigint)
),

cordons as (
    select
        cluster,
        hostname,
        sighting_date as usage_date,
        cast(epoch(date_trunc('second', seen_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', seen_to)) as bigint) as to_second,
        coalesce(is_cordoned, false) as is_cordoned
    from node_sightings
),

-- a node that two sources see, and a holder whom two rules fit, stand twice here and once below: few do, so that they
-- alone are put in order
matched as (
    select
        named.*,
        workloads.workload_name,
        coalesce(gpu_workload_rules.work_kind, workloads.told_kind, 'interactive') as work_kind,
        coalesce(named.held_ppm, asked.asked_ppm) as asked_ppm,
        gpu_workload_rules.priority,
        cordons.is_cordoned,
        gpu_serving.pod is not null as has_requests,
        unplaced.piece_number is null and (named.tells_holders or gpu_spoken.cluster is not null) as is_holder_known
    from named
    left join cordons
        on
            named.usage_date = cordons.usage_date
            and named.cluster = cordons.cluster
            and named.hostname = cordons.hostname
            and named.start_second >= cordons.from_second
            and named.start_second < cordons.to_second
    left join gpu_spoken
        on
            named.cluster = gpu_spoken.cluster
            and named.start_second >= gpu_spoken.from_second
            and named.start_second < gpu_spoken.to_second
    left join unplaced on named.piece_number = unplaced.piece_number
    left join workloads
        on
            named.usage_date = workloads.usage_date
            and named.cluster = workloads.cluster
            and named.namespace = workloads.namespace
            and named.pod = workloads.pod
    left join gpu_workload_rules
        on
            named.namespace = gpu_workload_rules.namespace
            and gpu_workload_rules.cluster in ('', named.cluster)
            and starts_with(named.pod, gpu_workload_rules.pod_prefix)
            and gpu_workload_rules.workload_name in ('', workloads.workload_name)
            and gpu_workload_rules.work_kind is not null
    left join asked
        on
            named.usage_date = asked.usage_date
            and named.cluster = asked.cluster
            and named.hostname = asked.hostname
            and named.namespace = asked.namespace
            and named.pod = asked.pod
    left join gpu_serving
        on
            named.usage_date = gpu_serving.usage_date
            and named.cluster = gpu_serving.cluster
            and named.namespace = gpu_serving.namespace
            and named.pod = gpu_serving.pod
            and named.start_second >= cast(epoch(date_trunc('second', gpu_serving.busy_from)) as bigint)
            and named.start_second < cast(epoch(date_trunc('second', gpu_serving.busy_to)) as bigint)
),

repeated as (
    select
        piece_number,
        namespace,
        pod
    from matched
    group by piece_number, namespace, pod
    having count(*) > 1
),

ranked as (
    select
        matched.*,
        1 as match_order
    from matched
    left join repeated
        on
            matched.piece_number = repeated.piece_number
            and matched.namespace = repeated.namespace
            and matched.pod = repeated.pod
    where repeated.piece_number is null
    union all
    select
        matched.*,
        row_number() over (
            partition by matched.piece_number, matched.namespace, matched.pod
            order by
                matched.priority asc nulls last,
                matched.is_cordoned desc nulls last,
                matched.holder_source desc,
                matched.held_ppm asc nulls last
        ) as match_order
    from matched
    inner join repeated
        on
            matched.piece_number = repeated.piece_number
            and matched.namespace = repeated.namespace
            and matched.pod = repeated.pod
),

stated as (
    select
        *,
        case
            when activity_state = 'fault' then 'unhealthy'
            when holder_source = 'none' and activity_state = 'busy' then 'in_use'
            when holder_source = 'none' and activity_state = 'resident' then 'unknown'
            when holder_source = 'none' and is_cordoned then 'unhealthy'
            when holder_source = 'none' and not is_holder_known then 'unknown'
            when holder_source = 'none' then 'unallocated'
            when activity_state in ('unseen', 'blank', 'resident') then 'unknown'
            when activity_state = 'busy' then 'in_use'
            when has_requests and activity_state = 'lull' then 'in_use'
            when has_requests then 'unknown'
            else 'lull'
        end as first_state
    from ranked
    where match_order = 1 and (activity_state <> 'unseen' or holder_source <> 'none' or is_cordoned is not null)
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
        stated.namespace,
        stated.pod,
        crowds.holder_count,
        crowds.asked_count,
        crowds.asked_total,
        row_number() over (
            partition by stated.piece_number order by stated.namespace, stated.pod
        ) as holder_order
    from stated
    inner join crowds on stated.piece_number = crowds.piece_number
),

-- who idles where, by a number: by six names rows are put in order many times as slowly
idle as (
    select
        piece_number,
        namespace,
        pod,
        start_second,
        end_second,
        dense_rank() over (
            order by cluster, hostname, gpu_uuid, gpu_instance_id, namespace, pod
        ) as idler_number
    from stated
    where first_state = 'lull'
),

beside as (
    select
        *,
        lag(end_second) over (partition by idler_number order by start_second) as previous_end
    from idle
),

lulls as (
    select
        *,
        sum(case when previous_end = start_second then 0 else 1 end) over (
            partition by idler_number order by start_second
            rows between unbounded preceding and current row
        ) as lull_number
    from beside
),

lengths as (
    select
        piece_number,
        namespace,
        pod,
        sum(end_second - start_second) over (partition by idler_number, lull_number) as lull_seconds
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
            and stated.namespace = crowded.namespace
            and stated.pod = crowded.pod
    left join lengths
        on
            stated.piece_number = lengths.piece_number
            and stated.namespace = lengths.namespace
            and stated.pod = lengths.pod
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    gpu_model_name,
    timestamp '1970-01-01 00:00:00' + start_second * interval '1 second' as started_at,
    timestamp '1970-01-01 00:00:00' + end_second * interval '1 second' as ended_at,
    namespace,
    pod,
    workload_name,
    work_kind,
    holder_source,
    cast(holder_order as integer) as holder_order,
    cast(holder_count as integer) as holder_count,
    case when holder_count > 1 and asked_count = holder_count then asked_ppm else 1 end as share_weight,
    case
        when holder_count > 1 and asked_count = holder_count then cast(asked_total as bigint) else holder_count
    end as share_total,
    case
        when holder_count = 1 then 'whole'
        when asked_count = holder_count then 'requested'
        else 'equal'
    end as share_basis,
    state,
    case
        when state = 'unhealthy' and activity_state <> 'fault' then 'is_cordoned'
        when state = 'unallocated' and activity_state = 'unseen' then 'gpu_allocations'
        when state = 'unallocated' then 'namespace'
        when state = 'unknown' and activity_state <> 'resident' then null
        else metric_used
    end as metric_used,
    activity_state <> 'unseen' as is_observed,
    case when state = 'in_use' then unfilled_seconds else 0 end as unfilled_seconds,
    case when state = 'in_use' then unfilled_ppm_seconds else 0 end as unfilled_ppm_seconds
from judged
