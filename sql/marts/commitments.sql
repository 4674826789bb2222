-- What a provider's own description says of a commitment wins over what bills say in passing: what was bought once, and
-- what an hour costs and holds where every hour that the month bills says the same. A commitment that only one of the
-- two knows is shown with what is known. Provisioned deployments stand beside them: reservations that cover
-- their units are rows of their own, so that the two are never added up in one column.
with costs as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        sum(billed_purchase_cost) as billed_purchase_cost,
        min(case when is_stated then 1 else 0 end) = 1 as is_stated,
        sum(hours_purchased_cost) as purchased_cost,
        sum(hours_used_cost) as used_cost,
        sum(hours_unused_cost) as unused_cost,
        sum(unexplained_cost) as unexplained_cost
    from commitment_balance
    group by billing_period, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

told as (
    select
        x_slice_date as billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        max(commitment_discount_name) as commitment_discount_name,
        max(commitment_discount_type) as commitment_discount_type,
        max(commitment_discount_category) as commitment_discount_category,
        max(x_commitment_start) as term_start,
        max(x_commitment_end) as term_end,
        max(x_commitment_payment) as payment_option,
        sum(case when charge_category = 'Purchase' and charge_frequency = 'One-Time' then billed_cost end)
            as upfront_cost,
        case
            when
                min(case when charge_category = 'Purchase' then coalesce(region_id, '') end)
                = max(case when charge_category = 'Purchase' then coalesce(region_id, '') end)
                then max(case when charge_category = 'Purchase' then region_id end)
        end as region_id
    from charges
    where commitment_discount_id is not null
    group by x_slice_date, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

bought_hours as (
    select
        x_slice_date as billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        charge_period_start,
        sum(billed_cost) as hourly_cost,
        case
            when count(*) = count(case when commitment_discount_status is null then commitment_discount_quantity end)
                then sum(commitment_discount_quantity)
        end as quantity,
        min(commitment_discount_unit) as first_unit,
        max(commitment_discount_unit) as last_unit
    from charges
    where
        commitment_discount_id is not null
        and charge_category = 'Purchase'
        and charge_frequency = 'Recurring'
        and charge_period_end = charge_period_start + interval 1 hour
    group by
        x_slice_date,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        charge_period_start
),

hourly as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        case when min(hourly_cost) = max(hourly_cost) then min(hourly_cost) end as hourly_cost,
        case
            when count(*) = count(quantity) and min(quantity) = max(quantity) and min(first_unit) = max(last_unit)
                then min(quantity)
        end as quantity,
        min(first_unit) as quantity_unit
    from bought_hours
    group by billing_period, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

billed as (
    select
        costs.*,
        told.commitment_discount_name,
        told.commitment_discount_type,
        told.commitment_discount_category,
        told.term_start,
        told.term_end,
        told.payment_option,
        told.upfront_cost,
        told.region_id,
        hourly.hourly_cost,
        hourly.quantity,
        case when hourly.quantity is not null then hourly.quantity_unit end as quantity_unit
    from costs
    inner join told
        on
            costs.billing_period = told.billing_period
            and costs.provider_name = told.provider_name
            and costs.billing_account_id = told.billing_account_id
            and costs.billing_currency = told.billing_currency
            and costs.commitment_discount_id = told.commitment_discount_id
    left join hourly
        on
            costs.billing_period = hourly.billing_period
            and costs.provider_name = hourly.provider_name
            and costs.billing_account_id = hourly.billing_account_id
            and costs.billing_currency = hourly.billing_currency
            and costs.commitment_discount_id = hourly.commitment_discount_id
),

described as (
    select
        cast(date_trunc('month', x_slice_date) as date) as billing_period,
        *,
        row_number() over (
            partition by provider_name, commitment_discount_id, date_trunc('month', x_slice_date)
            order by x_slice_date desc, x_source desc, x_page desc, x_row desc
        ) as age
    from commitment_terms
    where payment_option is distinct from 'hourly'
),

latest as (
    select *
    from described
    where age = 1
)

select
    coalesce(billed.billing_period, latest.billing_period) as billing_period,
    coalesce(billed.provider_name, latest.provider_name) as provider_name,
    coalesce(billed.billing_account_id, '') as billing_account_id,
    coalesce(billed.billing_currency, latest.currency, '') as billing_currency,
    coalesce(billed.commitment_discount_id, latest.commitment_discount_id) as commitment_discount_id,
    coalesce(latest.commitment_discount_name, billed.commitment_discount_name) as commitment_discount_name,
    coalesce(latest.commitment_discount_type, billed.commitment_discount_type) as commitment_discount_type,
    coalesce(latest.commitment_discount_category, billed.commitment_discount_category) as commitment_discount_category,
    latest.scope,
    coalesce(latest.region_id, billed.region_id) as region_id,
    latest.instance_type,
    coalesce(latest.quantity, billed.quantity) as quantity,
    case when latest.quantity is not null then latest.quantity_unit else billed.quantity_unit end as quantity_unit,
    coalesce(latest.term_start, billed.term_start) as term_start,
    coalesce(latest.term_end, billed.term_end) as term_end,
    coalesce(latest.payment_option, billed.payment_option) as payment_option,
    coalesce(latest.hourly_cost, billed.hourly_cost) as hourly_cost,
    coalesce(latest.upfront_cost, billed.upfront_cost) as upfront_cost,
    latest.state,
    billed.billed_purchase_cost,
    billed.is_stated,
    billed.purchased_cost,
    billed.used_cost,
    billed.unused_cost,
    billed.unexplained_cost,
    case
        when billed.purchased_cost <> 0 then cast(billed.used_cost as double) / cast(billed.purchased_cost as double)
    end as utilisation_ratio,
    cast(null as decimal(38, 12)) as deployment_cost
from billed
full outer join latest
    on
        billed.billing_period = latest.billing_period
        and billed.provider_name = latest.provider_name
        and billed.commitment_discount_id = latest.commitment_discount_id
union all
select
    billing_period,
    provider_name,
    billing_account_id,
    billing_currency,
    deployment_id as commitment_discount_id,
    deployment_name as commitment_discount_name,
    'Provisioned Deployment' as commitment_discount_type,
    'Usage' as commitment_discount_category,
    scope,
    region_id,
    model as instance_type,
    provisioned_units as quantity,
    unit_name as quantity_unit,
    created_at as term_start,
    cast(null as timestamp) as term_end,
    'hourly' as payment_option,
    cast(null as decimal(38, 12)) as hourly_cost,
    cast(null as decimal(38, 12)) as upfront_cost,
    state,
    cast(null as decimal(38, 12)) as billed_purchase_cost,
    cast(null as boolean) as is_stated,
    cast(null as decimal(38, 12)) as purchased_cost,
    cast(null as decimal(38, 12)) as used_cost,
    cast(null as decimal(38, 12)) as unused_cost,
    cast(null as decimal(38, 12)) as unexplained_cost,
    utilisation_ratio,
    deployment_cost
from provisioned_deployments
