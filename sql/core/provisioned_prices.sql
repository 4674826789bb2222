-- Lists price a unit by how far its deployment reaches, and by no model. As in provisioned_deployments, the connector
-- says how far where it reads the meter, else plain words do. Of several prices of a unit the one in force when the day
-- ends counts, once.
with listed as (
    select
        x_slice_date as usage_date,
        provider_name,
        coalesce(region_id, '') as region_id,
        coalesce(
            json_extract_string(x_extra, '$.deployment_scope'),
            case
                when lower(sku_description) like '%global%' or lower(sku_description) like '%glbl%' then 'Global'
                when
                    lower(sku_description) like '%data zone%' or lower(sku_description) like '%datazone%'
                    then 'Data Zone'
                else 'Regional'
            end
        ) as scope,
        purchase_option,
        coalesce(term_months, 0) as term_months,
        sku_id,
        coalesce(sku_price_id, '') as sku_price_id,
        currency,
        unit_price,
        upfront_price,
        valid_from,
        x_source,
        x_page,
        x_row
    from sku_prices
    where
        x_service_tier = 'provisioned'
        and purchase_option in ('provisioned', 'reserved')
        and lower(pricing_unit) in ('hour', 'hours')
        and quantity_from = 0
        and (valid_from is null or valid_from < cast(x_slice_date + interval 1 day as timestamp))
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                usage_date, provider_name, region_id, scope, purchase_option, term_months, sku_id, sku_price_id,
                currency
            order by
                coalesce(valid_from, cast('1970-01-01 00:00:00' as timestamp)) desc,
                x_source asc, x_page asc, x_row asc
        ) as age
    from listed
)

select
    usage_date,
    provider_name,
    region_id,
    scope,
    purchase_option,
    term_months,
    sku_id,
    sku_price_id,
    currency,
    unit_price,
    upfront_price
from ranked
where age = 1
