-- The cost before is what today's rows of a day would have cost at the prices that were known when its log first
-- arrived; the cost after is what they cost now. Both follow from prices and what is known of them, so that nothing is
-- kept but the prices.
-- Attempts are first summed by the elementary stretch of time and context band that they fall into and by the classes
-- that they use, and by the region that the log tells: within such a group one price holds for each class, before and
-- after, and a missing one leaves every attempt of the group without a cost. A price is the region's own, else the one
-- that holds everywhere; where no region is told, the one that all regions with a price agree on, and none if they
-- differ; what was agreed on for a region is not that of another one (agreed_prices says how). Only models whose prices
-- changed since are looked at.
with first_reading as (
    select min(known_from) as known_from from prices
),

arrivals as (
    select
        x_source,
        slice_date as usage_date,
        min(attempted_at) as arrived_at
    from deliveries
    where fact = 'gateway_requests' and status = 'committed'
    group by x_source, slice_date
),

first_priced as (
    select
        arrivals.x_source,
        arrivals.usage_date,
        greatest(arrivals.arrived_at, first_reading.known_from) as first_priced_at
    from arrivals
    cross join first_reading
),

changed as (
    select distinct
        first_priced.x_source,
        first_priced.usage_date,
        first_priced.first_priced_at,
        prices.provider_id,
        prices.model_id,
        prices.service_tier
    from first_priced
    inner join prices
        on
            first_priced.first_priced_at < prices.known_from
            and cast(first_priced.usage_date + interval 1 day as timestamp) > prices.valid_from
            and cast(first_priced.usage_date as timestamp) < prices.valid_to
),

changed_spans as (
    select price_spans.*
    from price_spans
    where
        price_spans.horizon = 'ever'
        and exists (
            select 1
            from changed
            where
                price_spans.provider_id = changed.provider_id
                and price_spans.model_id = changed.model_id
                and price_spans.service_tier = changed.service_tier
        )
),

stretches as (
    select distinct
        provider_id,
        model_id,
        service_tier,
        span_from,
        span_to,
        band_from,
        band_to
    from changed_spans
),

attempts as (
    select
        priced_requests.*,
        changed.first_priced_at,
        case when priced_requests.input_uncached_tokens > 0 then '1' else '0' end
        || case when priced_requests.cache_read_tokens > 0 then '1' else '0' end
        || case when priced_requests.cache_write_5m_tokens > 0 then '1' else '0' end
        || case when priced_requests.cache_write_1h_tokens > 0 then '1' else '0' end
        || case when priced_requests.input_audio_tokens > 0 then '1' else '0' end
        || case when priced_requests.output_text_tokens > 0 then '1' else '0' end
        || case when priced_requests.output_reasoning_tokens > 0 then '1' else '0' end
        || case when priced_requests.output_audio_tokens > 0 then '1' else '0' end as classes_used
    from priced_requests
    inner join changed
        on
            priced_requests.x_source = changed.x_source
            and priced_requests.usage_date = changed.usage_date
            and priced_requests.provider_id = changed.provider_id
            and priced_requests.model_id = changed.model_id
            and priced_requests.service_tier = changed.service_tier
    where priced_requests.pricing_status in ('priced', 'no_price', 'unknown_region')
),

