select
    x_slice_date as billing_period,
    x_source,
    provider_name,
    billing_account_id,
    billing_currency,
    commitment_discount_id,
    charge_period_start as period_start,
    charge_period_end as period_end,
    sum(case when charge_category = 'Purchase' then billed_cost else cast(0 as decimal(38, 12)) end)
        as billed_purchase_cost,
    sum(x_commitment_cost) as purchased_cost,
    sum(case when commitment_discount_status = 'Used' then effective_cost else cast(0 as decimal(38, 12)) end)
        as used_cost,
    sum(case when commitment_discount_status = 'Unused' then effective_cost else cast(0 as decimal(38, 12)) end)
        as unused_cost
from charges
where commitment_discount_id is not null
group by
    x_slice_date,
    x_source,
    provider_name,
    billing_account_id,
    billing_currency,
    commitment_discount_id,
    charge_period_start,
    charge_period_end
