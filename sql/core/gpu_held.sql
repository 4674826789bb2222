-- Holders whose GPU is known, and those for whom GPUs of their node were taken.
with placed as (
    select *
    from gpu_given
    where holder_source <> 'allocation_node'
    union all
    select *
    from gpu_slots
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    max(mig_profile) as mig_profile,
    timestamp '1970-01-01 00:00:00' + start_second * interval '1 second' as held_from,
    timestamp '1970-01-01 00:00:00' + end_second * interval '1 second' as held_to,
    namespace,
    pod,
    min(holder_source) as holder_source,
    cast(sum(asked_ppm) as bigint) as asked_ppm
from placed
where end_second > start_second
group by
    usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, start_second, end_second, namespace, pod
