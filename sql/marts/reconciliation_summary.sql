-- A difference counts once: under its cause where the whole row has one (absent from the log, absent from the bill),
-- else under volume and rate. Coverage counts only tokens that a bill could have named.
with parts as (
    select
        *,
        case when cause in ('not_logged', 'not_billed') then 1 else 0 end as is_one_sided
    from reconciliation
)

select
    billing_period,
    provider_id,
    cast(coalesce(sum(billed_cost), 0) as decimal(38, 12)) as billed_cost,
    cast(coalesce(sum(estimated_cost), 0) as decimal(38, 12)) as estimated_cost,
    sum(difference) as difference,
    cast(coalesce(sum(volume_difference) filter (where is_one_sided = 0), 0) as decimal(38, 12)) as volume_difference,
    cast(coalesce(sum(rate_difference) filter (where is_one_sided = 0), 0) as decimal(38, 12)) as rate_difference,
    cast(coalesce(sum(difference) filter (where cause = 'not_logged'), 0) as decimal(38, 12)) as not_logged_cost,
    cast(coalesce(sum(difference) filter (where cause = 'not_billed'), 0) as decimal(38, 12)) as not_billed_cost,
    cast(
        coalesce(sum(unexplained_difference) filter (where is_one_sided = 0), 0) as decimal(38, 12)
    ) as unexplained_difference,
    sum(billed_tokens) as billed_tokens,
    sum(logged_tokens) as logged_tokens,
    cast(coalesce(sum(logged_tokens) filter (where billed_tokens is not null or billed_cost is null), 0) as double)
    / cast(nullif(sum(billed_tokens), 0) as double) as token_coverage_ratio,
    cast(coalesce(sum(logged_tokens) filter (where estimated_cost is null), 0) as decimal(38, 12)) as unpriced_tokens
from parts
group by billing_period, provider_id
