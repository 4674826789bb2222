-- A reading of a list may hold a price's successor too: the one that is in force when the day ends counts, once,
-- however many sources read the same list.
-- What is paid upfront is spread in whole numbers, so that no engine rounds otherwise: the whole units are divided by
-- the hours, then what is left of them together with the fraction, in units of the twelfth place.
with listed as (
    select
        x_slice_date as usage_date,
        provider_name,
        coalesce(region_id, '') as region_id,
        coalesce(instance_type, '') as instance_type,
        gpu_count,
        gpu_model_name,
        coalesce(sku_description, '') as product,
        sku_id,
        coalesce(sku_price_id, '') as sku_price_id,
        purchase_option,
        coalesce(term_months, 0) as term_months,
        coalesce(payment_option, '') as payment_option,
        currency,
        unit_price,
        upfront_price,
        valid_from,
        x_source,
        x_page,
        x_row
    from sku_prices
    where
        (instance_type is not null or gpu_model_name is not null)
        and x_model_id is null
        and lower(pricing_unit) in ('hour', 'hours')
        and quantity_from = 0
        and (valid_from is null or valid_from < cast(x_slice_date + interval 1 day as timestamp))
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                usage_date, provider_name, region_id, instance_type, product, sku_id, sku_price_id, purchase_option,
                term_months, payment_option, currency
            order by
                coalesce(valid_from, cast('1970-01-01 00:00:00' as timestamp)) desc,
                x_source asc, x_page asc, x_row asc
        ) as age
    from listed
),

in_force as (
    select
        *,
        730 * term_months as term_hours,
        cast(floor(coalesce(upfront_price, 0)) as bigint) as upfront_whole,
        cast(
            cast(
                coalesce(upfront_price, 0)
                - cast(floor(coalesce(upfront_price, 0)) as decimal(19, 0)) as decimal(19, 12)
            ) * cast('1000000000000' as decimal(13, 0)) as bigint
        ) as upfront_rest
    from ranked
    where age = 1
),

list_prices as (
    select
        *,
        case
            when term_hours > 0
                then
                    unit_price
                    + cast(upfront_whole // term_hours as decimal(19, 0))
                    + cast(
                        cast(
                            ((upfront_whole % term_hours) * 1000000000000 + upfront_rest + term_hours // 2)
                            // term_hours as decimal(19, 0)
                        ) * cast('0.000000000001' as decimal(12, 12)) as decimal(31, 12)
                    )
            when upfront_price is null or upfront_price = 0 then unit_price
        end as price_per_hour
    from in_force
)

select
    usage_date,
    provider_name,
    region_id,
    '' as availability_zone,
    '' as availability_zone_id,
    instance_type,
    gpu_count,
    gpu_model_name,
    product,
    sku_id,
    sku_price_id,
    purchase_option,
    term_months,
    payment_option,
    currency,
    unit_price,
    upfront_price,
    price_per_hour,
    cast(null as decimal(38, 6)) as known_seconds,
    valid_from
from list_prices
union all
select
    usage_date,
    provider_name,
    region_id,
    availability_zone,
    availability_zone_id,
    instance_type,
    cast(null as bigint) as gpu_count,
    cast(null as varchar) as gpu_model_name,
    product_description as product,
    '' as sku_id,
    '' as sku_price_id,
    'spot' as purchase_option,
    0 as term_months,
    '' as payment_option,
    currency,
    mean_unit_price as unit_price,
    cast(null as decimal(38, 12)) as upfront_price,
    mean_unit_price as price_per_hour,
    known_seconds,
    cast(null as timestamp) as valid_from
from spot_price_means
