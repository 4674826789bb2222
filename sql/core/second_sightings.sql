-- A call that two logs tell counts once: in the one that has its usage, of which a stream that was cut off leaves a log
-- nothing, or the input alone; where both have it or neither, in the gateway's log, not in that of a tracing tool; of
-- two of one sort, in the one whose source comes first by name. What a gateway's cache answered is paid by nobody,
-- which a tracing tool does not know: it is matched like all else, and counts as a hit whatever is known of its usage.
-- Two attempts are one call where the provider's id of the answer is the same and the id was used within an hour only;
-- or where they are of one trace, have the same tokens, are the only ones of it in their logs and began within a
-- minute. Only days that more than one log tells of are looked at.
-- A call that began on both sides of midnight, by two clocks, counts on the day before, whose last minute is looked at,
-- too: unless it is a hit, of which that day knows nothing.
with sources as (
    select
        usage_date,
        x_source
    from gateway_requests
    union all
    select
        cast(usage_date + interval 1 day as date) as usage_date,
        x_source
    from day_ends
),

days as (
    select usage_date
    from sources
    group by usage_date
    having min(x_source) <> max(x_source)
),

calls as (
    select
        gateway_requests.usage_date,
        gateway_requests.x_source,
        gateway_requests.x_page,
        gateway_requests.x_row,
        gateway_requests.started_at,
        case when gateway_requests.gateway in ('langfuse', 'langfuse_export', 'otel_genai', 'phoenix') then 2 else 1 end
            as precedence,
        case
            when gateway_requests.is_cache_hit then -2
            when gateway_requests.output_total_tokens > 0 then 0
            when coalesce(gateway_requests.input_total_tokens, 0) = 0 then 2
            when gateway_requests.is_stream then 1
            else 0
        end as unknown_usage,
        gateway_requests.provider,
        gateway_requests.billed_model,
        gateway_requests.response_id,
        gateway_requests.trace_id,
        gateway_requests.attempt_group_id,
        gateway_requests.input_total_tokens,
        gateway_requests.output_total_tokens,
        gateway_requests.source_reported_cost_usd,
        false as is_of_day_before
    from gateway_requests
    inner join days on gateway_requests.usage_date = days.usage_date
    union all
    select
        days.usage_date,
        day_ends.x_source,
        day_ends.x_page,
        day_ends.x_row,
        day_ends.started_at,
        0 as precedence,
        -1 as unknown_usage,
        day_ends.provider,
        day_ends.billed_model,
        day_ends.response_id,
        day_ends.trace_id,
        day_ends.attempt_group_id,
        day_ends.input_total_tokens,
        day_ends.output_total_tokens,
        day_ends.source_reported_cost_usd,
        true as is_of_day_before
    from day_ends
    inner join days on cast(day_ends.usage_date + interval 1 day as date) = days.usage_date
    -- one whose answer was not counted stands for no row that has it
    where day_ends.output_total_tokens > 0
),

-- one name of what was called, and all attempts under it
names as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        started_at,
        precedence,
        unknown_usage,
        'response_id' as evidence,
        response_id as name,
        cast(0 as bigint) as input_tokens,
        cast(0 as bigint) as output_tokens
    from calls
    where response_id is not null
    union all
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        started_at,
        precedence,
        unknown_usage,
        'trace_id' as evidence,
        trace_id as name,
        input_total_tokens as input_tokens,
        output_total_tokens as output_tokens
    from calls
    where trace_id is not null and input_total_tokens + output_total_tokens > 0
    union all
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        started_at,
        precedence,
        unknown_usage,
        'trace_id' as evidence,
        attempt_group_id as name,
        input_total_tokens as input_tokens,
        output_total_tokens as output_tokens
    from calls
    where
        attempt_group_id is not null
        and attempt_group_id <> coalesce(trace_id, '')
        and input_total_tokens + output_total_tokens > 0
),

shared as (
    select
        usage_date,
        evidence,
        name,
        input_tokens,
        output_tokens
    from names
    group by usage_date, evidence, name, input_tokens, output_tokens
    having
        min(x_source) <> max(x_source)
        and (
            (evidence = 'response_id' and max(started_at) <= min(started_at) + interval 1 hour)
            or (count(*) = count(distinct x_source) and max(started_at) <= min(started_at) + interval 1 minute)
        )
),

placed as (
    select
        names.usage_date,
        names.x_source,
        names.x_page,
        names.x_row,
        names.evidence,
        first_value(names.x_source) over place as counted_x_source,
        first_value(names.x_page) over place as counted_x_page,
        first_value(names.x_row) over place as counted_x_row
    from names
    inner join shared
        on
            names.usage_date = shared.usage_date
            and names.evidence = shared.evidence
            and names.name = shared.name
            and names.input_tokens = shared.input_tokens
            and names.output_tokens = shared.output_tokens
    window place as (
        partition by names.usage_date, names.evidence, names.name, names.input_tokens, names.output_tokens
        order by names.unknown_usage, names.precedence, names.x_source, names.started_at, names.x_page, names.x_row
    )
),

ordered as (
    select
        *,
        row_number() over (
            partition by usage_date, x_source, x_page, x_row
            order by evidence, counted_x_source, counted_x_page, counted_x_row
        ) as choice
    from placed
    where x_source <> counted_x_source
)

select
    ordered.usage_date,
    ordered.x_source,
    ordered.x_page,
    ordered.x_row,
    ordered.evidence,
    ordered.counted_x_source,
    ordered.counted_x_page,
    ordered.counted_x_row,
    counted.provider,
    counted.billed_model,
    counted.input_total_tokens as counted_input_tokens,
    counted.output_total_tokens as counted_output_tokens,
    counted.source_reported_cost_usd as counted_reported_cost_usd,
    seen.input_total_tokens as seen_input_tokens,
    seen.output_total_tokens as seen_output_tokens,
    seen.source_reported_cost_usd as seen_reported_cost_usd
from ordered
inner join calls as counted
    on
        ordered.usage_date = counted.usage_date
        and ordered.counted_x_source = counted.x_source
        and ordered.counted_x_page = counted.x_page
        and ordered.counted_x_row = counted.x_row
inner join calls as seen
    on
        ordered.usage_date = seen.usage_date
        and ordered.x_source = seen.x_source
        and ordered.x_page = seen.x_page
        and ordered.x_row = seen.x_row
where ordered.choice = 1 and not seen.is_of_day_before
