-- An id is used again when something else had it before midnight: what is logged again within a second is a duplicate,
-- and found as such. A failed attempt was tried again when the next attempt of its operation is on the other side.
with ids as (
    select
        x_source,
        x_page,
        x_row,
        'id_reused' as defect,
        request_id as other_request_id,
        usage_date > lag(usage_date) over use
        and not coalesce(
            started_at <= lag(started_at) over use + interval 1 second
            and status = lag(status) over use
            and input_uncached_tokens = lag(input_uncached_tokens) over use
            and cache_read_tokens = lag(cache_read_tokens) over use
            and output_text_tokens = lag(output_text_tokens) over use
            and output_reasoning_tokens = lag(output_reasoning_tokens) over use
            and coalesce(abs(latency_seconds - lag(latency_seconds) over use) <= 0.1, true),
            false
        ) as is_found
    from midnight_calls
    window use as (
        partition by x_source, request_id
        order by started_at, x_page, x_row
    )
),

tries as (
    select
        x_source,
        x_page,
        x_row,
        'retry_as_request' as defect,
        lead(request_id) over operation as other_request_id,
        coalesce(status = 'failure' and usage_date < lead(usage_date) over operation, false) as is_found
    from midnight_calls
    where attempt_group_id is not null
    window operation as (
        partition by x_source, attempt_group_id
        order by started_at, x_page, x_row
    )
),

found as (
    select * from ids
    where is_found
    union all
    select * from tries
    where is_found
)

select
    midnight_calls.usage_date,
    found.defect,
    case found.defect when 'id_reused' then 'identity' else 'request_count' end as distorts,
    midnight_calls.request_id,
    found.other_request_id,
    midnight_calls.provider_id,
    midnight_calls.model_id,
    midnight_calls.billed_model,
    midnight_calls.gateway_team_id,
    midnight_calls.key_id,
    midnight_calls.key_alias,
    midnight_calls.feature,
    midnight_calls.input_uncached_tokens,
    midnight_calls.cache_read_tokens,
    midnight_calls.cache_write_5m_tokens,
    midnight_calls.cache_write_1h_tokens,
    midnight_calls.input_audio_tokens,
    midnight_calls.output_text_tokens,
    midnight_calls.output_reasoning_tokens,
    midnight_calls.output_audio_tokens,
    midnight_calls.priced_cost_usd,
    midnight_calls.x_source,
    midnight_calls.x_page,
    midnight_calls.x_row
from found
inner join midnight_calls
    on
        found.x_source = midnight_calls.x_source
        and found.x_page = midnight_calls.x_page
        and found.x_row = midnight_calls.x_row
