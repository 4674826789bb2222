-- What a provider's own description says of a commitment wins over what bills say in passing; prices only where both
-- are in one currency. Each word is the newest that was said of the term, in this month or before it: bills tell some
-- in the month of purchase alone. A commitment whose term runs is shown also in a month that says nothing of it.
-- Provisioned deployments stand beside them: reservations that cover their units are rows of their own, so that the two
-- are never added up in one column.
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

reached as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        max(hour_start) + interval 1 hour as reached_at
    from commitment_hours
    group by billing_period, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

periods as (
    select x_slice_date as billing_period from charges
    union distinct
    select billing_period from commitment_statements
),

said as (
    select
        periods.billing_period,
        commitment_statements.billing_period as told_in,
        commitment_statements.told_by,
        commitment_statements.provider_name,
        commitment_statements.billing_account_id,
        commitment_statements.billing_currency,
        commitment_statements.commitment_discount_id,
        commitment_statements.commitment_discount_name,
        commitment_statements.commitment_discount_type,
        commitment_statements.commitment_discount_category,
        commitment_statements.scope,
        commitment_statements.region_id,
        commitment_statements.instance_type,
        commitment_statements.quantity,
        commitment_statements.quantity_unit,
        commitment_statements.term_start,
        commitment_statements.term_end,
        commitment_statements.payment_option,
        commitment_statements.hourly_cost,
        commitment_statements.upfront_cost,
        commitment_statements.state,
        max(commitment_statements.term_start) over (
            partition by
                periods.billing_period,
                commitment_statements.provider_name,
                commitment_statements.commitment_discount_id
        ) as begun_at
    from periods
    inner join commitment_statements on periods.billing_period >= commitment_statements.billing_period
),

-- a month that was over before the term began spoke of another, unless it names this one, to the day if not the hour;
-- what the month itself says is always of it
of_term as (
    select
        *,
        concat(cast(told_in as varchar), ' ', billing_account_id, ' ', billing_currency) as told_at
    from said
    where
        begun_at is null
        or told_in = billing_period
        or term_start + interval 2 day >= begun_at
        or (term_start is null and cast(told_in + interval 1 month as timestamp) > begun_at)
),

billed_words as (
    select
        billing_period,
        provider_name,
        commitment_discount_id,
        max_by(commitment_discount_name, case when commitment_discount_name is not null then told_at end)
            as commitment_discount_name,
        max_by(commitment_discount_type, case when commitment_discount_type is not null then told_at end)
            as commitment_discount_type,
        max_by(commitment_discount_category, case when commitment_discount_category is not null then told_at end)
            as commitment_discount_category,
        max_by(region_id, case when region_id is not null then told_at end) as region_id,
        max_by(term_start, case when term_start is not null then told_at end) as term_start,
        max_by(term_end, case when term_end is not null then told_at end) as term_end,
        max_by(payment_option, case when payment_option is not null then told_at end) as payment_option
    from of_term
    where told_by = 'bill'
    group by billing_period, provider_name, commitment_discount_id
),

billed_prices as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        max(told_in) as told_in,
        max_by(quantity, case when quantity is not null then told_in end) as quantity,
        max_by(quantity_unit, case when quantity is not null then told_in end) as quantity_unit,
        max_by(hourly_cost, case when hourly_cost is not null then told_in end) as hourly_cost,
        max_by(upfront_cost, case when upfront_cost is not null then told_in end) as upfront_cost
    from of_term
    where told_by = 'bill'
    group by billing_period, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

ranked as (
    select
        *,
        rank() over (
            partition by billing_period, provider_name, commitment_discount_id order by told_in desc
        ) as age
    from billed_prices
),

