-- A copy is logged within a second of the first row, and clocks of two observers are less than a minute apart: of the
-- day before, a day needs no more than its last minute.
select
    usage_date,
    x_source,
    x_page,
    x_row,
    request_id,
    response_id,
    trace_id,
    attempt_group_id,
    started_at,
    latency_seconds,
    key_id,
    provider,
    billed_model,
    status,
    input_total_tokens,
    output_total_tokens,
    input_uncached_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    input_audio_tokens,
    output_text_tokens,
    output_reasoning_tokens,
    output_audio_tokens,
    source_reported_cost_usd
from gateway_requests
where
    hour(started_at) = 23
    and minute(started_at) = 59
    and not is_cache_hit
    and input_total_tokens + output_total_tokens > 0
