-- The share is of what the provider bills in the period, so that the shares of all accounts add up.
with bills as (
    select
        billing_period,
        provider_id,
        sum(billed_cost) as billed_cost
    from reconciliation_lines
    group by billing_period, provider_id
)

select
    reconciliation_causes.billing_period,
    reconciliation_causes.provider_id,
    reconciliation_causes.account_id,
    reconciliation_causes.part,
    reconciliation_causes.cause,
    count(*) as line_count,
    sum(reconciliation_causes.tokens) as tokens,
    sum(reconciliation_causes.usd) as usd,
    sum(abs(reconciliation_causes.usd)) as gross_usd,
    cast(sum(reconciliation_causes.usd) as double) / cast(nullif(max(bills.billed_cost), 0) as double) as bill_ratio,
    cast(sum(abs(reconciliation_causes.usd)) as double)
    / cast(nullif(max(bills.billed_cost), 0) as double) as gross_bill_ratio
from reconciliation_causes
inner join bills
    on
        reconciliation_causes.billing_period = bills.billing_period
        and reconciliation_causes.provider_id = bills.provider_id
group by
    reconciliation_causes.billing_period,
    reconciliation_causes.provider_id,
    reconciliation_causes.account_id,
    reconciliation_causes.part,
    reconciliation_causes.cause
