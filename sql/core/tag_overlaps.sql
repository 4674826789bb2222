-- A sum of costs by tag has every request as often as it has tags. Requests with one tag or none are not here.
with tagged as (
    select
        *,
        cast(json_array_length(tags) as bigint) as tag_count
    from priced_requests
    where not is_cache_hit and tags like '%","%'
)

select
    usage_date,
    x_source,
    coalesce(provider_id, 'unknown') as provider_id,
    coalesce(model_id, billed_model, 'unknown') as model_id,
    coalesce(gateway_team_id, '') as gateway_team_id,
    coalesce(key_id, '') as key_id,
    coalesce(key_alias, '') as key_alias,
    coalesce(feature, '') as feature,
    count(*) as request_count,
    cast(sum(tag_count) as bigint) as tag_count,
    coalesce(cast(sum(input_uncached_tokens) as bigint), 0) as input_uncached_tokens,
    coalesce(cast(sum(cache_read_tokens) as bigint), 0) as cache_read_tokens,
    coalesce(cast(sum(cache_write_5m_tokens) as bigint), 0) as cache_write_5m_tokens,
    coalesce(cast(sum(cache_write_1h_tokens) as bigint), 0) as cache_write_1h_tokens,
    coalesce(cast(sum(input_audio_tokens) as bigint), 0) as input_audio_tokens,
    coalesce(cast(sum(output_text_tokens) as bigint), 0) as output_text_tokens,
    coalesce(cast(sum(output_reasoning_tokens) as bigint), 0) as output_reasoning_tokens,
    coalesce(cast(sum(output_audio_tokens) as bigint), 0) as output_audio_tokens,
    sum(cast(priced_cost_usd as decimal(38, 12))) as priced_cost_usd,
    sum(cast(priced_cost_usd as decimal(38, 12)) * cast(tag_count as decimal(9, 0))) as tagged_cost_usd
from tagged
where tag_count > 1
group by
    usage_date,
    x_source,
    coalesce(provider_id, 'unknown'),
    coalesce(model_id, billed_model, 'unknown'),
    coalesce(gateway_team_id, ''),
    coalesce(key_id, ''),
    coalesce(key_alias, ''),
    coalesce(feature, '')
