-- The pivot stands on elementary stretches: they never overlap, and a request finds at most one row.
select
    provider_id,
    model_id,
    service_tier,
    region_id,
    input_tokens_from,
    input_tokens_to,
    valid_from,
    valid_to,
    max(case when token_class = 'input_uncached' then usd_per_token end) as input_uncached_usd_per_token,
    max(case when token_class = 'cache_read' then usd_per_token end) as cache_read_usd_per_token,
    max(case when token_class = 'cache_write_5m' then usd_per_token end) as cache_write_5m_usd_per_token,
    max(case when token_class = 'cache_write_1h' then usd_per_token end) as cache_write_1h_usd_per_token,
    max(case when token_class = 'input_audio' then usd_per_token end) as input_audio_usd_per_token,
    max(case when token_class = 'output_text' then usd_per_token end) as output_text_usd_per_token,
    max(case when token_class = 'output_reasoning' then usd_per_token end) as output_reasoning_usd_per_token,
    max(case when token_class = 'output_audio' then usd_per_token end) as output_audio_usd_per_token,
    bool_or(is_ambiguous) as is_ambiguous
from agreed_prices
where known_to = cast('9999-12-31 00:00:00' as timestamp)
group by
    provider_id, model_id, service_tier, region_id, input_tokens_from, input_tokens_to, valid_from, valid_to
