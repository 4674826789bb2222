-- Suspects are found by narrow stamps of sizes, starts and ids; only they are looked at in full.
-- A duplicate has the key, model, outcome, tokens and reported cost of an earlier attempt, starts within one second of
-- that one and, where both durations are known, took as long to a tenth of a second, as two calls hardly do. Its id may
-- be another one or the same, but under another id of the same operation it is another try. The earlier attempt is the
-- one just before, or the last one of the same tenth of a second: another call of that size may lie between.
-- A reused id is one under which something else was already logged that day.
-- A retry is what follows a failed attempt of the same operation: the failed one is no request of its own.
with in_one_minute as (
    select
        usage_date,
        (input_total_tokens + output_total_tokens * 3000017 + cache_read_tokens * 17) % 1000000007 as size_stamp,
        hour(started_at) * 60 + minute(started_at) as start_minute
    from gateway_requests
    where not is_cache_hit and input_total_tokens + output_total_tokens > 0
    group by
        usage_date,
        (input_total_tokens + output_total_tokens * 3000017 + cache_read_tokens * 17) % 1000000007,
        hour(started_at) * 60 + minute(started_at)
    having count(*) > 1
),

-- two starts within a second are in the same minute, or in the last and the first second of two
around_one_minute as (
    select
        usage_date,
        (input_total_tokens + output_total_tokens * 3000017 + cache_read_tokens * 17) % 1000000007 as size_stamp,
        hour(started_at) * 60 + minute(started_at) + case when second(started_at) = 59 then 1 else 0 end as start_minute
    from gateway_requests
    where not is_cache_hit and input_total_tokens + output_total_tokens > 0 and second(started_at) in (0, 59)
    group by
        usage_date,
        (input_total_tokens + output_total_tokens * 3000017 + cache_read_tokens * 17) % 1000000007,
        hour(started_at) * 60 + minute(started_at) + case when second(started_at) = 59 then 1 else 0 end
    having count(*) > 1
),

neighbours as (
    select
        requests.usage_date,
        requests.x_source,
        requests.x_page,
        requests.x_row,
        requests.request_id,
        requests.attempt_group_id,
        requests.started_at,
        requests.latency_seconds,
        lag(requests.request_id) over before as before_request_id,
        lag(requests.x_source) over before as before_x_source,
        lag(requests.attempt_group_id) over before as before_attempt_group_id,
        lag(requests.started_at) over before as before_started_at,
        lag(requests.latency_seconds) over before as before_latency_seconds,
        lag(requests.request_id) over as_long as as_long_request_id,
        lag(requests.x_source) over as_long as as_long_x_source,
        lag(requests.attempt_group_id) over as_long as as_long_attempt_group_id,
        lag(requests.started_at) over as_long as as_long_started_at
    from gateway_requests as requests
    left join in_one_minute
        on
            requests.usage_date = in_one_minute.usage_date
            and (requests.input_total_tokens + requests.output_total_tokens * 3000017 + requests.cache_read_tokens * 17)
            % 1000000007 = in_one_minute.size_stamp
            and hour(requests.started_at) * 60 + minute(requests.started_at) = in_one_minute.start_minute
    left join around_one_minute
        on
            requests.usage_date = around_one_minute.usage_date
            and second(requests.started_at) in (0, 59)
            and (requests.input_total_tokens + requests.output_total_tokens * 3000017 + requests.cache_read_tokens * 17)
            % 1000000007 = around_one_minute.size_stamp
            and hour(requests.started_at) * 60
            + minute(requests.started_at)
            + case when second(requests.started_at) = 59 then 1 else 0 end = around_one_minute.start_minute
    where
        not requests.is_cache_hit
        and (in_one_minute.size_stamp is not null or around_one_minute.size_stamp is not null)
    window before as (
        partition by
            requests.usage_date, requests.key_id, requests.provider, requests.billed_model, requests.status,
            requests.input_uncached_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens,
            requests.cache_write_1h_tokens, requests.input_audio_tokens, requests.output_text_tokens,
            requests.output_reasoning_tokens, requests.output_audio_tokens, requests.source_reported_cost_usd
        order by requests.started_at, requests.x_source, requests.x_page, requests.x_row
    ),
    as_long as (
        partition by
            requests.usage_date, requests.key_id, requests.provider, requests.billed_model, requests.status,
            requests.input_uncached_tokens, requests.cache_read_tokens, requests.cache_write_5m_tokens,
            requests.cache_write_1h_tokens, requests.input_audio_tokens, requests.output_text_tokens,
            requests.output_reasoning_tokens, requests.output_audio_tokens, requests.source_reported_cost_usd,
            floor(requests.latency_seconds * 10)
        order by requests.started_at, requests.x_source, requests.x_page, requests.x_row
    )
),

found_twice as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        case
            when
                started_at <= as_long_started_at + interval 1 second
                and (
                    request_id = as_long_request_id
                    or x_source <> as_long_x_source
                    or coalesce(attempt_group_id <> as_long_attempt_group_id, true)
                )
                then as_long_request_id
            when
                started_at <= before_started_at + interval 1 second
                and coalesce(abs(latency_seconds - before_latency_seconds) <= 0.1, true)
                and (
                    request_id = before_request_id
                    or x_source <> before_x_source
                    or coalesce(attempt_group_id <> before_attempt_group_id, true)
                )
                then before_request_id
        end as other_request_id
    from neighbours
),

duplicates as (
    select *
    from found_twice
    where other_request_id is not null
),

repeated_endings as (
    select
        usage_date,
        x_source,
        right(request_id, 12) as id_ending
    from gateway_requests
    group by usage_date, x_source, right(request_id, 12)
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
    inner join repeated_endings
        on
            requests.usage_date = repeated_endings.usage_date
            and requests.x_source = repeated_endings.x_source
            and right(requests.request_id, 12) = repeated_endings.id_ending
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
