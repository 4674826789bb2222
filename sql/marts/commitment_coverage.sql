-- Source of the rate: FinOps Foundation, Effective Savings Rate. Covered lines are those that used a commitment; their
-- list cost is what the same would have cost on demand. A line that takes back what covered ones cost again (a savings
-- plan's negation) has no list price and no effective cost, and counts nowhere. Google's legacy commitments cover lines
-- whose cost a credit takes off: what was used of the commitment is a line of its own, at no list cost. What was paid
-- for a commitment, and by the bill's lines is neither used nor unused, was paid all the same.
with sides as (
    select
        x_slice_date as billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        list_cost as covered_list_cost,
        cast(0 as decimal(38, 12)) as uncovered_list_cost,
        case when list_cost is null then effective_cost else 0 end as unlisted_cost,
        case when list_cost is null and effective_cost <> 0 then 1 else 0 end as unlisted_lines,
        cast(0 as decimal(38, 12)) as used_cost,
        cast(0 as decimal(38, 12)) as unused_cost,
        cast(0 as decimal(38, 12)) as unexplained_cost,
        cast(0 as decimal(38, 12)) as uncovered_cost,
        x_commitment_end as term_end
    from charges
    where
        charge_category = 'Usage'
        and charge_class is null
        and (
            commitment_discount_status = 'Used'
            or (commitment_discount_status is null and pricing_category = 'Committed')
        )
    union all
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        cast(0 as decimal(38, 12)) as covered_list_cost,
        list_cost as uncovered_list_cost,
        case when list_cost is null then effective_cost else 0 end as unlisted_cost,
        case when list_cost is null then 1 else 0 end as unlisted_lines,
        cast(0 as decimal(38, 12)) as used_cost,
        cast(0 as decimal(38, 12)) as unused_cost,
        cast(0 as decimal(38, 12)) as unexplained_cost,
        effective_cost as uncovered_cost,
        cast(null as timestamp) as term_end
    from machine_use
    union all
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        cast(0 as decimal(38, 12)) as covered_list_cost,
        cast(0 as decimal(38, 12)) as uncovered_list_cost,
        cast(0 as decimal(38, 12)) as unlisted_cost,
        0 as unlisted_lines,
        used_cost,
        unused_cost,
        unexplained_cost,
        cast(0 as decimal(38, 12)) as uncovered_cost,
        cast(null as timestamp) as term_end
    from commitment_hours
),

summed as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        case
            when sum(unlisted_lines) = 0 then cast(coalesce(sum(covered_list_cost), 0) as decimal(38, 12))
        end as covered_list_cost,
        case
            when sum(unlisted_lines) = 0 then cast(coalesce(sum(uncovered_list_cost), 0) as decimal(38, 12))
        end as uncovered_list_cost,
        cast(sum(unlisted_cost) as decimal(38, 12)) as unlisted_effective_cost,
        cast(sum(used_cost) as decimal(38, 12)) as used_cost,
        cast(sum(unused_cost) as decimal(38, 12)) as unused_cost,
        cast(sum(unexplained_cost) as decimal(38, 12)) as unexplained_cost,
        cast(sum(uncovered_cost) as decimal(38, 12)) as uncovered_cost,
        min(term_end) as next_term_end
    from sides
    group by billing_period, provider_name, billing_account_id, billing_currency
)

select
    billing_period,
    provider_name,
    billing_account_id,
    billing_currency,
    covered_list_cost,
    uncovered_list_cost,
    unlisted_effective_cost,
    used_cost,
    unused_cost,
    uncovered_cost,
    case
        when covered_list_cost + uncovered_list_cost > 0
            then cast(covered_list_cost as double) / cast(covered_list_cost + uncovered_list_cost as double)
    end as coverage_ratio,
    case
        when used_cost + unused_cost > 0 then cast(used_cost as double) / cast(used_cost + unused_cost as double)
    end as utilisation_ratio,
    case
        when covered_list_cost + uncovered_list_cost > 0
            then
                cast(
                    covered_list_cost
                    + uncovered_list_cost
                    - used_cost
                    - unused_cost
                    - unexplained_cost
                    - uncovered_cost as double
                )
                / cast(covered_list_cost + uncovered_list_cost as double)
    end as effective_savings_rate,
    next_term_end
from summed
