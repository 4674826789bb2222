-- The left side is added up from charges, past all that spreads them over hours; the right side from the hours. Where
-- every line of a commitment covers no more than one hour, there is nothing to spread: each hour is compared as well.
with stated as (
    select
        x_slice_date as billing_period,
        x_source,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        sum(case when charge_category = 'Purchase' then billed_cost else cast(0 as decimal(38, 12)) end)
            as billed_purchase_cost,
        sum(x_commitment_cost) as stated_cost,
        sum(case when commitment_discount_status = 'Used' then effective_cost else cast(0 as decimal(38, 12)) end)
            as used_cost,
        sum(case when commitment_discount_status = 'Unused' then effective_cost else cast(0 as decimal(38, 12)) end)
            as unused_cost
    from charges
    where commitment_discount_id is not null
    group by
        x_slice_date, x_source, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

spread as (
    select
        billing_period,
        x_source,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        sum(purchased_cost) as purchased_cost,
        sum(used_cost) as used_cost,
        sum(unused_cost) as unused_cost
    from commitment_hours
    group by
        billing_period, x_source, provider_name, billing_account_id, billing_currency, commitment_discount_id
),

hourly as (
    select
        billing_period,
        x_source,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id
    from commitment_lines
    group by
        billing_period, x_source, provider_name, billing_account_id, billing_currency, commitment_discount_id
    having max(case when period_end > date_trunc('hour', period_start) + interval 1 hour then 1 else 0 end) = 0
),

lines_by_hour as (
    select
        lines.billing_period,
        lines.x_source,
        lines.provider_name,
        lines.billing_account_id,
        lines.billing_currency,
        lines.commitment_discount_id,
        date_trunc('hour', lines.period_start) as hour_start,
        sum(lines.used_cost) as used_cost,
        sum(lines.unused_cost) as unused_cost
    from commitment_lines as lines
    inner join hourly
        on
            lines.billing_period = hourly.billing_period
            and lines.x_source = hourly.x_source
            and lines.provider_name = hourly.provider_name
            and lines.billing_account_id = hourly.billing_account_id
            and lines.billing_currency = hourly.billing_currency
            and lines.commitment_discount_id = hourly.commitment_discount_id
    group by
        lines.billing_period,
        lines.x_source,
        lines.provider_name,
        lines.billing_account_id,
        lines.billing_currency,
        lines.commitment_discount_id,
        date_trunc('hour', lines.period_start)
),

compared as (
    select
        coalesce(hours.billing_period, lines_by_hour.billing_period) as billing_period,
        coalesce(hours.x_source, lines_by_hour.x_source) as x_source,
        coalesce(hours.provider_name, lines_by_hour.provider_name) as provider_name,
        coalesce(hours.billing_account_id, lines_by_hour.billing_account_id) as billing_account_id,
        coalesce(hours.billing_currency, lines_by_hour.billing_currency) as billing_currency,
        coalesce(hours.commitment_discount_id, lines_by_hour.commitment_discount_id) as commitment_discount_id,
        case
            when hours.hour_start is null then 1
            when hours.used_cost + hours.unused_cost + hours.unexplained_cost <> hours.purchased_cost then 1
            when lines_by_hour.hour_start is null then 0
            when
                hours.used_cost <> lines_by_hour.used_cost or hours.unused_cost <> lines_by_hour.unused_cost
                then 1
            else 0
        end as is_broken
    from commitment_hours as hours
    full outer join lines_by_hour
        on
            hours.billing_period = lines_by_hour.billing_period
            and hours.x_source = lines_by_hour.x_source
            and hours.provider_name = lines_by_hour.provider_name
            and hours.billing_account_id = lines_by_hour.billing_account_id
            and hours.billing_currency = lines_by_hour.billing_currency
            and hours.commitment_discount_id = lines_by_hour.commitment_discount_id
            and hours.hour_start = lines_by_hour.hour_start
),

broken as (
    select
        billing_period,
        x_source,
        provider_name,
        billing_account_id,
        billing_currency,
        commitment_discount_id,
        sum(is_broken) as broken_hours
    from compared
    group by
        billing_period, x_source, provider_name, billing_account_id, billing_currency, commitment_discount_id
)

select
    coalesce(stated.billing_period, spread.billing_period) as billing_period,
    coalesce(stated.x_source, spread.x_source) as x_source,
    coalesce(stated.provider_name, spread.provider_name) as provider_name,
    coalesce(stated.billing_account_id, spread.billing_account_id) as billing_account_id,
    coalesce(stated.billing_currency, spread.billing_currency) as billing_currency,
    coalesce(stated.commitment_discount_id, spread.commitment_discount_id) as commitment_discount_id,
    stated.billed_purchase_cost,
    stated.stated_cost is not null as is_stated,
    coalesce(stated.stated_cost, stated.used_cost + stated.unused_cost) as purchased_cost,
    stated.used_cost,
    stated.unused_cost,
    coalesce(stated.stated_cost, stated.used_cost + stated.unused_cost) - stated.used_cost - stated.unused_cost
        as unexplained_cost,
    spread.purchased_cost as hours_purchased_cost,
    spread.used_cost as hours_used_cost,
    spread.unused_cost as hours_unused_cost,
    cast(coalesce(broken.broken_hours, 0) as bigint) as broken_hours
from stated
full outer join spread
    on
        stated.billing_period = spread.billing_period
        and stated.x_source = spread.x_source
        and stated.provider_name = spread.provider_name
        and stated.billing_account_id = spread.billing_account_id
        and stated.billing_currency = spread.billing_currency
        and stated.commitment_discount_id = spread.commitment_discount_id
left join broken
    on
        coalesce(stated.billing_period, spread.billing_period) = broken.billing_period
        and coalesce(stated.x_source, spread.x_source) = broken.x_source
        and coalesce(stated.provider_name, spread.provider_name) = broken.provider_name
        and coalesce(stated.billing_account_id, spread.billing_account_id) = broken.billing_account_id
        and coalesce(stated.billing_currency, spread.billing_currency) = broken.billing_currency
        and coalesce(stated.commitment_discount_id, spread.commitment_discount_id) = broken.commitment_discount_id
