-- Which lines pay for GPUs: on Google Cloud those whose SKU says so, on AWS machines of the families p and g, on Azure
-- those of N but NP, which has none. Of such a machine all lines count, credits among them; purchases of commitments
-- are of no machine.
with lines as (
    select
        x_slice_date as billing_period,
        cast(charge_period_start as date) as usage_date,
        provider_name,
        coalesce(sub_account_id, '') as sub_account_id,
        coalesce(resource_id, '') as resource_id,
        coalesce(resource_name, '') as resource_name,
        coalesce(x_instance_type, '') as instance_type,
        effective_cost,
        billing_currency,
        case
            when provider_name = 'Google Cloud' and lower(sku_meter) like '% gpu %' then 1
            when provider_name = 'AWS' and regexp_extract(x_instance_type, '^(p|g)[0-9]', 0) <> '' then 1
            when
                provider_name = 'Microsoft'
                and lower(x_instance_type) like 'standard_n%'
                and lower(x_instance_type) not like 'standard_np%'
                then 1
            else 0
        end as is_of_gpu
    from charges
    where charge_category <> 'Purchase'
),

machines as (
    select distinct resource_id
    from lines
    where is_of_gpu = 1 and resource_id <> ''
),

joined as (
    select distinct
        resource_id,
        usage_date
    from gpu_billed_hours
)

select
    lines.billing_period,
    lines.usage_date,
    lines.provider_name,
    lines.sub_account_id,
    lines.resource_id,
    lines.resource_name,
    lines.instance_type,
    count(*) as line_count,
    sum(lines.effective_cost) as effective_cost,
    lines.billing_currency
from lines
left join machines on lines.resource_id = machines.resource_id
left join joined
    on
        lines.resource_id = joined.resource_id
        and lines.usage_date = joined.usage_date
where (lines.is_of_gpu = 1 or machines.resource_id is not null) and joined.resource_id is null
group by
    lines.billing_period,
    lines.usage_date,
    lines.provider_name,
    lines.sub_account_id,
    lines.resource_id,
    lines.resource_name,
    lines.instance_type,
    lines.billing_currency
