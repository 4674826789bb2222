-- Google Cloud bills GPUs, cores and memory as lines of their own, and calls them so in the SKU's description; what it
-- calls otherwise is neither. AWS bills the instance, and beside it what the instance transferred, in usage types that
-- end with Bytes. Credits and corrections stand with what they lower.
with lines as (
    select
        x_slice_date as billing_period,
        cast(charge_period_start as date) as usage_date,
        resource_id,
        provider_name,
        billing_currency,
        effective_cost,
        case
            when provider_name = 'AWS' and lower(coalesce(sku_meter, '')) like '%-bytes' then 'other'
            when provider_name <> 'Google Cloud' or sku_meter is null then 'machine'
            when regexp_extract(lower(sku_meter), '(^|[^a-z])(gpus?)([^a-z]|$)', 2) <> '' then 'gpu'
            when lower(sku_meter) like '% core %' then 'cpu'
            when lower(sku_meter) like '% ram %' then 'memory'
            else 'other'
        end as part
    from charges
    where resource_id in (select gpu_billed_hours.resource_id from gpu_billed_hours)
)

select
    billing_period,
    usage_date,
    resource_id,
    provider_name,
    sum(case when part = 'machine' then effective_cost else 0 end) as machine_cost,
    sum(case when part = 'gpu' then effective_cost else 0 end) as gpu_cost,
    sum(case when part = 'cpu' then effective_cost else 0 end) as cpu_cost,
    sum(case when part = 'memory' then effective_cost else 0 end) as memory_cost,
    sum(case when part = 'other' then effective_cost else 0 end) as other_cost,
    billing_currency
from lines
group by billing_period, usage_date, resource_id, provider_name, billing_currency
