-- Suspects are found by numbers and ids alone, in narrow passes over the log; windows look only at them.
-- A duplicate has the key, model, outcome, tokens and reported cost of the attempt before it, starts within one second
-- of that one and, where both durations are known, took as long to a tenth of a second, as two calls hardly do. Its id
-- may be another one or the same. A reused id is one under which something else was already logged that day.
-- A retry is what follows a failed attempt of the same operation: the failed one is no request of its own.
with alike as (
    select
        usage_date,
        input_total_tokens,
        output_total_tokens,
        cache_read_tokens
    from gateway_requests
    where not is_cache_hit and input_total_tokens + output_total_tokens > 0
    group by usage_date, input_total_tokens, output_total_tokens, cache_read_tokens
    having count(*) > 1
),

neighbours as (
    select
        requests.usage_date,
        requests.x_source,
        requests.x_page,
        requests.x_row,
        requests.started_at,
        requests.latency_seconds,
        lag(requests.request_id) over (
            partition by
                requests.usage_date, requests.key_id, requests.provider, requests.billed_model, requests.status,
                requests.input_uncached_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens,
                requests.cache_write_1h_tokens, requests.input_audio_tokens, requests.output_text_tokens,
                requests.output_reasoning_tokens, requests.output_audio_tokens, requests.source_reported_cost_usd
            order by requests.started_at, requests.x_source, requests.x_page, requests.x_row
        ) as other_request_id,
        lag(requests.started_at) over (
            partition by
                requests.usage_date, requests.key_id, requests.provider, requests.billed_model, requests.status,
                requests.input_uncached_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens,
                requests.cache_write_1h_tokens, requests.input_audio_tokens, requests.output_text_tokens,
                requests.output_reasoning_tokens, requests.output_audio_tokens, requests.source_reported_cost_usd
            order by requests.started_at, requests.x_source, requests.x_page, requests.x_row
        ) as other_started_at,
        lag(requests.latency_seconds) over (
            partition by
                requests.usage_date, requests.key_id, requests.provider, requests.billed_model, requests.status,
                requests.input_uncached_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens,
                requests.cache_write_1h_tokens, requests.input_audio_tokens, requests.output_text_tokens,
                requests.output_reasoning_tokens, requests.output_audio_tokens, requests.source_reported_cost_usd
            order by requests.started_at, requests.x_source, requests.x_page, requests.x_row
        ) as other_latency_seconds
    from gateway_requests as requests
    inner join alike
        on
            requests.usage_date = alike.usage_date
            and requests.input_total_tokens = alike.input_total_tokens
            and requests.output_total_tokens = alike.output_total_tokens
            and requests.cache_read_tokens = alike.cache_read_tokens
    where not requests.is_cache_hit
),

duplicates as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        other_request_id
    from neighbours
    where
        started_at <= other_started_at + interval 1 second
        and (
            latency_seconds is null
            or other_latency_seconds is null
            or abs(latency_seconds - other_latency_seconds) <= 0.1
        )
),

repeated_ids as (
    select
        usage_date,
        x_source,
        request_id
    from gateway_requests
    group by usage_date, x_source, request_id
    having count(*) > 1
),

uses as (
    select
        requests.usage_date,
        requests.x_source,
        requests.x_page,
        requests.x_row,
        requests.request_id,
        row_number() over (
            partition by requests.usage_date, requests.x_source, requests.request_id
            order by requests.started_at, requests.x_page, requests.x_row
        ) as use_order
    from gateway_requests as requests
    inner join repeated_ids
        on
            requests.usage_date = repeated_ids.usage_date
            and requests.x_source = repeated_ids.x_source
            and requests.request_id = repeated_ids.request_id
),

failed_operations as (
    select distinct
        usage_date,
        x_source,
        attempt_group_id
    from gateway_requests
    where status = 'failure' and attempt_group_id is not null
),

tries as (
    select
        requests.usage_date,
        requests.x_source,
        requests.x_page,
        requests.x_row,
        requests.status,
        lead(requests.request_id) over (
            partition by requests.usage_date, requests.x_source, requests.attempt_group_id
            order by requests.started_at, requests.x_page, requests.x_row
        ) as other_request_id
    from gateway_requests as requests
    inner join failed_operations
        on
            requests.usage_date = failed_operations.usage_date
            and requests.x_source = failed_operations.x_source
            and requests.attempt_group_id = failed_operations.attempt_group_id
)

select
    usage_date,
    x_source,
    x_page,
    x_row,
    'duplicate' as defect,
    other_request_id
from duplicates
union all
select
    uses.usage_date,
    uses.x_source,
    uses.x_page,
    uses.x_row,
    'id_reused' as defect,
    uses.request_id as other_request_id
from uses
left join duplicates
    on uses.x_source = duplicates.x_source and uses.x_page = duplicates.x_page and uses.x_row = duplicates.x_row
where uses.use_order > 1 and duplicates.x_row is null
union all
select
    usage_date,
    x_source,
    x_page,
    x_row,
    'retry_as_request' as defect,
    other_request_id
from tries
where status = 'failure' and other_request_id is not null
