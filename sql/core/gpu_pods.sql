-- Whoever holds a GPU by the samples or the scheduler, with a number, and what kind of work it does: as the company's
-- rules say, else as what made the pod tells, else interactive.
with pods as (
    select
        usage_date,
        cluster,
        namespace,
        pod
    from gpu_label_holders
    union
    select
        usage_date,
        cluster,
        namespace,
        pod
    from gpu_held
),

holders as (
    select distinct
        namespace,
        pod
    from pods
),

-- by a number it is found quickly: names are long, and a month has millions of stretches
numbered as (
    select
        *,
        row_number() over (order by namespace, pod) as holder_number
    from holders
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

ruled as (
    select
        pods.usage_date,
        pods.cluster,
        pods.namespace,
        pods.pod,
        gpu_workload_rules.work_kind,
        row_number() over (
            partition by pods.usage_date, pods.cluster, pods.namespace, pods.pod
            order by gpu_workload_rules.priority asc nulls last
        ) as rule_order
    from pods
    left join workloads
        on
            pods.usage_date = workloads.usage_date
            and pods.cluster = workloads.cluster
            and pods.namespace = workloads.namespace
            and pods.pod = workloads.pod
    inner join gpu_workload_rules
        on
            pods.namespace = gpu_workload_rules.namespace
            and gpu_workload_rules.cluster in ('', pods.cluster)
            and starts_with(pods.pod, gpu_workload_rules.pod_prefix)
            and gpu_workload_rules.workload_name in ('', workloads.workload_name)
            and gpu_workload_rules.work_kind is not null
)

select
    pods.usage_date,
    pods.cluster,
    pods.namespace,
    pods.pod,
    numbered.holder_number,
    workloads.workload_name,
    coalesce(ruled.work_kind, workloads.told_kind, 'interactive') as work_kind
from pods
inner join numbered on pods.namespace = numbered.namespace and pods.pod = numbered.pod
left join workloads
    on
        pods.usage_date = workloads.usage_date
        and pods.cluster = workloads.cluster
        and pods.namespace = workloads.namespace
        and pods.pod = workloads.pod
left join ruled
    on
        ruled.rule_order = 1
        and pods.usage_date = ruled.usage_date
        and pods.cluster = ruled.cluster
        and pods.namespace = ruled.namespace
        and pods.pod = ruled.pod
