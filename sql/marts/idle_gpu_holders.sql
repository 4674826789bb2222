-- A streak ends at an hour in which the holder used the GPU, or did not hold it. Hours, because money is kept by hours.
-- A day looks back seven days and no further, so that it is the same built alone or in a month.
with hours as (
    select
        usage_date,
        hour_start,
        cluster,
        hostname,
        resource_id,
        gpu_uuid,
        gpu_instance_id,
        gpu_model_name,
        namespace,
        pod,
        max(holder_team_id) as holder_team_id,
        max(case when gpu_state in ('effective', 'under_used') then 1 else 0 end) as is_used,
        max(case when gpu_state = 'allocated_idle' then 1 else 0 end) as is_idle
    from gpu_costs_hourly
    where namespace <> ''
    group by
        usage_date,
        hour_start,
        cluster,
        hostname,
        resource_id,
        gpu_uuid,
        gpu_instance_id,
        gpu_model_name,
        namespace,
        pod
),

beside as (
    select
        *,
        lag(hour_start) over (
            partition by resource_id, gpu_uuid, gpu_instance_id, namespace, pod order by hour_start
        ) as previous_hour
    from hours
),

streaks as (
    select
        *,
        max(
            case
                when is_used = 1 then hour_start + interval '1 hour' when previous_hour = hour_start - interval '1 hour'
                    then null
                else hour_start
            end
        ) over (
            partition by resource_id, gpu_uuid, gpu_instance_id, namespace, pod
            order by hour_start
            rows between unbounded preceding and current row
        ) as unused_since
    from beside
),

at_midnight as (
    select
        *,
        cast(usage_date as timestamp) - interval '6 days' as earliest
    from streaks
    where
        hour_start = cast(usage_date as timestamp) + interval '23 hours'
        and is_idle = 1
        and is_used = 0
),

holders as (
    select
        *,
        greatest(unused_since, earliest) as idle_since,
        unused_since < earliest as is_idle_longer
    from at_midnight
)

select
    holders.usage_date,
    holders.cluster,
    holders.hostname,
    holders.resource_id,
    holders.gpu_uuid,
    holders.gpu_instance_id,
    holders.gpu_model_name,
    holders.namespace,
    holders.pod,
    holders.holder_team_id,
    holders.idle_since,
    holders.is_idle_longer,
    cast(sum(case when costs.gpu_state = 'allocated_idle' then costs.gpu_seconds else 0 end) as bigint)
        as idle_seconds,
    cast(sum(case when costs.gpu_state = 'unknown' then costs.gpu_seconds else 0 end) as bigint) as unseen_seconds,
    max(case when costs.holder_source = 'assumed' then 1 else 0 end) = 1 as is_holder_assumed,
    sum(case when costs.gpu_state = 'allocated_idle' then costs.effective_cost else cast(0 as decimal(38, 12)) end)
        as idle_cost,
    min(case when costs.gpu_state = 'allocated_idle' and not costs.is_warm_standby then 0 else 1 end) = 1
        as is_warm_standby,
    costs.billing_currency
from holders
inner join gpu_costs_hourly as costs
    on
        holders.resource_id = costs.resource_id
        and holders.gpu_uuid = costs.gpu_uuid
        and holders.gpu_instance_id = costs.gpu_instance_id
        and holders.namespace = costs.namespace
        and holders.pod = costs.pod
        and holders.idle_since <= costs.hour_start
        and holders.hour_start >= costs.hour_start
where costs.gpu_state in ('allocated_idle', 'unknown')
group by
    holders.usage_date,
    holders.cluster,
    holders.hostname,
    holders.resource_id,
    holders.gpu_uuid,
    holders.gpu_instance_id,
    holders.gpu_model_name,
    holders.namespace,
    holders.pod,
    holders.holder_team_id,
    holders.idle_since,
    holders.is_idle_longer,
    costs.billing_currency
