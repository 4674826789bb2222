-- Holders are numbered, for the same reason as GPUs; nobody is 0.
with named as (
    select distinct
        namespace,
        pod
    from gpu_samples
)

select
    namespace,
    pod,
    case when namespace = '' and pod = '' then '' else concat(namespace, '/', pod) end as holder,
    case
        when namespace = '' and pod = '' then 0
        else row_number() over (order by namespace, pod)
    end as holder_number
from named
