-- A streak ends at an hour in which the holder used the GPU, or did not hold it. Hours, because money is kept by hours.
-- Hours that nobody saw do not end it: where nobody even knows who held the GPU then, it is taken to be whoever did in
-- the hour before. A streak of which no hour was seen to be idle is none.
-- A day looks back to the second day of the month before its own and no further: every day of a month is given the
-- month before, so that it is the same built alone or in a month, and the first day tells who idled already.
with held as (
    select
        *,
        gpu_state in ('effective', 'under_used') or (gpu_state = 'unknown' and metric_used <> '') as is_use,
        gpu_state = 'unknown' and metric_used = '' as is_unseen
    from gpu_costs_hourly
    where namespace <> ''
),

-- hours of a GPU in which nothing but silence is known of it, and the hour before the first of them
silent as (
    select
        hour_start,
        resource_id,
        gpu_uuid,
        gpu_instance_id
    from gpu_costs_hourly
    group by hour_start, resource_id, gpu_uuid, gpu_instance_id
    having min(case when gpu_state = 'unknown' and namespace = '' and metric_used = '' then 1 else 0 end) = 1
),

numbered as (
    select
        *,
        row_number() over (partition by resource_id, gpu_uuid, gpu_instance_id order by hour_start) as silent_order
    from silent
),

silences as (
    select
        *,
        min(hour_start) over (
            partition by
                resource_id, gpu_uuid, gpu_instance_id, cast(epoch(hour_start) as bigint) // 3600 - silent_order
        ) - interval '1 hour' as hour_before
    from numbered
),

holders_before as (
    select distinct
        hour_start,
        cluster,
        hostname,
        resource_id,
        gpu_uuid,
        gpu_instance_id,
        gpu_model_name,
        namespace,
        pod,
        holder_team_id
    from held
),

costs as (
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
        holder_team_id,
        gpu_state,
        is_use,
        is_unseen,
        holder_source,
        is_warm_standby,
        gpu_seconds,
        effective_cost,
        billing_currency
    from held
    union all
    select
        gpu_costs_hourly.usage_date,
        gpu_costs_hourly.hour_start,
        holders_before.cluster,
        holders_before.hostname,
        holders_before.resource_id,
        holders_before.gpu_uuid,
        holders_before.gpu_instance_id,
        holders_before.gpu_model_name,
        holders_before.namespace,
        holders_before.pod,
        holders_before.holder_team_id,
        gpu_costs_hourly.gpu_state,
        false as is_use,
        true as is_unseen,
        gpu_costs_hourly.holder_source,
        gpu_costs_hourly.is_warm_standby,
        gpu_costs_hourly.gpu_seconds,
        gpu_costs_hourly.effective_cost,
        gpu_costs_hourly.billing_currency
    from silences
    inner join holders_before
        on
            silences.hour_before = holders_before.hour_start
            and silences.resource_id = holders_before.resource_id
            and silences.gpu_uuid = holders_before.gpu_uuid
            and silences.gpu_instance_id = holders_before.gpu_instance_id
    inner join gpu_costs_hourly
        on
            silences.hour_start = gpu_costs_hourly.hour_start
            and silences.resource_id = gpu_costs_hourly.resource_id
            and silences.gpu_uuid = gpu_costs_hourly.gpu_uuid
            and silences.gpu_instance_id = gpu_costs_hourly.gpu_instance_id
),

hours as (
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
        max(case when is_use then 1 else 0 end) as is_used,
        max(case when gpu_state = 'allocated_idle' or is_unseen then 1 else 0 end) as is_unused
    from costs
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
        cast(date_trunc('month', usage_date) as timestamp) - interval '1 month' + interval '1 day' as earliest
    from streaks
    where
        hour_start = cast(usage_date as timestamp) + interval '23 hours'
        and is_unused = 1
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
    cast(sum(case when costs.is_unseen then costs.gpu_seconds else 0 end) as bigint) as unseen_seconds,
    max(case when costs.holder_source = 'assumed' then 1 else 0 end) = 1 as is_holder_assumed,
    sum(case when costs.gpu_state = 'allocated_idle' then costs.effective_cost else cast(0 as decimal(38, 12)) end)
        as idle_cost,
    min(case when costs.gpu_state = 'allocated_idle' and not costs.is_warm_standby then 0 else 1 end) = 1
        as is_warm_standby,
    costs.billing_currency
from holders
inner join costs
    on
        holders.resource_id = costs.resource_id
        and holders.gpu_uuid = costs.gpu_uuid
        and holders.gpu_instance_id = costs.gpu_instance_id
        and holders.namespace = costs.namespace
        and holders.pod = costs.pod
        and holders.idle_since <= costs.hour_start
        and holders.hour_start >= costs.hour_start
where costs.gpu_state = 'allocated_idle' or costs.is_unseen
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
having max(case when costs.gpu_state = 'allocated_idle' then 1 else 0 end) = 1