billed as (
    select
        ranked.*,
        billed_words.commitment_discount_name,
        billed_words.commitment_discount_type,
        billed_words.commitment_discount_category,
        billed_words.region_id,
        billed_words.term_start,
        billed_words.term_end,
        billed_words.payment_option
    from ranked
    inner join billed_words
        on
            ranked.billing_period = billed_words.billing_period
            and ranked.provider_name = billed_words.provider_name
            and ranked.commitment_discount_id = billed_words.commitment_discount_id
    where ranked.age = 1
),

listed as (
    select
        billing_period,
        provider_name,
        commitment_discount_id,
        max(told_in) as told_in,
        max_by(nullif(billing_currency, ''), case when billing_currency <> '' then told_in end) as currency,
        max_by(commitment_discount_name, case when commitment_discount_name is not null then told_in end)
            as commitment_discount_name,
        max_by(commitment_discount_type, case when commitment_discount_type is not null then told_in end)
            as commitment_discount_type,
        max_by(commitment_discount_category, case when commitment_discount_category is not null then told_in end)
            as commitment_discount_category,
        max_by(scope, case when scope is not null then told_in end) as scope,
        max_by(region_id, case when region_id is not null then told_in end) as region_id,
        max_by(instance_type, case when instance_type is not null then told_in end) as instance_type,
        max_by(quantity, case when quantity is not null then told_in end) as quantity,
        max_by(quantity_unit, case when quantity is not null then told_in end) as quantity_unit,
        max_by(term_start, case when term_start is not null then told_in end) as term_start,
        max_by(term_end, case when term_end is not null then told_in end) as term_end,
        max_by(payment_option, case when payment_option is not null then told_in end) as payment_option,
        max_by(hourly_cost, case when hourly_cost is not null then told_in end) as hourly_cost,
        max_by(upfront_cost, case when upfront_cost is not null then told_in end) as upfront_cost,
        max_by(state, case when state is not null then told_in end) as state
    from of_term
    where told_by = 'list'
    group by billing_period, provider_name, commitment_discount_id
),

known as (
    select
        coalesce(billed.billing_period, listed.billing_period) as billing_period,
        coalesce(billed.provider_name, listed.provider_name) as provider_name,
        coalesce(billed.billing_account_id, '') as billing_account_id,
        coalesce(billed.billing_currency, listed.currency, '') as billing_currency,
        coalesce(billed.commitment_discount_id, listed.commitment_discount_id) as commitment_discount_id,
        greatest(coalesce(billed.told_in, listed.told_in), coalesce(listed.told_in, billed.told_in)) as told_in,
        coalesce(listed.commitment_discount_name, billed.commitment_discount_name) as commitment_discount_name,
        coalesce(listed.commitment_discount_type, billed.commitment_discount_type) as commitment_discount_type,
        coalesce(listed.commitment_discount_category, billed.commitment_discount_category)
            as commitment_discount_category,
        listed.scope,
        coalesce(listed.region_id, billed.region_id) as region_id,
        listed.instance_type,
        coalesce(listed.quantity, billed.quantity) as quantity,
        case when listed.quantity is not null then listed.quantity_unit else billed.quantity_unit end as quantity_unit,
        coalesce(listed.term_start, billed.term_start) as term_start,
        coalesce(listed.term_end, billed.term_end) as term_end,
        coalesce(listed.payment_option, billed.payment_option) as payment_option,
        case
            when coalesce(listed.currency = billed.billing_currency, true)
                then coalesce(listed.hourly_cost, billed.hourly_cost)
            else billed.hourly_cost
        end as hourly_cost,
        case
            when coalesce(listed.currency = billed.billing_currency, true)
                then coalesce(listed.upfront_cost, billed.upfront_cost)
            else billed.upfront_cost
        end as upfront_cost,
        listed.state
    from billed
    full outer join listed
        on
            billed.billing_period = listed.billing_period
            and billed.provider_name = listed.provider_name
            and billed.commitment_discount_id = listed.commitment_discount_id
),

