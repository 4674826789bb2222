-- An invoice is tied out by a total that somebody stated, never by its own lines: without one it says so.
with billed as (
    select
        billing_period,
        provider_name,
        coalesce(invoice_id, '') as invoice_id,
        billing_currency,
        sum(line_count) as line_count,
        sum(billed_cost) as billed_cost
    from charge_groups
    group by billing_period, provider_name, coalesce(invoice_id, ''), billing_currency
),

named as (
    select
        billing_period,
        provider_name,
        invoice_id,
        billing_currency
    from billed
    union distinct
    select
        billing_period,
        provider_name,
        invoice_id,
        billing_currency
    from invoices
),

compared as (
    select
        named.billing_period,
        named.provider_name,
        named.invoice_id,
        named.billing_currency,
        billed.line_count,
        billed.billed_cost,
        invoices.stated_total,
        cast(
            cast(billed.billed_cost as decimal(37, 12)) - cast(invoices.stated_total as decimal(37, 12))
            as decimal(38, 12)
        ) as difference
    from named
    left join billed
        on
            named.billing_period = billed.billing_period
            and named.provider_name = billed.provider_name
            and named.invoice_id = billed.invoice_id
            and named.billing_currency = billed.billing_currency
    left join invoices
        on
            named.billing_period = invoices.billing_period
            and named.provider_name = invoices.provider_name
            and named.invoice_id = invoices.invoice_id
            and named.billing_currency = invoices.billing_currency
)

select
    billing_period,
    provider_name,
    invoice_id,
    billing_currency,
    cast(coalesce(line_count, 0) as bigint) as line_count,
    billed_cost,
    stated_total,
    difference,
    case
        when stated_total is null then 'no_stated_total'
        when billed_cost is null then 'no_lines'
        when difference between -0.01 and 0.01 then 'tied_out'
        else 'differs'
    end as tie_out
from compared
