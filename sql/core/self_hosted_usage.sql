-- Own models know two prices, that of a prompt's token and that of a generated one: the classes are summed to these.
-- An attempt that failed before any part of an answer came was measured in full: it used nothing.
select
    gateway_requests.usage_date,
    model_identity.model_id,
    count(*) as request_count,
    count(*) - count(gateway_requests.output_text_tokens) as unmeasured_count,
    cast(coalesce(sum(
        gateway_requests.input_uncached_tokens
        + gateway_requests.cache_write_5m_tokens
        + gateway_requests.cache_write_1h_tokens
        + gateway_requests.input_audio_tokens
    ), 0) as bigint) as input_uncached_tokens,
    cast(coalesce(sum(gateway_requests.cache_read_tokens), 0) as bigint) as cache_read_tokens,
    cast(coalesce(sum(
        gateway_requests.output_text_tokens
        + gateway_requests.output_reasoning_tokens
        + gateway_requests.output_audio_tokens
    ), 0) as bigint) as output_tokens
from gateway_requests
left join second_sightings
    on
        gateway_requests.x_source = second_sightings.x_source
        and gateway_requests.x_page = second_sightings.x_page
        and gateway_requests.x_row = second_sightings.x_row
inner join model_identity
    on
        coalesce(gateway_requests.provider, '') = model_identity.source_provider
        and gateway_requests.billed_model = model_identity.source_model
where
    second_sightings.x_row is null
    and model_identity.is_self_hosted
    and not coalesce(gateway_requests.is_cache_hit, false)
    and not coalesce(
        gateway_requests.status = 'failure'
        and gateway_requests.output_text_tokens is null
        and not coalesce(gateway_requests.has_begun, false),
        false
    )
group by gateway_requests.usage_date, model_identity.model_id
