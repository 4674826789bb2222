-- Where a bill splits a GPU node among pods (AWS's split cost allocation: a line for each pod, node, hour and kind of
-- resource, with the pod in its ARN and no cost of its own), a pod's GPU-hours of the bill stand beside those that
-- samples and the scheduler tell. Only machines and days that the bill splits are compared, of those whose own lines
-- met a machine here (gpu_costs_hourly has all of their time, also what nobody held): of the others nobody was looked
-- for. What one side alone knows is named. GPU-hours decide, not money: the bill splits a price by weights, and counts
-- cores and memory apart. A line without a cost or without hours has none, which is not zero.
with lines as (
    select
        x_slice_date as billing_period,
        cast(charge_period_start as date) as usage_date,
        lower(x_split_parent_resource_id) as resource_id,
        coalesce(resource_id, '') as pod_resource_id,
        consumed_quantity,
        case
            when x_split_cost is not null or x_split_unused_cost is not null
                then coalesce(x_split_cost, 0) + coalesce(x_split_unused_cost, 0)
        end as split_cost,
        billing_currency
    from charges
    where x_split_parent_resource_id is not null and consumed_unit = 'Accelerator-Hours'
),

-- arn:aws:eks:<region>:<account>:pod/<cluster>/<namespace>/<pod>/<uid>
named as (
    select
        *,
        regexp_extract(pod_resource_id, ':pod/([^/]+)/([^/]+)/([^/]+)/([^/]+)$', 2) as namespace,
        regexp_extract(pod_resource_id, ':pod/([^/]+)/([^/]+)/([^/]+)/([^/]+)$', 3) as pod_name,
        regexp_extract(pod_resource_id, ':pod/([^/]+)/([^/]+)/([^/]+)/([^/]+)$', 4) as pod_uid
    from lines
),

billed as (
    select
        billing_period,
        usage_date,
        resource_id,
        namespace,
        case when pod_name = '' then pod_resource_id else pod_name end as pod,
        -- a part that is not told makes the whole unknown, and no smaller one
        case when count(consumed_quantity) = count(*) then sum(consumed_quantity) end as split_gpu_hours,
        case when count(split_cost) = count(*) then sum(split_cost) end as split_cost,
        billing_currency
    from named
    group by
        billing_period,
        usage_date,
        resource_id,
        namespace,
        case when pod_name = '' then pod_resource_id else pod_name end,
        billing_currency
),

machines as (
    select distinct
        billing_period,
        usage_date,
        resource_id
    from billed
),

joined as (
    select distinct
        billing_period,
        usage_date,
        lower(resource_id) as resource_id
    from gpu_costs_hourly
),

uids as (
    select
        usage_date,
        resource_id,
        pod_uid,
        min(namespace) as namespace,
        min(pod_name) as pod
    from named
    where pod_uid <> ''
    group by usage_date, resource_id, pod_uid
),

-- a sampler of processes without a scheduler knows a pod by its uid
seen as (
    select
        gpu_costs_hourly.billing_period,
        gpu_costs_hourly.usage_date,
        machines.resource_id,
        coalesce(uids.namespace, gpu_costs_hourly.namespace) as namespace,
        coalesce(uids.pod, gpu_costs_hourly.pod) as pod,
        sum(gpu_costs_hourly.gpu_seconds) as seen_gpu_seconds,
        sum(gpu_costs_hourly.effective_cost) as effective_cost,
        gpu_costs_hourly.billing_currency
    from gpu_costs_hourly
    inner join machines
        on
            gpu_costs_hourly.billing_period = machines.billing_period
            and gpu_costs_hourly.usage_date = machines.usage_date
            and lower(gpu_costs_hourly.resource_id) = machines.resource_id
    left join uids
        on
            gpu_costs_hourly.usage_date = uids.usage_date
            and lower(gpu_costs_hourly.resource_id) = uids.resource_id
            and gpu_costs_hourly.pod = uids.pod_uid
    where gpu_costs_hourly.namespace <> ''
    group by
        gpu_costs_hourly.billing_period,
        gpu_costs_hourly.usage_date,
        machines.resource_id,
        coalesce(uids.namespace, gpu_costs_hourly.namespace),
        coalesce(uids.pod, gpu_costs_hourly.pod),
        gpu_costs_hourly.billing_currency
),

sides as (
    select
        billing_period,
        usage_date,
        resource_id,
        namespace,
        pod,
        1 as is_on_bill,
        0 as is_seen,
        split_gpu_hours,
        split_cost,
        cast(null as bigint) as seen_gpu_seconds,
        cast(null as decimal(38, 12)) as effective_cost,
        billing_currency
    from billed
    union all
    select
        billing_period,
        usage_date,
        resource_id,
        namespace,
        pod,
        0 as is_on_bill,
        1 as is_seen,
        cast(null as decimal(38, 12)) as split_gpu_hours,
        cast(null as decimal(38, 12)) as split_cost,
        cast(seen_gpu_seconds as bigint) as seen_gpu_seconds,
        effective_cost,
        billing_currency
    from seen
),

paired as (
    select
        billing_period,
        usage_date,
        resource_id,
        namespace,
        pod,
        max(is_on_bill) as is_on_bill,
        max(is_seen) as is_seen,
        cast(max(split_gpu_hours) as decimal(38, 12)) as split_gpu_hours,
        cast(max(split_cost) as decimal(38, 12)) as split_cost,
        cast(max(seen_gpu_seconds) as bigint) as seen_gpu_seconds,
        cast(max(effective_cost) as decimal(38, 12)) as effective_cost,
        billing_currency
    from sides
    group by billing_period, usage_date, resource_id, namespace, pod, billing_currency
)

select
    paired.billing_period,
    paired.usage_date,
    paired.resource_id,
    paired.namespace,
    paired.pod,
    paired.split_gpu_hours,
    paired.seen_gpu_seconds,
    case
        when joined.resource_id is null then 'not_compared'
        when paired.is_seen = 0 then 'only_on_bill'
        when paired.is_on_bill = 0 then 'only_seen'
        when paired.split_gpu_hours is null then 'not_compared'
        when
            abs(paired.split_gpu_hours * 3600 - paired.seen_gpu_seconds) > 300
            and abs(paired.split_gpu_hours * 3600 - paired.seen_gpu_seconds) * 10 > paired.split_gpu_hours * 3600
            then 'differs'
        else 'agrees'
    end as split_match,
    paired.split_cost,
    paired.effective_cost as seen_effective_cost,
    paired.billing_currency
from paired
left join joined
    on
        paired.billing_period = joined.billing_period
        and paired.usage_date = joined.usage_date
        and paired.resource_id = joined.resource_id
