-- Counters say what was served; where a pod has none in an hour, the scheduler's label says what it is there for, and
-- without one the counters of the day's other hours, if these name one model: a pod whose engine was not scraped holds
-- its GPUs for the same. Two models of one pod are nobody's. A label in words that the price book does not know stays
-- as it is.
with held as (
    select distinct
        hour_start,
        usage_date,
        cluster,
        namespace,
        pod
    from gpu_states_hourly
    where namespace <> ''
),

counted as (
    select
        hour_start,
        cluster,
        namespace,
        pod,
        case when count(distinct coalesce(model_id, '')) = 1 then min(model_id) end as model_id
    from serving_hourly
    group by hour_start, cluster, namespace, pod
),

counted_days as (
    select
        usage_date,
        cluster,
        namespace,
        pod,
        min(model_id) as day_model_id
    from serving_hourly
    group by usage_date, cluster, namespace, pod
    having count(distinct coalesce(model_id, '')) = 1
),

own_names as (
    select
        source_model,
        min(model_id) as own_model_id
    from model_identity
    where is_self_hosted
    group by source_model
    having count(distinct model_id) = 1
),

labelled as (
    select
        gpu_allocations.allocation_date as usage_date,
        gpu_allocations.cluster,
        gpu_allocations.namespace,
        gpu_allocations.pod,
        min(coalesce(own_names.own_model_id, gpu_allocations.model_name)) as model_id
    from gpu_allocations
    left join own_names on gpu_allocations.model_name = own_names.source_model
    where gpu_allocations.model_name <> ''
    group by
        gpu_allocations.allocation_date,
        gpu_allocations.cluster,
        gpu_allocations.namespace,
        gpu_allocations.pod
    having count(distinct coalesce(own_names.own_model_id, gpu_allocations.model_name)) = 1
),

named as (
    select
        held.hour_start,
        held.usage_date,
        held.cluster,
        held.namespace,
        held.pod,
        case
            when counted.pod is not null then counted.model_id
            else coalesce(labelled.model_id, counted_days.day_model_id)
        end as model_id,
        case
            when counted.pod is not null then 'counters'
            when labelled.pod is not null then 'label'
            else 'counters_of_day'
        end as model_source
    from held
    left join counted
        on
            held.hour_start = counted.hour_start
            and held.cluster = counted.cluster
            and held.namespace = counted.namespace
            and held.pod = counted.pod
    left join labelled
        on
            held.usage_date = labelled.usage_date
            and held.cluster = labelled.cluster
            and held.namespace = labelled.namespace
            and held.pod = labelled.pod
    left join counted_days
        on
            held.usage_date = counted_days.usage_date
            and held.cluster = counted_days.cluster
            and held.namespace = counted_days.namespace
            and held.pod = counted_days.pod
)

select *
from named
where model_id is not null
