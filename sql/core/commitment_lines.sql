-- What was paid once for a term, and states its part of the period, is bought over that term and not in the hour in
-- which it was paid.
with lines as (
    select
        *,
        case
            when x_commitment_cost is not null and charge_frequency = 'One-Time'
                then coalesce(x_commitment_start, charge_period_start)
            else charge_period_start
        end as period_start,
        case
            when x_commitment_cost is not null and charge_frequency = 'One-Time'
                then coalesce(x_commitment_end, charge_period_end)
            else charge_period_end
        end as period_end
    from charges
    where commitment_discount_id is not null
)

select
    x_slice_date as billing_period,
    x_source,
    provider_name,
    billing_account_id,
    billing_currency,
    commitment_discount_id,
    period_start,
    period_end,
    sum(case when charge_category = 'Purchase' then billed_cost else cast(0 as decimal(38, 12)) end)
        as billed_purchase_cost,
    sum(x_commitment_cost) as purchased_cost,
    sum(case when commitment_discount_status = 'Used' then effective_cost else cast(0 as decimal(38, 12)) end)
        as used_cost,
    sum(case when commitment_discount_status = 'Unused' then effective_cost else cast(0 as decimal(38, 12)) end)
        as unused_cost
from lines
group by
    x_slice_date,
    x_source,
    provider_name,
    billing_account_id,
    billing_currency,
    commitment_discount_id,
    period_start,
    period_end
