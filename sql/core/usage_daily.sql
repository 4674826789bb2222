-- What counts of the sums by name is chosen here. Self-hosted attempts wait for no price: their cost is that of the
-- GPUs, and those of which nobody knows it are counted apart.
with judged as (
    select
        *,
        pricing_status in ('no_usage', 'unknown_model', 'no_price', 'unknown_region') as is_unpriced,
        output_text_tokens + output_reasoning_tokens + output_audio_tokens as output_tokens,
        input_uncached_tokens
        + cache_read_tokens
        + cache_write_5m_tokens
        + cache_write_1h_tokens
        + input_audio_tokens
        + output_text_tokens
        + output_reasoning_tokens
        + output_audio_tokens as bucket_tokens
    from usage_sums
    where summed_by = 'name'
)

select
    usage_date,
    x_source,
    provider_id,
    model_id,
    is_self_hosted,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    environment,
    service_tier,
    price_region_id,
    cast(sum(request_count) as bigint) as request_count,
    cast(coalesce(sum(request_count) filter (where status = 'failure'), 0) as bigint) as failure_count,
    cast(coalesce(sum(request_count) filter (where is_cache_hit), 0) as bigint) as cache_hit_count,
    cast(coalesce(sum(request_count) filter (where is_unpriced), 0) as bigint) as unpriced_count,
    cast(coalesce(sum(request_count) filter (where pricing_status = 'self_hosted'), 0) as bigint)
        as unpriced_self_hosted_count,
    cast(coalesce(sum(input_uncached_tokens) filter (where not is_cache_hit), 0) as bigint) as input_uncached_tokens,
    cast(coalesce(sum(cache_read_tokens) filter (where not is_cache_hit), 0) as bigint) as cache_read_tokens,
    cast(coalesce(sum(cache_write_5m_tokens) filter (where not is_cache_hit), 0) as bigint) as cache_write_5m_tokens,
    cast(coalesce(sum(cache_write_1h_tokens) filter (where not is_cache_hit), 0) as bigint) as cache_write_1h_tokens,
    cast(coalesce(sum(input_audio_tokens) filter (where not is_cache_hit), 0) as bigint) as input_audio_tokens,
    cast(coalesce(sum(output_text_tokens) filter (where not is_cache_hit), 0) as bigint) as output_text_tokens,
    cast(coalesce(sum(output_reasoning_tokens) filter (where not is_cache_hit), 0) as bigint)
        as output_reasoning_tokens,
    cast(coalesce(sum(output_audio_tokens) filter (where not is_cache_hit), 0) as bigint) as output_audio_tokens,
    cast(coalesce(sum(bucket_tokens) filter (where is_unpriced), 0) as bigint) as unpriced_tokens,
    cast(coalesce(sum(output_tokens) filter (where is_unpriced), 0) as bigint) as unpriced_output_tokens,
    cast(coalesce(sum(bucket_tokens) filter (where pricing_status = 'unknown_region'), 0) as bigint)
        as unknown_region_tokens,
    sum(priced_cost_usd) as priced_cost_usd,
    sum(source_reported_cost_usd) as source_reported_cost_usd,
    sum(avoided_cost_usd) as avoided_cost_usd
from judged
group by
    usage_date,
    x_source,
    provider_id,
    model_id,
    is_self_hosted,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    environment,
    service_tier,
    price_region_id
