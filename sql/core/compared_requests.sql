-- Two starts within a second are in the same hour, or in the last second of one and in the next: so each hour has,
-- beside its own, what started in the last second before it.
with places as (
    select unnest([false, true]) as is_of_hour_before
),

suspects as (
    select
        suspect_requests.*,
        places.is_of_hour_before,
        date_trunc('hour', suspect_requests.started_at)
        + case when places.is_of_hour_before then interval 1 hour else interval 0 hour end as compared_hour
    from suspect_requests
    cross join places
    where
        suspect_requests.may_be_logged_twice
        and (
            not places.is_of_hour_before
            -- the last hour's end is compared with what the next day begins with
            or (
                hour(suspect_requests.started_at) < 23
                and minute(suspect_requests.started_at) = 59
                and second(suspect_requests.started_at) = 59
            )
        )
)

select
    compared_hour,
    is_of_hour_before,
    usage_date,
    x_source,
    x_page,
    x_row,
    request_id,
    response_id,
    attempt_group_id,
    started_at,
    latency_seconds,
    key_id,
    source_provider,
    billed_model,
    status,
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
from suspects
union all
select
    date_trunc('hour', started_at) + interval 1 hour as compared_hour,
    true as is_of_hour_before,
    cast(usage_date + interval 1 day as date) as usage_date,
    x_source,
    x_page,
    x_row,
    request_id,
    response_id,
    attempt_group_id,
    started_at,
    latency_seconds,
    key_id,
    provider as source_provider,
    billed_model,
    status,
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
from day_ends
where second(started_at) = 59
