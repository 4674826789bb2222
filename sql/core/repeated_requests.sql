-- A duplicate has the key, model, outcome, tokens and reported cost of an earlier attempt and starts within one second
-- of that one. That alone proves nothing: equally long texts embedded at a steady rate have it all the time. Under the
-- same id, the log's or the provider's of the answer, it is one, if its duration, where both are known, is the same to
-- a tenth of a second. Two answers of which the provider gave each its own id are two calls. Under another id it has
-- to be an answer, and one of two things more: that both began at the same part of a second and ended in the same
-- millisecond, and no third one began then; or that they are the only two calls of their sizes, and as long, within ten
-- minutes, and not two tries of one operation. An answer of fewer than twenty tokens proves nothing by its size. The
-- earlier attempt is the one just before, or the last one of the same tenth of a second: another call may lie between.
-- What has to be the same is compared as one hash: that another call has it within the same second is not to be
-- expected. A gateway's own id of an answer is told from a provider's by its form: gateways make UUIDs.
-- A batch is told each time that somebody asks for it: under its id, with the same usage, it is one at any time of day.
-- An id that is used within less than an hour alone names one call, however far apart and however long it was logged:
-- the provider's id one answer, where key and tokens are the same, as of two proxies in a chain; the log's id one call,
-- where all is the same and no two ids of answers say otherwise. Hits of the gateway's cache repeat an id by design.
-- A call that one source tells twice under its id, once without usage, counts where its usage is: whichever came first.
-- A reused id is one under which something else was already logged that day.
-- A retry is what follows a failed attempt of the same operation: the failed one is no request of its own.
with calls as (
    select
        *,
        hash(
            key_id, source_provider, billed_model, status, input_uncached_tokens, cache_read_tokens,
            cache_write_5m_tokens, cache_write_1h_tokens, input_audio_tokens, output_text_tokens,
            output_reasoning_tokens, output_audio_tokens, source_reported_cost_usd
        ) as call_hash,
        case
            when
                response_id <> request_id
                or response_id like 'resp_%'
                or response_id like 'msg_%'
                or response_id like 'gen-%'
                or (response_id like 'chatcmpl-%' and response_id not like 'chatcmpl-%-%')
                then response_id
        end as answer_id
    from compared_requests
),

neighbours as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        is_of_hour_before,
        request_id,
        answer_id,
        attempt_group_id,
        started_at,
        latency_seconds,
        status = 'success' and output_total_tokens > 0 as has_answer,
        output_total_tokens < 20 as is_short,
        started_at > date_trunc('second', started_at) as has_fraction,
        lag(request_id) over before as before_request_id,
        lag(answer_id) over before as before_answer_id,
        lag(x_source) over before as before_x_source,
        lag(attempt_group_id) over before as before_attempt_group_id,
        lag(started_at) over before as before_started_at,
        lag(latency_seconds) over before as before_latency_seconds,
        coalesce(lag(started_at, 2) over before < started_at - interval 10 minute, true)
        and coalesce(lead(started_at) over before > started_at + interval 10 minute, true) as before_is_only,
        lag(request_id) over as_long as as_long_request_id,
        lag(answer_id) over as_long as as_long_answer_id,
        lag(x_source) over as_long as as_long_x_source,
        lag(attempt_group_id) over as_long as as_long_attempt_group_id,
        lag(started_at) over as_long as as_long_started_at,
        lag(latency_seconds) over as_long as as_long_latency_seconds,
        coalesce(lag(started_at, 2) over as_long < started_at - interval 10 minute, true)
        and coalesce(lead(started_at) over as_long > started_at + interval 10 minute, true) as as_long_is_only,
        coalesce(lag(started_at, 2) over as_long < started_at, true)
        and coalesce(lead(started_at) over as_long > started_at, true) as as_long_is_only_then
    from calls
    window before as (
        partition by compared_hour, call_hash
        order by started_at, x_source, x_page, x_row
    ),
    as_long as (
        partition by compared_hour, call_hash, floor(latency_seconds * 10)
        order by started_at, x_source, x_page, x_row
    )
),

near as (
    select
        *,
        started_at <= as_long_started_at + interval 1 second as as_long_is_near,
        request_id = as_long_request_id or coalesce(answer_id = as_long_answer_id, false) as as_long_has_id,
        has_answer and coalesce(answer_id = as_long_answer_id, true) as as_long_may_be_same,
        x_source <> as_long_x_source or coalesce(attempt_group_id <> as_long_attempt_group_id, true)
            as as_long_is_of_another_operation,
        started_at <= before_started_at + interval 1 second
        and coalesce(abs(latency_seconds - before_latency_seconds) <= 0.1, true) as before_is_near,
        request_id = before_request_id or coalesce(answer_id = before_answer_id, false) as before_has_id,
        has_answer and coalesce(answer_id = before_answer_id, true) as before_may_be_same,
        x_source <> before_x_source or coalesce(attempt_group_id <> before_attempt_group_id, true)
            as before_is_of_another_operation
    from neighbours
    where not is_of_hour_before
),

