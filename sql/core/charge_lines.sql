-- How capacity was bought is the connector's word, else what FOCUS's pricing category means in those words.
-- The join that names the model matches at most once and drops nothing.
-- The id is a digest of the dimensions, of unused commitments only where a line is of one; '=' before a present value
-- keeps NULL apart from the empty string, and the separator keeps neighbours apart. The slice is the one that the
-- delivery replaces, whatever the lines say.
with lines as (
    select
        charges.x_slice_date as billing_period,
        charges.charge_period_start as charge_start,
        charges.charge_period_end as charge_end,
        cast(charges.charge_period_start as date) as charge_date,
        charges.x_source,
        charges.billing_account_id,
        charges.provider_name,
        charges.invoice_id,
        charges.sub_account_id,
        charges.billing_currency,
        charges.charge_category,
        charges.charge_class,
        charges.service_name,
        charges.service_category,
        charges.resource_id,
        charges.tags,
        model_identity.provider_id,
        model_identity.model_id,
        charges.x_token_class as token_class,
        charges.x_service_tier as service_tier,
        coalesce(
            charges.x_purchase_option,
            case
                when charges.pricing_category = 'Standard' then 'on_demand'
                when charges.pricing_category = 'Dynamic' then 'spot'
                when charges.pricing_category = 'Committed' and charges.commitment_discount_category = 'Spend'
                    then 'savings_plan'
                when charges.pricing_category = 'Committed' then 'reserved'
            end
        ) as purchase_option,
        case
            when charges.commitment_discount_status = 'Unused' then coalesce(charges.commitment_discount_id, '')
        end as unused_commitment_id,
        charges.consumed_unit,
        charges.consumed_quantity,
        charges.billed_cost,
        charges.effective_cost,
        charges.x_page,
        charges.x_row
    from charges
    left join model_identity
        on
            charges.provider_name = model_identity.source_provider
            and charges.x_model_id = model_identity.source_model
)

select
    md5(
        concat_ws(
            '~',
            cast(billing_period as varchar),
            cast(charge_start as varchar),
            cast(charge_end as varchar),
            cast(charge_date as varchar),
            x_source,
            billing_account_id,
            provider_name,
            coalesce('=' || invoice_id, ''),
            coalesce('=' || sub_account_id, ''),
            billing_currency,
            charge_category,
            coalesce('=' || charge_class, ''),
            service_name,
            coalesce('=' || service_category, ''),
            coalesce('=' || resource_id, ''),
            coalesce('=' || tags, ''),
            coalesce('=' || provider_id, ''),
            coalesce('=' || model_id, ''),
            coalesce('=' || token_class, ''),
            coalesce('=' || service_tier, ''),
            coalesce('=' || purchase_option, ''),
            coalesce('=' || consumed_unit, ''),
            'unused=' || unused_commitment_id
        )
    ) as charge_group_id,
    billing_period,
    charge_start,
    charge_end,
    charge_date,
    x_source,
    billing_account_id,
    provider_name,
    invoice_id,
    sub_account_id,
    billing_currency,
    charge_category,
    charge_class,
    service_name,
    service_category,
    resource_id,
    tags,
    provider_id,
    model_id,
    token_class,
    service_tier,
    purchase_option,
    unused_commitment_id,
    consumed_quantity,
    consumed_unit,
    billed_cost,
    effective_cost,
    x_page,
    x_row
from lines
