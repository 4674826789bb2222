-- Holders are numbered, for the same reason as GPUs; nobody is 0. Samplers of processes know a pod by its uid alone:
-- the scheduler says which pod that is. A comma is no part of a pod's name, and parts several holders of one GPU below.
with named as (
    select distinct
        namespace,
        pod
    from gpu_samples
),

uids as (
    select
        allocation_id,
        min(namespace) as namespace,
        min(pod) as pod
    from gpu_allocations
    where holder_kind = 'pod' and allocation_id <> ''
    group by allocation_id
),

resolved as (
    select
        named.namespace,
        named.pod,
        case
            when named.namespace = '' and named.pod = '' then ''
            else
                replace(
                    concat(
                        coalesce(uids.namespace, named.namespace), '/', coalesce(uids.pod, named.pod)
                    ), ',', '%2C'
                )
        end as holder
    from named
    left join uids on named.pod = uids.allocation_id
)

select
    namespace,
    pod,
    holder,
    case when holder = '' then 0 else dense_rank() over (order by holder) end as holder_number
from resolved
