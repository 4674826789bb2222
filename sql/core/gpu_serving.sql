-- A replica has requests while any of its engines has.
with counted as (
    select
        usage_date,
        cluster,
        namespace,
        pod,
        interval_start,
        interval_end,
        max(interval_end) over (
            partition by usage_date, cluster, namespace, pod
            order by interval_start, interval_end
            rows between unbounded preceding and 1 preceding
        ) as reached
    from serving_counters
    where running_requests_max > 0 and pod <> ''
),

numbered as (
    select
        *,
        sum(case when interval_start <= reached then 0 else 1 end) over (
            partition by usage_date, cluster, namespace, pod
            order by interval_start, interval_end
            rows between unbounded preceding and current row
        ) as spell_number
    from counted
)

select
    usage_date,
    cluster,
    namespace,
    pod,
    min(interval_start) as busy_from,
    max(interval_end) as busy_to
from numbered
group by usage_date, cluster, namespace, pod, spell_number
