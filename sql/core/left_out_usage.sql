-- What a usage report calls left out is not where some bill of the provider has lines of its tier: another interface of
-- the same provider may tell what this one does not.
with billed as (
    select distinct
        x_slice_date as billing_period,
        provider_name,
        x_service_tier as service_tier
    from charges
    where x_service_tier is not null
),

providers as (
    select
        source_provider,
        min(provider_id) as provider_id
    from model_identity
    group by source_provider
),

counted as (
    select
        cast(date_trunc('month', usage_date) as date) as billing_period,
        provider_name,
        model,
        service_tier,
        sum(
            coalesce(input_uncached_tokens, 0)
            + coalesce(cache_read_tokens, 0)
            + coalesce(cache_write_5m_tokens, 0)
            + coalesce(cache_write_1h_tokens, 0)
            + coalesce(input_audio_tokens, 0)
            + coalesce(output_text_tokens, 0)
            + coalesce(output_reasoning_tokens, 0)
            + coalesce(output_audio_tokens, 0)
        ) as tokens
    from provider_usage
    where left_out_of_bill is not null
    group by cast(date_trunc('month', usage_date) as date), provider_name, model, service_tier
)

select
    counted.billing_period,
    coalesce(model_identity.provider_id, providers.provider_id, lower(counted.provider_name)) as provider_id,
    cast(sum(counted.tokens) as bigint) as left_out_tokens
from counted
left join billed
    on
        counted.billing_period = billed.billing_period
        and counted.provider_name = billed.provider_name
        and counted.service_tier = billed.service_tier
left join model_identity
    on counted.provider_name = model_identity.source_provider and counted.model = model_identity.source_model
left join providers on counted.provider_name = providers.source_provider
where billed.service_tier is null
group by
    counted.billing_period,
    coalesce(model_identity.provider_id, providers.provider_id, lower(counted.provider_name))
