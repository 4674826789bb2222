-- GPUs that somebody saw in hours in which no bill line names their node: the bill misses them, or the register of
-- hosts does not know by what name the bill has them. Seconds without money.
with stretches as (
    select
        *,
        cast(epoch(started_at) as bigint) // 3600 as hour_number,
        cast(epoch(ended_at) as bigint) - cast(epoch(started_at) as bigint) as seconds
    from gpu_stretches
),

billed as (
    select distinct
        cluster,
        hostname,
        cast(epoch(hour_start) as bigint) // 3600 as hour_number
    from gpu_billed_hours
)

select
    stretches.usage_date,
    timestamp '1970-01-01 00:00:00' + stretches.hour_number * interval '1 hour' as hour_start,
    stretches.cluster,
    stretches.hostname,
    stretches.gpu_uuid,
    stretches.gpu_instance_id,
    max(stretches.gpu_model_name) as gpu_model_name,
    stretches.namespace,
    stretches.pod,
    stretches.state,
    cast(
        sum(
            stretches.seconds * ((gpu_shares.instance_shares * stretches.share_weight) // stretches.share_total)
        ) as bigint
    ) // 720720 as gpu_seconds
from stretches
inner join gpu_shares
    on
        stretches.cluster = gpu_shares.cluster
        and stretches.hostname = gpu_shares.hostname
        and stretches.gpu_uuid = gpu_shares.gpu_uuid
        and stretches.gpu_instance_id = gpu_shares.gpu_instance_id
        and stretches.mig_profile = gpu_shares.mig_profile
        and stretches.hour_number = gpu_shares.hour_number
left join billed
    on
        stretches.cluster = billed.cluster
        and stretches.hostname = billed.hostname
        and stretches.hour_number = billed.hour_number
where billed.hour_number is null
group by
    stretches.usage_date,
    stretches.hour_number,
    stretches.cluster,
    stretches.hostname,
    stretches.gpu_uuid,
    stretches.gpu_instance_id,
    stretches.namespace,
    stretches.pod,
    stretches.state
