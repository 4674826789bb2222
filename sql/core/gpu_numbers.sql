-- GPUs are numbered: millions of samples are grouped and ordered by numbers, not by names. Metrics of a cloud name a
-- machine; the register of hosts or the nodes say which host that is.
with reported as (
    select
        sample_date,
        cluster,
        gpu_uuid,
        gpu_instance_id,
        coalesce(hostname, '') as hostname,
        coalesce(instance_id, '') as instance_id,
        coalesce(mig_profile, '') as mig_profile,
        max(gpu_index) as gpu_index,
        max(gpu_model_name) as gpu_model_name
    from gpu_samples
    group by
        sample_date,
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
        reported.cluster,
        reported.gpu_uuid,
        reported.gpu_instance_id,
        reported.hostname,
        reported.instance_id,
        reported.mig_profile,
        max(reported.gpu_index) as gpu_index,
        max(coalesce(gpu_types.gpu_type, replace(reported.gpu_model_name, '-', ' '))) as gpu_model_name,
        coalesce(min(machines.cluster), reported.cluster) as host_cluster,
        case
            when reported.hostname <> '' then reported.hostname
            else coalesce(min(machines.hostname), reported.instance_id)
        end as host_name
    from reported
    left join machines
        on
            reported.hostname = ''
            and lower(reported.instance_id) = machines.machine_key
            and reported.sample_date >= machines.first_day
            and reported.sample_date <= machines.last_day
    left join gpu_types
        on lower(replace(replace(reported.gpu_model_name, '-', ' '), '_', ' ')) = gpu_types.name_key
    group by
        reported.sample_date,
        reported.cluster,
        reported.gpu_uuid,
        reported.gpu_instance_id,
        reported.hostname,
        reported.instance_id,
        reported.mig_profile
),

-- what an exporter on the host reports, a cloud's metrics of the same machine say again under other names
told as (
    select
        *,
        case when hostname = '' then 1 else 0 end as is_of_cloud,
        min(case when hostname = '' then 1 else 0 end) over (
            partition by sample_date, host_cluster, host_name
        ) as is_cloud_alone
    from resolved
)

select
    sample_date as usage_date,
    cluster as sample_cluster,
    hostname as sample_hostname,
    instance_id as sample_instance_id,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    host_cluster as cluster,
    host_name as hostname,
    gpu_index,
    gpu_model_name,
    dense_rank() over (
        order by sample_date, host_cluster, host_name, gpu_uuid, gpu_instance_id, mig_profile
    ) as gpu_number
from told
where is_of_cloud = is_cloud_alone
