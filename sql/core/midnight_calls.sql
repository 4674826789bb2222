-- Ten minutes before and after midnight: who tries again does so within them.
select
    usage_date,
    started_at,
    latency_seconds,
    request_id,
    attempt_group_id,
    status,
    provider_id,
    model_id,
    billed_model,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    input_uncached_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    input_audio_tokens,
    output_text_tokens,
    output_reasoning_tokens,
    output_audio_tokens,
    priced_cost_usd,
    x_source,
    x_page,
    x_row
from priced_requests
where
    (hour(started_at) = 23 and minute(started_at) >= 50)
    or (hour(started_at) = 0 and minute(started_at) < 10)