running as (
    select
        known.*,
        costs.billed_purchase_cost,
        costs.is_stated,
        costs.purchased_cost,
        costs.used_cost,
        costs.unused_cost,
        costs.unexplained_cost,
        case
            when reached.reached_at is not null and known.term_start is not null and known.term_end is not null
                then
                    (
                        cast(
                            epoch(least(reached.reached_at, known.term_end))
                            - epoch(greatest(cast(known.billing_period as timestamp), known.term_start)) as bigint
                        )
                        + 3599
                    )
                    // 3600
        end as hours,
        (cast(epoch(known.term_end) - epoch(known.term_start) as bigint) + 3599) // 3600 as term_hours,
        case
            when known.upfront_cost is not null then known.upfront_cost
            when known.payment_option = 'no_upfront' then cast(0 as decimal(38, 12))
        end as paid_before,
        case
            when known.hourly_cost is not null then known.hourly_cost
            when known.payment_option = 'all_upfront' then cast(0 as decimal(38, 12))
        end as paid_by_hour
    from known
    left join costs
        on
            known.billing_period = costs.billing_period
            and known.provider_name = costs.provider_name
            and known.billing_account_id = costs.billing_account_id
            and known.billing_currency = costs.billing_currency
            and known.commitment_discount_id = costs.commitment_discount_id
    left join reached
        on
            known.billing_period = reached.billing_period
            and known.provider_name = reached.provider_name
            and known.billing_account_id = reached.billing_account_id
            and known.billing_currency = reached.billing_currency
            and known.commitment_discount_id = reached.commitment_discount_id
    where
        known.told_in = known.billing_period
        or (
            known.term_end > cast(known.billing_period as timestamp)
            and coalesce(known.term_start < cast(known.billing_period + interval 1 month as timestamp), true)
        )
),

spread as (
    select
        *,
        cast(floor(paid_before) as bigint) * hours as whole_hours,
        cast(
            cast(cast(paid_before as decimal(37, 12)) - cast(floor(paid_before) as decimal(19, 0)) as decimal(19, 12))
            * cast('1000000000000' as decimal(13, 0)) as bigint
        )
        * hours as rest_hours
    from running
)

select
    billing_period,
    provider_name,
    billing_account_id,
    billing_currency,
    commitment_discount_id,
    commitment_discount_name,
    commitment_discount_type,
    commitment_discount_category,
    scope,
    region_id,
    instance_type,
    quantity,
    quantity_unit,
    term_start,
    term_end,
    payment_option,
    hourly_cost,
    upfront_cost,
    state,
    told_in,
    billed_purchase_cost,
    is_stated,
    purchased_cost,
    used_cost,
    unused_cost,
    unexplained_cost,
    case
        when term_hours > 0 and hours > 0 and paid_before >= 0
            then
                cast(
                    cast(whole_hours // term_hours as decimal(19, 0))
                    + cast(
                        cast(
                            ((whole_hours % term_hours) * 1000000000000 + rest_hours + term_hours // 2)
                            // term_hours as decimal(19, 0)
                        ) * cast('0.000000000001' as decimal(12, 12)) as decimal(31, 12)
                    ) as decimal(37, 12)
                )
                + cast(cast(paid_by_hour as decimal(28, 12)) * cast(hours as decimal(9, 0)) as decimal(37, 12))
    end as terms_cost,
    case
        when purchased_cost <> 0 then cast(used_cost as double) / cast(purchased_cost as double)
    end as utilisation_ratio,
    cast(null as decimal(38, 12)) as deployment_cost
from spread
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
    billing_period as told_in,
    cast(null as decimal(38, 12)) as billed_purchase_cost,
    cast(null as boolean) as is_stated,
    cast(null as decimal(38, 12)) as purchased_cost,
    cast(null as decimal(38, 12)) as used_cost,
    cast(null as decimal(38, 12)) as unused_cost,
    cast(null as decimal(38, 12)) as unexplained_cost,
    cast(null as decimal(38, 12)) as terms_cost,
    utilisation_ratio,
    deployment_cost
from provisioned_deployments
