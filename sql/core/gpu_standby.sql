-- Idle replicas that the configuration allows are warm standby, those idle longest in the hour first. A replica is a
-- pod, however many GPUs it has.
with stretches as (
    select
        *,
        cast(epoch(started_at) as bigint) // 3600 as hour_number,
        cast(epoch(ended_at) as bigint) - cast(epoch(started_at) as bigint) as seconds
    from gpu_stretches
),

idle_pods as (
    select
        cluster,
        namespace,
        pod,
        hour_number,
        max(workload_name) as workload_name,
        sum(seconds) as idle_seconds
    from stretches
    where state = 'allocated_idle'
    group by cluster, namespace, pod, hour_number
),

allowed as (
    select
        idle_pods.cluster,
        idle_pods.namespace,
        idle_pods.pod,
        idle_pods.hour_number,
        idle_pods.idle_seconds,
        gpu_workload_rules.standby_replicas,
        gpu_workload_rules.priority,
        row_number() over (
            partition by idle_pods.cluster, idle_pods.namespace, idle_pods.pod, idle_pods.hour_number
            order by gpu_workload_rules.priority
        ) as rule_order
    from idle_pods
    inner join gpu_workload_rules
        on
            idle_pods.namespace = gpu_workload_rules.namespace
            and gpu_workload_rules.cluster in ('', idle_pods.cluster)
            and starts_with(idle_pods.pod, gpu_workload_rules.pod_prefix)
            and gpu_workload_rules.workload_name in ('', idle_pods.workload_name)
    where gpu_workload_rules.standby_replicas is not null
),

ordered_replicas as (
    select
        *,
        row_number() over (
            partition by cluster, priority, hour_number order by idle_seconds desc, namespace asc, pod asc
        ) as replica_order
    from allowed
    where rule_order = 1
)

select
    cluster,
    namespace,
    pod,
    hour_number
from ordered_replicas
where replica_order <= standby_replicas
