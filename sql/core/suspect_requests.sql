-- What may be wrong is found in one pass over the priced log, and looked at in full afterwards. Whether anything is
-- like an attempt is known beforehand from hashes, eight bytes for each attempt, that occur twice: of its key, sizes
-- and hour, of its operation if that failed at first. Which ids occur twice is found where repeated deliveries are
-- looked for, when rows are staged, and only asked here of rows that are not from there. What only happens to have the
-- same hash is no matter later. Two starts within a second are in the same hour, or in the last second of one and the
-- first of the next: what starts in those is looked at in any case. So is, ten seconds before and after an hour's end,
-- what has an id of its answer: that may have been logged further apart.
-- Only what is paid for can cost the wrong thing. Costs that differ by a billionth of a dollar or less are equal:
-- gateways compute in binary floating point.
with alike as (
    select
        hash(key_id, input_total_tokens, output_total_tokens, cache_read_tokens, date_trunc('hour', started_at))
            as size_hash
    from gateway_requests
    where not is_cache_hit and input_total_tokens + output_total_tokens > 0
    group by hash(key_id, input_total_tokens, output_total_tokens, cache_read_tokens, date_trunc('hour', started_at))
    having count(*) > 1
),

repeated_ids as (
    select hash(request_id) as id_hash
    from gateway_requests
    where is_id_used_before
    union
    select hash(request_id) as id_hash
    from gateway_requests
    where is_id_used_before is null
    group by hash(request_id)
    having count(*) > 1
),

-- an answer that was logged without its usage, under an id of the log's own: another row may have it
unused_answers as (
    select distinct hash(response_id) as answer_hash
    from gateway_requests
    where
        response_id <> request_id
        and not is_cache_hit
        and coalesce(output_total_tokens, 0) = 0
        and (is_stream or coalesce(input_total_tokens, 0) = 0)
),

failed_operations as (
    select distinct hash(attempt_group_id) as operation_hash
    from gateway_requests
    where status = 'failure' and attempt_group_id is not null
),

looked_at as (
    select
        priced_requests.*,
        not priced_requests.is_cache_hit
        and priced_requests.input_total_tokens + priced_requests.output_total_tokens > 0
        and (
            alike.size_hash is not null
            or minute(priced_requests.started_at) * 60 + second(priced_requests.started_at) in (0, 3599)
            or (
                priced_requests.response_id is not null
                and (minute(priced_requests.started_at) * 60 + second(priced_requests.started_at) + 10) % 3600 < 20
            )
        ) as may_be_logged_twice,
        repeated_ids.id_hash is not null
        or (unused_answers.answer_hash is not null and priced_requests.response_id is not null) as may_share_id,
        failed_operations.operation_hash is not null and priced_requests.attempt_group_id is not null
            as may_be_tried_again
    from priced_requests
    left join alike
        on
            hash(
                priced_requests.key_id, priced_requests.input_total_tokens, priced_requests.output_total_tokens,
                priced_requests.cache_read_tokens, date_trunc('hour', priced_requests.started_at)
            ) = alike.size_hash
    left join repeated_ids
        on
            hash(priced_requests.request_id)
            = repeated_ids.id_hash
    left join unused_answers
        on
            hash(priced_requests.response_id)
            = unused_answers.answer_hash
    left join failed_operations
        on
            hash(priced_requests.attempt_group_id)
            = failed_operations.operation_hash
)

select
    usage_date,
    started_at,
    request_id,
    response_id,
    attempt_group_id,
    latency_seconds,
    provider_id,
    model_id,
    source_provider,
    billed_model,
    is_self_hosted,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    environment,
    status,
    is_cache_hit,
    service_tier,
    price_region_id,
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
    priced_cost_usd,
    price_input_tokens_from,
    price_from,
    input_uncached_usd_per_token,
    source_reported_cost_usd,
    source_cost_basis,
    stated_margin_usd,
    stated_discount_usd,
    is_stream,
    has_begun,
    coalesce(may_be_logged_twice, false) as may_be_logged_twice,
    may_share_id,
    may_be_tried_again,
    x_source,
    x_page,
    x_row
from looked_at
where
    may_be_logged_twice
    or may_share_id
    or may_be_tried_again
    or (
        not is_cache_hit
        and not is_self_hosted
        and service_tier <> 'provisioned'
        and (
            source_reported_cost_usd = 0
            or source_cost_basis in ('with_margin', 'after_discount')
            or abs(source_reported_cost_usd - priced_cost_usd) > 0.000000001
            or (is_stream and coalesce(output_text_tokens, 0) = 0)
        )
    )
