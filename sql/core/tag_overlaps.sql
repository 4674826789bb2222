-- A sum of costs by tag has every request as often as it has tags. Requests with one tag or none are not here.
select
    usage_date,
    x_source,
    provider_id,
    model_id,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    cast(sum(request_count) as bigint) as request_count,
    cast(sum(request_count * tag_count) as bigint) as tag_count,
    cast(sum(input_uncached_tokens) as bigint) as input_uncached_tokens,
    cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
    cast(sum(cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
    cast(sum(input_audio_tokens) as bigint) as input_audio_tokens,
    cast(sum(output_text_tokens) as bigint) as output_text_tokens,
    cast(sum(output_reasoning_tokens) as bigint) as output_reasoning_tokens,
    cast(sum(output_audio_tokens) as bigint) as output_audio_tokens,
    sum(priced_cost_usd) as priced_cost_usd,
    sum(cast(cast(priced_cost_usd as decimal(28, 12)) * cast(tag_count as decimal(9, 0)) as decimal(38, 12)))
        as tagged_cost_usd
from usage_sums
where summed_by = 'name' and not is_cache_hit and tag_count > 1
group by
    usage_date,
    x_source,
    provider_id,
    model_id,
    gateway_team_id,
    key_id,
    key_alias,
    feature
