-- What nobody knows of a GPU of which something is known in an hour: the time in which nothing of it reports, and that
-- of single MIG instances that do not. Slices of which no instance was made stand here too: they are free.
with silences as (
    select
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.gpu_uuid,
        gpu_targets.target_seconds,
        gpu_shares.gpu_instance_id,
        sum(
            gpu_shares.instance_shares
            * (
                gpu_shares.silent_seconds
                + case
                    when gpu_shares.all_shares <= 720720
                        then greatest(gpu_targets.target_seconds - gpu_shares.seen_seconds, 0)
                    else 0
                end
            )
        ) as second_shares
    from gpu_targets
    inner join gpu_shares
        on
            gpu_targets.cluster = gpu_shares.cluster
            and gpu_targets.hostname = gpu_shares.hostname
            and gpu_targets.gpu_uuid = gpu_shares.gpu_uuid
            and gpu_targets.hour_number = gpu_shares.hour_number
    group by
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.gpu_uuid,
        gpu_targets.target_seconds,
        gpu_shares.gpu_instance_id
),

whole_silences as (
    select
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.gpu_uuid,
        gpu_targets.target_seconds,
        greatest(gpu_targets.target_seconds - max(gpu_shares.seen_seconds), 0)
        * case when max(gpu_shares.all_shares) <= 720720 then 720720 - max(gpu_shares.all_shares) else 720720 end
            as second_shares
    from gpu_targets
    inner join gpu_shares
        on
            gpu_targets.cluster = gpu_shares.cluster
            and gpu_targets.hostname = gpu_shares.hostname
            and gpu_targets.gpu_uuid = gpu_shares.gpu_uuid
            and gpu_targets.hour_number = gpu_shares.hour_number
    group by
        gpu_targets.resource_id,
        gpu_targets.cluster,
        gpu_targets.hostname,
        gpu_targets.hour_number,
        gpu_targets.gpu_uuid,
        gpu_targets.target_seconds
),

kinds as (
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        target_seconds,
        gpu_instance_id,
        'unknown' as state,
        cast(second_shares as bigint) as second_shares,
        0 as observed_shares
    from silences
    union all
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        target_seconds,
        '' as gpu_instance_id,
        'unknown' as state,
        second_shares,
        0 as observed_shares
    from whole_silences
    union all
    select
        resource_id,
        cluster,
        hostname,
        hour_number,
        gpu_uuid,
        target_seconds,
        '' as gpu_instance_id,
        'unallocated' as state,
        stranded_second_shares as second_shares,
        stranded_observed_shares as observed_shares
    from gpu_targets
)

select
    resource_id,
    cluster,
    hostname,
    hour_number,
    gpu_uuid,
    target_seconds,
    gpu_instance_id,
    '' as namespace,
    '' as pod,
    state,
    case when state = 'unallocated' then 'mig_profile' end as metric_used,
    'none' as holder_source,
    second_shares,
    observed_shares
from kinds
where second_shares > 0
