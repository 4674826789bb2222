-- What a provider's own description says of a commitment wins over what bills say in passing. A commitment that only
-- one of the two knows is shown with what is known. Provisioned deployments stand beside them: reservations that cover
-- their units are rows of their own, so that the two are never added up in one column.
with costs as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        sum(billed_purchase_cost) as billed_purchase_cost,
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
        max(x_commitment_payment) as payment_option
    from charges
    where commitment_discount_id is not null
    group by x_slice_date, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

billed as (
    select
        costs.*,
        told.commitment_discount_name,
        told.commitment_discount_type,
        told.commitment_discount_category,
        told.term_start,
        told.term_end,
        told.payment_option
    from costs
    inner join told
        on
            costs.billing_period = told.billing_period
            and costs.provider_name = told.provider_name
            and costs.billing_account_id = told.billing_account_id
            and costs.billing_currency = told.billing_currency
            and costs.commitment_discount_id = told.commitment_discount_id
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
    latest.region_id,
    latest.instance_type,
    latest.quantity,
    latest.quantity_unit,
    coalesce(latest.term_start, billed.term_start) as term_start,
    coalesce(latest.term_end, billed.term_end) as term_end,
    coalesce(latest.payment_option, billed.payment_option) as payment_option,
    latest.hourly_cost,
    latest.upfront_cost,
    latest.state,
    billed.billed_purchase_cost,
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
    cast(null as decimal(38, 12)) as purchased_cost,
    cast(null as decimal(38, 12)) as used_cost,
    cast(null as decimal(38, 12)) as unused_cost,
    cast(null as decimal(38, 12)) as unexplained_cost,
    utilisation_ratio,
    deployment_cost
from provisioned_deployments
