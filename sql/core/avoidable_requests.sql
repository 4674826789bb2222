-- Attempts that were paid by tokens and that the month could have done without, or had for less: failures, tests at
-- night, prompts asked again within the hour, and calls of jobs that need not be answered at once. One attempt may be
-- several of these. What is proven to be logged again was never paid twice, and is not here.
-- A job is a name whose calls of the day were all neither streamed nor of any user or customer; who does not log
-- whether it streams is taken to stream. It is bunched where nine tenths of its calls start within one hour of the
-- day: what is spread over the day may be somebody waiting. A trace of several calls is a loop whose next step waits.
with callers_by_hour as (
    select
        usage_date,
        x_source,
        coalesce(gateway_team_id, '') as gateway_team_id,
        coalesce(key_id, '') as key_id,
        coalesce(key_alias, '') as key_alias,
        coalesce(feature, '') as feature,
        coalesce(environment, '') as environment,
        hour(started_at) as hour_of_day,
        count(*) as request_count,
        count(*) filter (
            where coalesce(is_stream, true) or user_hash is not null or customer_hash is not null
        ) as attended_count
    from gateway_requests
    group by
        usage_date,
        x_source,
        coalesce(gateway_team_id, ''),
        coalesce(key_id, ''),
        coalesce(key_alias, ''),
        coalesce(feature, ''),
        coalesce(environment, ''),
        hour(started_at)
),

jobs as (
    select
        usage_date,
        x_source,
        gateway_team_id,
        key_id,
        key_alias,
        feature,
        environment,
        max(request_count) * 10 >= sum(request_count) * 9 as is_bunched
    from callers_by_hour
    group by usage_date, x_source, gateway_team_id, key_id, key_alias, feature, environment
    having sum(attended_count) = 0
),

loops as (
    select
        usage_date,
        x_source,
        trace_id
    from gateway_requests
    where trace_id is not null
    group by usage_date, x_source, trace_id
    having count(*) > 1
),

copies as (
    select
        x_source,
        x_page,
        x_row
    from request_defects
    where defect = 'duplicate'
),

judged as (
    select
        priced_requests.*,
        priced_requests.status = 'failure' as is_failure,
        lower(coalesce(priced_requests.environment, ''))
        in ('development', 'dev', 'staging', 'stage', 'test', 'testing', 'qa', 'sandbox')
        and (hour(priced_requests.started_at) < 6 or hour(priced_requests.started_at) >= 20) as is_night_test,
        prompts_asked_again.x_row is not null as is_repeat,
        jobs.x_source is not null
        and loops.trace_id is null
        and priced_requests.service_tier = 'default' as is_job,
        coalesce(jobs.is_bunched, false) as is_bunched
    from priced_requests
    left join copies
        on
            priced_requests.x_source = copies.x_source
            and priced_requests.x_page = copies.x_page
            and priced_requests.x_row = copies.x_row
    left join jobs
        on
            priced_requests.usage_date = jobs.usage_date
            and priced_requests.x_source = jobs.x_source
            and coalesce(priced_requests.gateway_team_id, '') = jobs.gateway_team_id
            and coalesce(priced_requests.key_id, '') = jobs.key_id
            and coalesce(priced_requests.key_alias, '') = jobs.key_alias
            and coalesce(priced_requests.feature, '') = jobs.feature
            and coalesce(priced_requests.environment, '') = jobs.environment
    left join loops
        on
            priced_requests.usage_date = loops.usage_date
            and priced_requests.x_source = loops.x_source
            and priced_requests.trace_id = loops.trace_id
    left join prompts_asked_again
        on
            priced_requests.x_source = prompts_asked_again.x_source
            and priced_requests.x_page = prompts_asked_again.x_page
            and priced_requests.x_row = prompts_asked_again.x_row
    where
        priced_requests.pricing_status = 'priced'
        and priced_requests.priced_cost_usd > 0
        and copies.x_row is null
),

found as (
    select
        *,
        is_job and is_bunched as is_bunched_job
    from judged
    where is_failure or is_night_test or is_repeat or is_job
),

