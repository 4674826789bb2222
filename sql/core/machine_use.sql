-- What ran on machines without any commitment to it, and what of it is known: what a commitment could still cover.
-- Corrections and credits are of no hour's use. A line without its kind of purchase is on demand where its price is the
-- provider's standard one.
select
    x_slice_date as billing_period,
    provider_name,
    billing_account_id,
    billing_currency,
    coalesce(region_id, '') as region_id,
    x_instance_type as instance_type,
    coalesce(sku_id, '') as sku_id,
    charge_period_start,
    charge_period_end,
    list_unit_price,
    cast(sum(pricing_quantity) as decimal(38, 12)) as machine_hours,
    cast(sum(effective_cost) as decimal(38, 12)) as effective_cost,
    case when count(list_cost) = count(*) then cast(sum(list_cost) as decimal(38, 12)) end as list_cost
from charges
where
    charge_category = 'Usage'
    and charge_class is null
    and x_instance_type is not null
    and commitment_discount_id is null
    and pricing_quantity > 0
    and lower(pricing_unit) in ('hour', 'hours', 'hrs', 'h')
    and (x_purchase_option = 'on_demand' or (x_purchase_option is null and pricing_category = 'Standard'))
group by
    x_slice_date,
    provider_name,
    billing_account_id,
    billing_currency,
    coalesce(region_id, ''),
    x_instance_type,
    coalesce(sku_id, ''),
    charge_period_start,
    charge_period_end,
    list_unit_price
