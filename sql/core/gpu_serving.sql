-- A replica has requests while any of its engines has.
with counted as (
    select
        usage_date,
        cluster,
        namespace,
        pod,
        busy_from,
        busy_to,
        max(busy_to) over (
            partition by usage_date, cluster, namespace, pod
            order by busy_from, busy_to
            rows between unbounded preceding and 1 preceding
        ) as reached
    from serving_intervals
    where busy_from is not null and pod <> ''
),

numbered as (
    select
        *,
        sum(case when busy_from <= reached then 0 else 1 end) over (
            partition by usage_date, cluster, namespace, pod
            order by busy_from, busy_to
            rows between unbounded preceding and current row
        ) as spell_number
    from counted
)

select
    usage_date,
    cluster,
    namespace,
    pod,
    min(busy_from) as busy_from,
    max(busy_to) as busy_to
from numbered
group by usage_date, cluster, namespace, pod, spell_number