-- a class with tokens and without a price at the batch tier makes the cost there NULL
at_batch_prices as (
    select
        found.*,
        cast(
            case
                when found.input_uncached_tokens = 0 then 0
                else cast(found.input_uncached_tokens as decimal(12, 0)) * price_book.input_uncached_usd_per_token
            end
            + case
                when found.cache_read_tokens = 0 then 0
                else cast(found.cache_read_tokens as decimal(12, 0)) * price_book.cache_read_usd_per_token
            end
            + case
                when found.cache_write_5m_tokens = 0 then 0
                else cast(found.cache_write_5m_tokens as decimal(12, 0)) * price_book.cache_write_5m_usd_per_token
            end
            + case
                when found.cache_write_1h_tokens = 0 then 0
                else cast(found.cache_write_1h_tokens as decimal(12, 0)) * price_book.cache_write_1h_usd_per_token
            end
            + case
                when found.input_audio_tokens = 0 then 0
                else cast(found.input_audio_tokens as decimal(12, 0)) * price_book.input_audio_usd_per_token
            end
            + case
                when found.output_text_tokens = 0 then 0
                else cast(found.output_text_tokens as decimal(12, 0)) * price_book.output_text_usd_per_token
            end
            + case
                when found.output_reasoning_tokens = 0 then 0
                else cast(found.output_reasoning_tokens as decimal(12, 0)) * price_book.output_reasoning_usd_per_token
            end
            + case
                when found.output_audio_tokens = 0 then 0
                else cast(found.output_audio_tokens as decimal(12, 0)) * price_book.output_audio_usd_per_token
            end as decimal(38, 12)
        ) as batch_cost_usd
    from found
    left join price_book
        on
            found.is_job
            and price_book.service_tier = 'batch'
            and found.provider_id = price_book.provider_id
            and found.model_id = price_book.model_id
            and found.price_region_id = price_book.region_id
            and found.started_at >= price_book.valid_from
            and found.started_at < price_book.valid_to
            and found.input_total_tokens >= price_book.input_tokens_from
            and found.input_total_tokens < price_book.input_tokens_to
)

select
    at_batch_prices.usage_date,
    at_batch_prices.x_source,
    at_batch_prices.provider_id,
    at_batch_prices.model_id,
    coalesce(at_batch_prices.gateway_team_id, '') as gateway_team_id,
    coalesce(at_batch_prices.key_id, '') as key_id,
    coalesce(at_batch_prices.key_alias, '') as key_alias,
    coalesce(at_batch_prices.feature, '') as feature,
    coalesce(at_batch_prices.environment, '') as environment,
    usage_owners.team_id,
    at_batch_prices.is_failure,
    at_batch_prices.is_night_test,
    at_batch_prices.is_repeat,
    at_batch_prices.is_job,
    at_batch_prices.is_bunched_job,
    at_batch_prices.batch_cost_usd is not null as has_batch_price,
    count(*) as request_count,
    cast(sum(at_batch_prices.priced_cost_usd) as decimal(38, 12)) as priced_cost_usd,
    cast(sum(at_batch_prices.batch_cost_usd) as decimal(38, 12)) as batch_cost_usd
from at_batch_prices
left join usage_owners
    on
        at_batch_prices.usage_date = usage_owners.usage_date
        and coalesce(at_batch_prices.gateway_team_id, '') = usage_owners.gateway_team_id
        and coalesce(at_batch_prices.key_id, '') = usage_owners.key_id
        and coalesce(at_batch_prices.key_alias, '') = usage_owners.key_alias
        and coalesce(at_batch_prices.feature, '') = usage_owners.feature
group by
    at_batch_prices.usage_date,
    at_batch_prices.x_source,
    at_batch_prices.provider_id,
    at_batch_prices.model_id,
    coalesce(at_batch_prices.gateway_team_id, ''),
    coalesce(at_batch_prices.key_id, ''),
    coalesce(at_batch_prices.key_alias, ''),
    coalesce(at_batch_prices.feature, ''),
    coalesce(at_batch_prices.environment, ''),
    usage_owners.team_id,
    at_batch_prices.is_failure,
    at_batch_prices.is_night_test,
    at_batch_prices.is_repeat,
    at_batch_prices.is_job,
    at_batch_prices.is_bunched_job,
    at_batch_prices.batch_cost_usd is not null
