-- Holders are numbered, for the same reason as GPUs; nobody is 0. Samplers of processes know a pod by its uid alone:
-- the scheduler says which pod that is. Where no scheduler speaks, an exporter that names a pod on the same GPUs does,
-- if in most of the five minutes in which both name somebody it is that pod and no other, and that uid and no other:
-- of pods that share a GPU all day nobody can tell which is which. A comma is no part of a pod's name, and parts
-- several holders of one GPU below.
with named as (
    select distinct
        namespace,
        pod
    from gpu_samples
),

told as (
    select
        allocation_id as uid,
        min(namespace) as namespace,
        min(pod) as pod
    from gpu_allocations
    where holder_kind = 'pod' and allocation_id <> ''
    group by allocation_id
),

bare as (
    select named.pod as uid
    from named
    left join told on named.pod = told.uid
    where
        told.uid is null
        and length(named.pod) = 36
        and regexp_extract(named.pod, '^([0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-[0-9a-f]+)$', 1) <> ''
    group by named.pod
),

sightings as (
    select distinct
        gpu_samples.cluster,
        gpu_samples.gpu_uuid,
        gpu_samples.gpu_instance_id,
        cast(epoch(date_trunc('second', gpu_samples.sampled_at)) as bigint) // 300 as five_minutes,
        bare.uid
    from gpu_samples
    inner join bare on gpu_samples.pod = bare.uid
),

-- seldom any: the samples are read once more only to be thrown away
beside as (
    select distinct
        sightings.cluster,
        sightings.gpu_uuid,
        sightings.gpu_instance_id,
        sightings.five_minutes,
        sightings.uid,
        gpu_samples.namespace,
        gpu_samples.pod
    from gpu_samples
    inner join sightings
        on
            gpu_samples.cluster = sightings.cluster
            and gpu_samples.gpu_uuid = sightings.gpu_uuid
            and gpu_samples.gpu_instance_id = sightings.gpu_instance_id
            and cast(epoch(date_trunc('second', gpu_samples.sampled_at)) as bigint) // 300 = sightings.five_minutes
    left join bare on gpu_samples.pod = bare.uid
    where gpu_samples.pod <> '' and bare.uid is null
),

together as (
    select
        uid,
        namespace,
        pod,
        count(*) as times
    from beside
    group by uid, namespace, pod
),

compared as (
    select
        *,
        sum(times) over (partition by uid) as times_of_uid,
        sum(times) over (partition by namespace, pod) as times_of_pod
    from together
),

uids as (
    select
        uid,
        namespace,
        pod
    from told
    union all
    select
        uid,
        namespace,
        pod
    from compared
    where times * 2 > times_of_uid and times * 2 > times_of_pod
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
    left join uids on named.pod = uids.uid
)

select
    namespace,
    pod,
    holder,
    case when holder = '' then 0 else dense_rank() over (order by holder) end as holder_number
from resolved
