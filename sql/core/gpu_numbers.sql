-- GPUs are numbered: millions of samples are grouped and ordered by numbers, not by names. Metrics of a cloud name a
-- machine; the register of hosts or the nodes say which host that is, whatever the machine calls itself. What such
-- metrics, which never name a holder, say of a host, anything else that reports on it says better.
-- An exporter that names a holder anywhere on a day would name all of them.
with reported as (
    select
        sample_date,
        x_source,
        cluster,
        gpu_uuid,
        gpu_instance_id,
        coalesce(hostname, '') as hostname,
        coalesce(instance_id, '') as instance_id,
        coalesce(mig_profile, '') as mig_profile,
        max(gpu_index) as gpu_index,
        max(gpu_model_name) as gpu_model_name,
        max(case tells_holders when true then 1 when false then 0 end) as told_rank,
        max(case when pod <> '' then 1 else 0 end) as names_holder
    from gpu_samples
    group by
        sample_date,
        x_source,
        cluster,
        gpu_uuid,
        gpu_instance_id,
        coalesce(hostname, ''),
        coalesce(instance_id, ''),
        coalesce(mig_profile, '')
),

machines as (
    select
        machine_key,
        cast(valid_from as date) as first_day,
        cast(valid_to as date) as last_day,
        cluster,
        hostname
    from gpu_hosts
    where machine_key in (select lower(reported.instance_id) from reported)
),

resolved as (
    select
        reported.sample_date,
        reported.x_source,
        reported.cluster,
        reported.gpu_uuid,
        reported.gpu_instance_id,
        reported.hostname,
        reported.instance_id,
        reported.mig_profile,
        max(reported.gpu_index) as gpu_index,
        max(coalesce(gpu_types.gpu_type, replace(reported.gpu_model_name, '-', ' '))) as gpu_model_name,
        coalesce(min(machines.cluster), reported.cluster) as host_cluster,
        coalesce(
            min(case when machines.hostname = reported.hostname then machines.hostname end),
            min(machines.hostname),
            nullif(reported.hostname, ''),
            reported.instance_id
        ) as host_name,
        max(reported.told_rank) as told_rank,
        max(reported.names_holder) as names_holder
    from reported
    left join machines
        on
            lower(reported.instance_id) = machines.machine_key
            and reported.sample_date >= machines.first_day
            and reported.sample_date <= machines.last_day
    left join gpu_types
        on lower(replace(replace(reported.gpu_model_name, '-', ' '), '_', ' ')) = gpu_types.name_key
    group by
        reported.sample_date,
        reported.x_source,
        reported.cluster,
        reported.gpu_uuid,
        reported.gpu_instance_id,
        reported.hostname,
        reported.instance_id,
        reported.mig_profile
),

hosted as (
    select
        resolved.*,
        coalesce(gpu_host_names.hostname, resolved.host_name) as known_name,
        case when resolved.told_rank = 0 then 1 else 0 end as never_tells,
        coalesce(
            resolved.told_rank, max(resolved.names_holder) over (partition by resolved.sample_date, resolved.x_source)
        ) as tells_rank
    from resolved
    left join gpu_host_names
        on
            resolved.host_cluster = gpu_host_names.cluster
            and split_part(resolved.host_name, '.', 1) = gpu_host_names.short_name
            and gpu_host_names.short_name in (resolved.host_name, gpu_host_names.hostname)
),

told as (
    select
        *,
        min(never_tells) over (partition by sample_date, host_cluster, known_name) as all_never_tell
    from hosted
)

select
    sample_date as usage_date,
    x_source as sample_source,
    cluster as sample_cluster,
    hostname as sample_hostname,
    instance_id as sample_instance_id,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    host_cluster as cluster,
    known_name as hostname,
    gpu_index,
    gpu_model_name,
    tells_rank = 1 as tells_holders,
    dense_rank() over (
        order by sample_date, host_cluster, known_name, gpu_uuid, gpu_instance_id, mig_profile
    ) as gpu_number
from told
where never_tells = all_never_tell
