-- GPUs are numbered: millions of samples are grouped and ordered by numbers, not by names. Metrics of a cloud name a
-- machine; the register of hosts or the nodes say which host that is, whatever the machine calls itself. What such
-- metrics, which never name a holder, say of a host, anything else that reports on it says better.
-- An exporter that names a holder anywhere on a day would name all of them. One that names nobody all day does not say
-- that nobody holds a GPU: of several sources of a GPU those count that tell holders, and of these those that measure
-- its work, unless the day begins or ends more than an hour without them.
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
        max(case when pod <> '' then 1 else 0 end) as names_holder,
        max(
            case
                when coalesce(sm_active_ratio, gr_engine_active_ratio, dram_active_ratio, tensor_active_ratio) is null
                    then 0
                else 1
            end
        ) as measures_work,
        min(sampled_at) as first_at,
        max(sampled_at) as last_at
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
        cast(valid_to - interval '1 microsecond' as date) as last_day,
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
        max(reported.names_holder) as names_holder,
        max(reported.measures_work) as measures_work,
        min(reported.first_at) as first_at,
        max(reported.last_at) as last_at
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

ranked as (
    select
        *,
        case
            when tells_rank = 1
                then 2 + max(measures_work) over (
                    partition by sample_date, x_source, host_cluster, known_name, gpu_uuid
                )
            when told_rank is null then 1
            else 0
        end as source_rank
    from hosted
),

compared as (
    select
        *,
        max(source_rank) over (partition by sample_date, host_cluster, known_name) as host_rank,
        max(source_rank) over (partition by sample_date, host_cluster, known_name, gpu_uuid) as gpu_rank
    from ranked
),

beside as (
    select
        *,
        min(case when source_rank = gpu_rank then first_at end) over (
            partition by sample_date, host_cluster, known_name, gpu_uuid
        ) as best_from,
        max(case when source_rank = gpu_rank then last_at end) over (
            partition by sample_date, host_cluster, known_name, gpu_uuid
        ) as best_to
    from compared
),

told as (
    select *
    from beside
    where
        (source_rank = 0 and host_rank = 0)
        or (
            source_rank > 0
            and (
                source_rank = gpu_rank
                or best_from > first_at + interval '1 hour'
                or best_to < last_at - interval '1 hour'
            )
        )
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