summed as (
    select
        attempts.usage_date,
        attempts.first_priced_at,
        attempts.provider_id,
        attempts.model_id,
        attempts.service_tier,
        attempts.region_id,
        stretches.span_from,
        stretches.band_from,
        attempts.classes_used,
        count(*) as request_count,
        sum(cast(attempts.priced_cost_usd as decimal(38, 12))) as cost_after_usd,
        sum(attempts.input_uncached_tokens) as input_uncached_tokens,
        sum(attempts.cache_read_tokens) as cache_read_tokens,
        sum(attempts.cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(attempts.cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(attempts.input_audio_tokens) as input_audio_tokens,
        sum(attempts.output_text_tokens) as output_text_tokens,
        sum(attempts.output_reasoning_tokens) as output_reasoning_tokens,
        sum(attempts.output_audio_tokens) as output_audio_tokens
    from attempts
    inner join stretches
        on
            attempts.provider_id = stretches.provider_id
            and attempts.model_id = stretches.model_id
            and attempts.service_tier = stretches.service_tier
            and attempts.started_at >= stretches.span_from
            and attempts.started_at < stretches.span_to
            and attempts.input_total_tokens >= stretches.band_from
            and attempts.input_total_tokens < stretches.band_to
    group by
        attempts.usage_date,
        attempts.first_priced_at,
        attempts.provider_id,
        attempts.model_id,
        attempts.service_tier,
        attempts.region_id,
        stretches.span_from,
        stretches.band_from,
        attempts.classes_used
),

classes as (
    select unnest([
        'input_uncached',
        'cache_read',
        'cache_write_5m',
        'cache_write_1h',
        'input_audio',
        'output_text',
        'output_reasoning',
        'output_audio'
    ]) as token_class
),

by_class as (
    select
        summed.*,
        classes.token_class,
        cast(case classes.token_class
            when 'input_uncached' then summed.input_uncached_tokens
            when 'cache_read' then summed.cache_read_tokens
            when 'cache_write_5m' then summed.cache_write_5m_tokens
            when 'cache_write_1h' then summed.cache_write_1h_tokens
            when 'input_audio' then summed.input_audio_tokens
            when 'output_text' then summed.output_text_tokens
            when 'output_reasoning' then summed.output_reasoning_tokens
            when 'output_audio' then summed.output_audio_tokens
        end as decimal(19, 0)) as token_count
    from summed
    cross join classes
),

moments as (
    select unnest(['before', 'after']) as moment
),

candidates as (
    select
        by_class.usage_date,
        by_class.first_priced_at,
        by_class.provider_id,
        by_class.model_id,
        by_class.service_tier,
        by_class.region_id,
        by_class.span_from,
        by_class.band_from,
        by_class.classes_used,
        by_class.token_class,
        by_class.request_count,
        by_class.cost_after_usd,
        by_class.token_count,
        moments.moment,
        case
            when changed_spans.stated_for = '' then 'everywhere'
            when by_class.region_id is null and changed_spans.price_source = 'contract' then 'contract'
            else 'region'
        end as place,
        changed_spans.usd_per_token,
        changed_spans.price_source,
        changed_spans.known_from,
        changed_spans.known_to
    from by_class
    cross join moments
    left join changed_spans
        on
            by_class.provider_id = changed_spans.provider_id
            and by_class.model_id = changed_spans.model_id
            and by_class.service_tier = changed_spans.service_tier
            and by_class.token_class = changed_spans.token_class
            and by_class.span_from = changed_spans.span_from
            and by_class.band_from = changed_spans.band_from
            and (
                changed_spans.stated_for = ''
                or coalesce(by_class.region_id, changed_spans.stated_for) = changed_spans.stated_for
            )
            and case moments.moment
                when 'before'
                    then
                        by_class.first_priced_at >= changed_spans.known_from
                        and by_class.first_priced_at < changed_spans.known_to
                else changed_spans.known_to = cast('9999-12-31 00:00:00' as timestamp)
            end
    where by_class.token_count > 0
),

by_place as (
    select
        usage_date,
        first_priced_at,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        classes_used,
        token_class,
        request_count,
        cost_after_usd,
        token_count,
        moment,
        min(usd_per_token) filter (where place = 'region') as lowest,
        max(usd_per_token) filter (where place = 'region') as highest,
        max(usd_per_token) filter (where place = 'everywhere') as everywhere,
        max(price_source) filter (where place = 'region') as regional_source,
        max(price_source) filter (where place = 'everywhere') as everywhere_source,
        bool_or(place = 'contract') as has_contract,
        max(known_from) as known_from,
        max(known_to) as known_to
    from candidates
    group by
        usage_date,
        first_priced_at,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        classes_used,
        token_class,
        request_count,
        cost_after_usd,
        token_count,
        moment
),

priced as (
    select
        *,
        case
            when lowest is null then everywhere
            when not has_contract and lowest = highest then lowest
            when lowest = everywhere and highest = everywhere then everywhere
        end as usd_per_token,
        coalesce(regional_source, everywhere_source) as price_source
    from by_place
),

side_by_side as (
    select
        usage_date,
        first_priced_at,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        classes_used,
        token_class,
        request_count,
        cost_after_usd,
        token_count,
        max(usd_per_token) filter (where moment = 'before') as price_before,
        max(usd_per_token) filter (where moment = 'after') as price_after,
        max(price_source) filter (where moment = 'before' and usd_per_token is not null) as source_before,
        max(price_source) filter (where moment = 'after' and usd_per_token is not null) as source_after,
        max(known_from) filter (where moment = 'after') as learned_at,
        max(known_to) filter (where moment = 'before') as forgotten_at
    from priced
    group by
        usage_date,
        first_priced_at,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        classes_used,
        token_class,
        request_count,
        cost_after_usd,
        token_count
),

compared as (
    select
        *,
        cast(token_count * price_before as decimal(38, 12)) as class_cost_before_usd,
        coalesce(price_after, cast(-1 as decimal(18, 12))) <> coalesce(price_before, cast(-1 as decimal(18, 12)))
            as is_changed,
        case
            when learned_at > first_priced_at then learned_at
            else forgotten_at
        end as changed_at
    from side_by_side
),

costed as (
    select
        usage_date,
        first_priced_at,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        classes_used,
        request_count,
        cost_after_usd,
        sum(token_count) as token_count,
        case when count(*) = count(class_cost_before_usd) then sum(class_cost_before_usd) end as cost_before_usd,
        max(case when is_changed then changed_at end) as known_from,
        min(case when is_changed then source_before end) as first_source_before,
        max(case when is_changed then source_before end) as last_source_before,
        min(case when is_changed then source_after end) as first_source_after,
        max(case when is_changed then source_after end) as last_source_after
    from compared
    group by
        usage_date,
        first_priced_at,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        classes_used,
        request_count,
        cost_after_usd
),

kinds as (
    select
        *,
        case
            when cost_before_usd is null then 'newly_priced'
            when cost_after_usd is null then 'no_longer_priced'
            else 'repriced'
        end as change_kind
    from costed
    where known_from is not null and (cost_before_usd is not null or cost_after_usd is not null)
)

select
    usage_date,
    provider_id,
    model_id,
    service_tier,
    change_kind,
    cast(sum(request_count) as bigint) as request_count,
    cast(sum(token_count) as decimal(38, 0)) as token_count,
    sum(cost_before_usd) as cost_before_usd,
    sum(cost_after_usd) as cost_after_usd,
    cast(sum(cost_after_usd) as decimal(37, 12)) - cast(sum(cost_before_usd) as decimal(37, 12)) as difference_usd,
    case
        when min(first_source_before) = max(last_source_before) then min(first_source_before)
        else min(first_source_before) || ', ' || max(last_source_before)
    end as price_source_before,
    case
        when min(first_source_after) = max(last_source_after) then min(first_source_after)
        else min(first_source_after) || ', ' || max(last_source_after)
    end as price_source_after,
    min(first_priced_at) as first_priced_at,
    max(known_from) as known_from
from kinds
group by usage_date, provider_id, model_id, service_tier, change_kind