judged as (
    select
        *,
        case
            when not coalesce(as_long_is_near, false) then null
            when as_long_has_id then 'same_id'
            when
                as_long_may_be_same
                and has_fraction
                and as_long_is_only_then
                and started_at = as_long_started_at
                and abs(latency_seconds - as_long_latency_seconds) < 0.001
                then 'same_instant'
            when as_long_may_be_same and as_long_is_only and as_long_is_of_another_operation
                then case when is_short then 'short_answer' else 'same_size' end
        end as as_long_proof,
        case
            when not coalesce(before_is_near, false) then null
            when before_has_id then 'same_id'
            when before_may_be_same and before_is_only and before_is_of_another_operation
                then case when is_short then 'short_answer' else 'same_size' end
        end as before_proof
    from near
),

copies as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        case when as_long_proof is null then before_request_id else as_long_request_id end as other_request_id,
        coalesce(as_long_proof, before_proof) as proof
    from judged
    where as_long_proof is not null or before_proof is not null
),

named as (
    select
        *,
        hash(
            key_id, input_uncached_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
            input_audio_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens
        ) as size_hash,
        hash(
            key_id, source_provider, billed_model, status, input_uncached_tokens, cache_read_tokens,
            cache_write_5m_tokens, cache_write_1h_tokens, input_audio_tokens, output_text_tokens,
            output_reasoning_tokens, output_audio_tokens, source_reported_cost_usd
        ) as call_hash,
        case
            when
                response_id <> request_id
                or response_id like 'resp_%'
                or response_id like 'msg_%'
                or response_id like 'gen-%'
                or (response_id like 'chatcmpl-%' and response_id not like 'chatcmpl-%-%')
                then response_id
        end as answer_id
    from suspect_requests
    where not is_cache_hit and (may_share_id or (may_be_logged_twice and response_id is not null))
),

-- a stream that was cut off leaves no usage, or the input alone; what failed before it began is a try of its own
seen as (
    select
        *,
        case
            when output_total_tokens > 0 then 0
            when coalesce(input_total_tokens, 0) = 0 then 2
            when is_stream then 1
            else 0
        end as unknown_usage
    from named
    where status = 'success' or has_begun
),

known as (
    select
        *,
        min(unknown_usage) over call as least_unknown_usage,
        first_value(request_id) over best as other_request_id,
        min(started_at) over call as first_started_at,
        max(started_at) over call as last_started_at
    from seen
    window call as (
        partition by usage_date, x_source, key_id, coalesce(answer_id, request_id)
    ),
    best as (
        partition by usage_date, x_source, key_id, coalesce(answer_id, request_id)
        order by unknown_usage, started_at, x_page, x_row
    )
),

seen_without_usage as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        other_request_id,
        'same_id' as proof
    from known
    where unknown_usage > 0 and least_unknown_usage = 0 and last_started_at < first_started_at + interval 1 hour
),

-- of those that are left, what has the usage is the first of its id
used as (
    select named.*
    from named
    left join seen_without_usage
        on
            named.x_source = seen_without_usage.x_source
            and named.x_page = seen_without_usage.x_page
            and named.x_row = seen_without_usage.x_row
    where seen_without_usage.x_row is null
),

answers as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        first_value(request_id) over answer as other_request_id,
        row_number() over answer as answer_order,
        min(started_at) over of_answer as first_started_at,
        max(started_at) over of_answer as last_started_at
    from used
    where answer_id <> '' and input_total_tokens + output_total_tokens > 0
    window answer as (
        partition by usage_date, x_source, answer_id, size_hash
        order by started_at, x_page, x_row
    ),
    of_answer as (
        partition by usage_date, x_source, answer_id, size_hash
    )
),

answers_again as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        other_request_id,
        'same_id' as proof
    from answers
    where answer_order > 1 and last_started_at < first_started_at + interval 1 hour
),

again as (
    select * from answers_again
    union all
    select * from seen_without_usage
),

duplicates as (
    select * from again
    union all
    select copies.*
    from copies
    left join again
        on
            copies.x_source = again.x_source
            and copies.x_page = again.x_page
            and copies.x_row = again.x_row
    where again.x_row is null
),

uses as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        request_id,
        row_number() over use as use_order,
        coalesce(
            call_hash = lag(call_hash) over use
            and (
                service_tier = 'batch'
                or (
                    input_total_tokens + output_total_tokens > 0
                    and coalesce(answer_id = lag(answer_id) over use, true)
                    and max(started_at) over of_id < min(started_at) over of_id + interval 1 hour
                )
            ),
            false
        ) as is_logged_again
    from used
    where may_share_id
    window use as (
        partition by usage_date, x_source, request_id
        order by started_at, x_page, x_row
    ),
    of_id as (
        partition by usage_date, x_source, request_id
    )
),

tries as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        status,
        lead(request_id) over (
            partition by usage_date, x_source, attempt_group_id
            order by started_at, x_page, x_row
        ) as other_request_id
    from suspect_requests
    where may_be_tried_again
)

select
    usage_date,
    x_source,
    x_page,
    x_row,
    'duplicate' as defect,
    other_request_id,
    proof
from duplicates
union all
select
    uses.usage_date,
    uses.x_source,
    uses.x_page,
    uses.x_row,
    case when uses.is_logged_again then 'duplicate' else 'id_reused' end as defect,
    uses.request_id as other_request_id,
    'same_id' as proof
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
    other_request_id,
    'operation' as proof
from tries
where status = 'failure' and other_request_id is not null
