-- A recurring fee says what an hour costs where its line covers one hour, or all of the month that lies in the term:
-- some bills give a month's payment the day on which it was due, and that day's hours are not what was paid for.
with told as (
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

bought as (
    select
        charges.x_slice_date as billing_period,
        charges.provider_name,
        charges.billing_account_id,
        charges.billing_currency,
        charges.commitment_discount_id,
        charges.charge_period_start,
        charges.charge_period_end,
        charges.billed_cost,
        charges.commitment_discount_status,
        charges.commitment_discount_quantity,
        charges.commitment_discount_unit,
        charges.charge_period_end = charges.charge_period_start + interval 1 hour as is_hour,
        greatest(charges.billing_period_start, coalesce(told.term_start, charges.billing_period_start)) as covered_from,
        least(charges.billing_period_end, coalesce(told.term_end, charges.billing_period_end)) as covered_to
    from charges
    inner join told
        on
            charges.x_slice_date = told.billing_period
            and charges.provider_name = told.provider_name
            and charges.billing_account_id = told.billing_account_id
            and charges.billing_currency = told.billing_currency
            and charges.commitment_discount_id = told.commitment_discount_id
    where charges.charge_category = 'Purchase' and charges.charge_frequency = 'Recurring'
),

stretches as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        charge_period_start,
        case
            when is_hour then 1
            when covered_to > covered_from then (cast(epoch(covered_to) - epoch(covered_from) as bigint) + 3599) // 3600
        end as hours,
        sum(billed_cost) as cost,
        case
            when
                is_hour
                and count(*) = count(case when commitment_discount_status is null then commitment_discount_quantity end)
                then sum(commitment_discount_quantity)
        end as quantity,
        min(commitment_discount_unit) as first_unit,
        max(commitment_discount_unit) as last_unit
    from bought
    where
        is_hour
        or (charge_period_start <= covered_from and charge_period_end + interval 1 second >= covered_to)
    group by
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        charge_period_start,
        is_hour,
        covered_from,
        covered_to
),

split_costs as (
    select
        *,
        cast(floor(cost) as bigint) as whole,
        cast(
            cast(cast(cost as decimal(37, 12)) - cast(floor(cost) as decimal(19, 0)) as decimal(19, 12))
            * cast('1000000000000' as decimal(13, 0)) as bigint
        ) as rest
    from stretches
),

per_hour as (
    select
        *,
        case
            when hours = 1 then cost
            when hours > 1 and cost >= 0
                then
                    cast(
                        cast(whole // hours as decimal(19, 0))
                        + cast(
                            cast(
                                ((whole % hours) * 1000000000000 + rest + hours // 2) // hours as decimal(19, 0)
                            ) * cast('0.000000000001' as decimal(12, 12)) as decimal(31, 12)
                        ) as decimal(38, 12)
                    )
        end as hourly_cost
    from split_costs
),

hourly as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        case when count(*) = count(hourly_cost) and min(hourly_cost) = max(hourly_cost) then min(hourly_cost) end
            as hourly_cost,
        case
            when count(*) = count(quantity) and min(quantity) = max(quantity) and min(first_unit) = max(last_unit)
                then min(quantity)
        end as quantity,
        min(first_unit) as quantity_unit
    from per_hour
    group by billing_period, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

listed as (
    select
        cast(date_trunc('month', x_slice_date) as date) as billing_period,
        *,
        row_number() over (
            partition by provider_name, commitment_discount_id, date_trunc('month', x_slice_date)
            order by x_slice_date desc, x_source desc, x_page desc, x_row desc
        ) as age
    from commitment_terms
    where payment_option is distinct from 'hourly'
)

select
    told.billing_period,
    'bill' as told_by,
    told.provider_name,
    told.billing_account_id,
    told.billing_currency,
    told.commitment_discount_id,
    told.commitment_discount_name,
    told.commitment_discount_type,
    told.commitment_discount_category,
    cast(null as varchar) as scope,
    told.region_id,
    cast(null as varchar) as instance_type,
    hourly.quantity,
    case when hourly.quantity is not null then hourly.quantity_unit end as quantity_unit,
    told.term_start,
    told.term_end,
    told.payment_option,
    hourly.hourly_cost,
    told.upfront_cost,
    cast(null as varchar) as state
from told
left join hourly
    on
        told.billing_period = hourly.billing_period
        and told.provider_name = hourly.provider_name
        and told.billing_account_id = hourly.billing_account_id
        and told.billing_currency = hourly.billing_currency
        and told.commitment_discount_id = hourly.commitment_discount_id
union all
select
    billing_period,
    'list' as told_by,
    provider_name,
    '' as billing_account_id,
    coalesce(currency, '') as billing_currency,
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
    state
from listed
where age = 1
