-- The heavy path ends here: one streaming aggregation over the priced view, its memory bounded by the groups.
-- Self-hosted attempts are not unpriced: their cost is that of the GPUs.
select
    usage_date,
    x_source,
    coalesce(provider_id, 'unknown') as provider_id,
    coalesce(model_id, billed_model, 'unknown') as model_id,
    is_self_hosted,
    coalesce(gateway_team_id, '') as gateway_team_id,
    coalesce(key_id, '') as key_id,
    coalesce(key_alias, '') as key_alias,
    coalesce(feature, '') as feature,
    coalesce(environment, '') as environment,
    service_tier,
    price_region_id,
    count(*) as request_count,
    count(*) filter (where status = 'failure') as failure_count,
    count(*) filter (where is_cache_hit) as cache_hit_count,
    count(*) filter (
        where pricing_status in ('no_usage', 'unknown_model', 'no_price', 'unknown_region')
    ) as unpriced_count,
    coalesce(cast(sum(input_uncached_tokens) filter (where not is_cache_hit) as bigint), 0) as input_uncached_tokens,
    coalesce(cast(sum(cache_read_tokens) filter (where not is_cache_hit) as bigint), 0) as cache_read_tokens,
    coalesce(cast(sum(cache_write_5m_tokens) filter (where not is_cache_hit) as bigint), 0) as cache_write_5m_tokens,
    coalesce(cast(sum(cache_write_1h_tokens) filter (where not is_cache_hit) as bigint), 0) as cache_write_1h_tokens,
    coalesce(cast(sum(input_audio_tokens) filter (where not is_cache_hit) as bigint), 0) as input_audio_tokens,
    coalesce(cast(sum(output_text_tokens) filter (where not is_cache_hit) as bigint), 0) as output_text_tokens,
    coalesce(cast(sum(output_reasoning_tokens) filter (where not is_cache_hit) as bigint), 0)
        as output_reasoning_tokens,
    coalesce(cast(sum(output_audio_tokens) filter (where not is_cache_hit) as bigint), 0) as output_audio_tokens,
    cast(
        coalesce(
            sum(
                coalesce(input_uncached_tokens, 0)
                + coalesce(cache_read_tokens, 0)
                + coalesce(cache_write_5m_tokens, 0)
                + coalesce(cache_write_1h_tokens, 0)
                + coalesce(input_audio_tokens, 0)
                + coalesce(output_text_tokens, 0)
                + coalesce(output_reasoning_tokens, 0)
                + coalesce(output_audio_tokens, 0)
            ) filter (where pricing_status in ('no_usage', 'unknown_model', 'no_price', 'unknown_region')),
            0
        ) as bigint
    ) as unpriced_tokens,
    cast(
        coalesce(
            sum(
                coalesce(output_text_tokens, 0)
                + coalesce(output_reasoning_tokens, 0)
                + coalesce(output_audio_tokens, 0)
            ) filter (where pricing_status in ('no_usage', 'unknown_model', 'no_price', 'unknown_region')),
            0
        ) as bigint
    ) as unpriced_output_tokens,
    cast(
        coalesce(
            sum(
                coalesce(input_uncached_tokens, 0)
                + coalesce(cache_read_tokens, 0)
                + coalesce(cache_write_5m_tokens, 0)
                + coalesce(cache_write_1h_tokens, 0)
                + coalesce(input_audio_tokens, 0)
                + coalesce(output_text_tokens, 0)
                + coalesce(output_reasoning_tokens, 0)
                + coalesce(output_audio_tokens, 0)
            ) filter (where pricing_status = 'unknown_region'),
            0
        ) as bigint
    ) as unknown_region_tokens,
    sum(cast(priced_cost_usd as decimal(38, 12))) as priced_cost_usd,
    sum(cast(source_reported_cost_usd as decimal(38, 12))) as source_reported_cost_usd
from priced_requests
group by
    usage_date,
    x_source,
    coalesce(provider_id, 'unknown'),
    coalesce(model_id, billed_model, 'unknown'),
    is_self_hosted,
    coalesce(gateway_team_id, ''),
    coalesce(key_id, ''),
    coalesce(key_alias, ''),
    coalesce(feature, ''),
    coalesce(environment, ''),
    service_tier,
    price_region_id
