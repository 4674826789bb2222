-- Every cause counts once, under one of five headings. Where the bill does not count tokens, those of the usage API
-- stand for them. Coverage counts only tokens that a bill could have named: not those of a line that it has for hours
-- or another unit, but those beside a credit, an adjustment or a tax alone, as if nothing had been billed there.
with beside_tokens as (
    select
        billing_period,
        usage_date,
        provider_id,
        account_id,
        model_id,
        token_class,
        sum(usd) as credited_cost
    from reconciliation_causes
    where cause in ('credit', 'adjustment', 'tax')
    group by billing_period, usage_date, provider_id, account_id, model_id, token_class
),

lines as (
    select
        reconciliation_lines.*,
        reconciliation_lines.billed_tokens is not null
        or reconciliation_lines.counted_tokens is not null
        or reconciliation_lines.billed_cost is null
        or coalesce(reconciliation_lines.billed_cost = beside_tokens.credited_cost, false) as is_comparable
    from reconciliation_lines
    left join beside_tokens
        on
            reconciliation_lines.billing_period = beside_tokens.billing_period
            and reconciliation_lines.usage_date = beside_tokens.usage_date
            and reconciliation_lines.provider_id = beside_tokens.provider_id
            and reconciliation_lines.account_id = beside_tokens.account_id
            and reconciliation_lines.model_id = beside_tokens.model_id
            and reconciliation_lines.token_class = beside_tokens.token_class
),

sides as (
    select
        billing_period,
        provider_id,
        cast(coalesce(sum(billed_cost), 0) as decimal(38, 12)) as billed_cost,
        cast(coalesce(sum(estimated_cost), 0) as decimal(38, 12)) as estimated_cost,
        sum(difference) as difference,
        sum(coalesce(billed_tokens, cast(counted_tokens as decimal(38, 12)))) as billed_tokens,
        cast(sum(logged_tokens) as decimal(38, 12)) as logged_tokens,
        cast(coalesce(sum(logged_tokens) filter (where is_comparable), 0) as double) as comparable_tokens,
        cast(sum(unpriced_tokens) as decimal(38, 12)) as unpriced_tokens
    from lines
    group by billing_period, provider_id
),

headings as (
    select
        billing_period,
        provider_id,
        usd,
        case
            when cause in ('bypass', 'aborted_stream', 'unknown_model', 'missing_log') then 'not_logged'
            when cause in ('refund', 'left_out', 'not_billed', 'no_bill', 'no_rate') then 'not_billed'
            -- by the hour instead of by token: what the hours cost, and what the tokens would have
            when cause = 'provisioned' then 'rate'
            when cause in ('unexplained', 'unpriced') then 'unexplained'
            else part
        end as heading
    from reconciliation_causes
),

explained as (
    select
        billing_period,
        provider_id,
        sum(usd) filter (where heading = 'volume') as counted_otherwise_cost,
        sum(usd) filter (where heading = 'rate') as priced_otherwise_cost,
        sum(usd) filter (where heading = 'not_logged') as not_logged_cost,
        sum(usd) filter (where heading = 'not_billed') as not_billed_cost,
        sum(usd) filter (where heading = 'unexplained') as unexplained_difference,
        sum(abs(usd)) filter (where heading = 'unexplained') as unexplained_gross
    from headings
    group by billing_period, provider_id
)

select
    sides.billing_period,
    sides.provider_id,
    sides.billed_cost,
    sides.estimated_cost,
    sides.difference,
    cast(coalesce(explained.counted_otherwise_cost, 0) as decimal(38, 12)) as counted_otherwise_cost,
    cast(coalesce(explained.priced_otherwise_cost, 0) as decimal(38, 12)) as priced_otherwise_cost,
    cast(coalesce(explained.not_logged_cost, 0) as decimal(38, 12)) as not_logged_cost,
    cast(coalesce(explained.not_billed_cost, 0) as decimal(38, 12)) as not_billed_cost,
    cast(coalesce(explained.unexplained_difference, 0) as decimal(38, 12)) as unexplained_difference,
    cast(coalesce(explained.unexplained_gross, 0) as double)
    / cast(nullif(sides.billed_cost, 0) as double) as unexplained_ratio,
    sides.billed_tokens,
    sides.logged_tokens,
    sides.comparable_tokens / cast(nullif(sides.billed_tokens, 0) as double) as token_coverage_ratio,
    sides.unpriced_tokens,
    coalesce(left_out_usage.left_out_tokens, 0) as left_out_tokens,
    cast(case when left_out_usage.left_out_tokens is null then 0 end as decimal(38, 12)) as left_out_cost
from sides
left join explained
    on sides.billing_period = explained.billing_period and sides.provider_id = explained.provider_id
left join left_out_usage
    on sides.billing_period = left_out_usage.billing_period and sides.provider_id = left_out_usage.provider_id
