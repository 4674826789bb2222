-- Bills name the account that a unit is deployed in and, by the meter, how far the deployment reaches: the connector
-- reads the meter's words; of lines that were staged before it told, the plain ones say it. Where an account has one
-- deployment of that reach, its lines are that deployment's; where it has several, nobody says whose.
with described as (
    select
        cast(date_trunc('month', x_slice_date) as date) as billing_period,
        *,
        row_number() over (
            partition by provider_name, commitment_discount_id, date_trunc('month', x_slice_date)
            order by x_slice_date desc, x_source desc, x_page desc, x_row desc
        ) as age
    from commitment_terms
    where payment_option = 'hourly'
),

latest as (
    select *
    from described
    where age = 1
),

measured as (
    select
        cast(date_trunc('month', usage_date) as date) as billing_period,
        provider_name,
        lower(resource_id) as resource_id,
        concat(lower(resource_id), '/deployments/', lower(deployment_id)) as deployment_id,
        max(deployment_id) as deployment_name,
        max(region_id) as region_id,
        max(model) as model,
        count(distinct usage_start) as measured_hours,
        avg(utilisation_ratio) as utilisation_ratio
    from provider_usage
    where utilisation_ratio is not null and resource_id is not null and deployment_id is not null
    group by
        cast(date_trunc('month', usage_date) as date),
        provider_name,
        lower(resource_id),
        concat(lower(resource_id), '/deployments/', lower(deployment_id))
),

deployed as (
    select
        coalesce(latest.billing_period, measured.billing_period) as billing_period,
        coalesce(latest.provider_name, measured.provider_name) as provider_name,
        coalesce(latest.commitment_discount_id, measured.deployment_id) as deployment_id,
        coalesce(latest.resource_id, measured.resource_id) as resource_id,
        coalesce(latest.commitment_discount_name, measured.deployment_name) as deployment_name,
        latest.scope,
        coalesce(latest.region_id, measured.region_id) as region_id,
        coalesce(latest.instance_type, measured.model) as model,
        latest.quantity as provisioned_units,
        latest.quantity_unit as unit_name,
        latest.term_start as created_at,
        latest.state,
        measured.measured_hours,
        measured.utilisation_ratio
    from latest
    full outer join measured
        on
            latest.billing_period = measured.billing_period
            and latest.provider_name = measured.provider_name
            and latest.commitment_discount_id = measured.deployment_id
),

neighbours as (
    select
        billing_period,
        provider_name,
        resource_id,
        count(*) as deployments,
        count(distinct scope) as scopes
    from deployed
    group by billing_period, provider_name, resource_id
),

lines as (
    select
        x_slice_date as billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        lower(resource_id) as resource_id,
        coalesce(
            json_extract_string(x_extra, '$.x_deployment_scope'),
            case
                when lower(sku_meter) like '%global%' or lower(sku_meter) like '%glbl%' then 'Global'
                when lower(sku_meter) like '%data zone%' or lower(sku_meter) like '%datazone%' then 'Data Zone'
                else 'Regional'
            end
        ) as scope,
        effective_cost
    from charges
    where
        x_purchase_option = 'provisioned'
        and charge_category = 'Usage'
        and coalesce(commitment_discount_status, 'Used') <> 'Unused'
        and resource_id is not null
),

billed as (
    select
        billing_period,
        provider_name,
        billing_account_id,
        billing_currency,
        resource_id,
        scope,
        sum(effective_cost) as deployment_cost
    from lines
    group by billing_period, provider_name, billing_account_id, billing_currency, resource_id, scope
)

select
    deployed.billing_period,
    deployed.provider_name,
    deployed.deployment_id,
    coalesce(billed.billing_account_id, '') as billing_account_id,
    coalesce(billed.billing_currency, '') as billing_currency,
    deployed.resource_id,
    deployed.deployment_name,
    deployed.scope,
    deployed.region_id,
    deployed.model,
    deployed.provisioned_units,
    deployed.unit_name,
    deployed.created_at,
    deployed.state,
    deployed.measured_hours,
    deployed.utilisation_ratio,
    billed.deployment_cost
from deployed
left join neighbours
    on
        deployed.billing_period = neighbours.billing_period
        and deployed.provider_name = neighbours.provider_name
        and deployed.resource_id = neighbours.resource_id
left join billed
    on
        deployed.billing_period = billed.billing_period
        and deployed.provider_name = billed.provider_name
        and deployed.resource_id = billed.resource_id
        and deployed.scope = billed.scope
        -- every deployment of the account has a reach of its own
        and neighbours.deployments = neighbours.scopes
