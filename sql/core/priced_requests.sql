-- What another log tells, too, counts there alone. All else is one row in, one row out: identity and price are left
-- joins whose right sides never match twice, and the cost of a class is whole tokens times whole picodollars: exact in
-- every engine, and what passes 64 bits is an error.
-- A class with tokens and without a price makes the whole cost NULL; a class without tokens needs no price.
-- The region's own price comes first. Where the region has none, it is the price that holds everywhere; where the log
-- does not tell the region and regions have prices of their own, the one that they agree on, if they do: the book has
-- that under the region '*'. A region's rows in the book are complete, so that it is chosen once, for all classes.
-- What is a sum of requests says nothing of their sizes: the smallest context band's price is taken.
-- Only the tiers named below are priced apart: any other word of a log about its tier means the default tier. What is
-- provisioned is paid by the hour: the default tier's price is not that of its tokens.
-- Own models have a price that holds for a day: what their GPUs cost, over their tokens.
-- A failure without usage of which no part came was answered by no model: it has the model that it was meant for, and
-- nothing to price, on own GPUs either.
with prices_in_force as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        input_tokens_from,
        input_tokens_to,
        valid_from,
        valid_to,
        input_uncached_usd_per_token,
        cache_read_usd_per_token,
        cache_write_5m_usd_per_token,
        cache_write_1h_usd_per_token,
        input_audio_usd_per_token,
        output_text_usd_per_token,
        output_reasoning_usd_per_token,
        output_audio_usd_per_token,
        is_ambiguous
    from price_book
    union all
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        input_tokens_from,
        input_tokens_to,
        valid_from,
        valid_to,
        input_usd_per_token as input_uncached_usd_per_token,
        cached_usd_per_token as cache_read_usd_per_token,
        input_usd_per_token as cache_write_5m_usd_per_token,
        input_usd_per_token as cache_write_1h_usd_per_token,
        input_usd_per_token as input_audio_usd_per_token,
        output_usd_per_token as output_text_usd_per_token,
        output_usd_per_token as output_reasoning_usd_per_token,
        output_usd_per_token as output_audio_usd_per_token,
        false as is_ambiguous
    from self_hosted_prices
),

-- a model with prices has a number, by which its prices are found: one comparison for each request and not two of text
priced_models as (
    select
        provider_id,
        model_id,
        row_number() over (order by provider_id, model_id) as model_number
    from prices_in_force
    group by
        provider_id,
        model_id
),

identities as (
    select
        model_identity.source_provider,
        model_identity.source_model,
        model_identity.provider_id,
        model_identity.model_id,
        model_identity.is_self_hosted,
        priced_models.model_number
    from model_identity
    left join priced_models
        on
            model_identity.provider_id = priced_models.provider_id
            and model_identity.model_id = priced_models.model_id
),

regions as (
    select distinct
        provider_id,
        model_id,
        service_tier,
        region_id
    from price_book
    where region_id <> ''
),

identified as (
    select
        gateway_requests.*,
        identities.provider_id,
        identities.model_id,
        identities.model_number,
        coalesce(identities.is_self_hosted, false) as is_self_hosted,
        case gateway_requests.service_tier
            when 'batch' then 'batch'
            when 'flex' then 'flex'
            when 'priority' then 'priority'
            when 'provisioned' then 'provisioned'
            when 'latency-optimized' then 'latency-optimized'
            else 'default'
        end as pricing_tier,
        gateway_requests.input_uncached_tokens
        + gateway_requests.cache_read_tokens
        + gateway_requests.cache_write_5m_tokens
        + gateway_requests.cache_write_1h_tokens
        + gateway_requests.input_audio_tokens
        + gateway_requests.output_text_tokens
        + gateway_requests.output_reasoning_tokens
        + gateway_requests.output_audio_tokens as bucket_tokens,
        case when coalesce(gateway_requests.is_sum, false) then 0 else gateway_requests.input_total_tokens end
            as band_tokens
    from gateway_requests
    left join second_sightings
        on
            gateway_requests.x_source = second_sightings.x_source
            and gateway_requests.x_page = second_sightings.x_page
            and gateway_requests.x_row = second_sightings.x_row
    left join identities
        on
            coalesce(gateway_requests.provider, '') = identities.source_provider
            and gateway_requests.billed_model = identities.source_model
    where second_sightings.x_row is null
),

located as (
    select
        identified.*,
        coalesce(regions.region_id, '') as price_region_id
    from identified
    left join regions
        on
            identified.provider_id = regions.provider_id
            and identified.model_id = regions.model_id
            and identified.pricing_tier = regions.service_tier
            and coalesce(identified.region_id, '*') = regions.region_id
),

numbered as (
    select
        prices_in_force.*,
        priced_models.model_number
    from prices_in_force
    inner join priced_models
        on
            prices_in_force.provider_id = priced_models.provider_id
            and prices_in_force.model_id = priced_models.model_id
),

-- prices are kept in twelve decimals: whole picodollars
book as (
    select
        *,
        cast(cast(input_uncached_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as input_uncached_price,
        cast(cast(cache_read_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as cache_read_price,
        cast(cast(cache_write_5m_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as cache_write_5m_price,
        cast(cast(cache_write_1h_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as cache_write_1h_price,
        cast(cast(input_audio_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as input_audio_price,
        cast(cast(output_text_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as output_text_price,
        cast(
            cast(output_reasoning_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint
        ) as output_reasoning_price,
        cast(cast(output_audio_usd_per_token as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as output_audio_price
    from numbered
),

costed as (
    select
        located.*,
        book.is_ambiguous,
        book.valid_from as price_from,
        book.input_tokens_from as price_input_tokens_from,
        book.input_uncached_usd_per_token,
        case
            when located.input_uncached_tokens = 0 then 0
            else located.input_uncached_tokens * book.input_uncached_price
        end
        + case
            when located.cache_read_tokens = 0 then 0
            else located.cache_read_tokens * book.cache_read_price
        end
        + case
            when located.cache_write_5m_tokens = 0 then 0
            else located.cache_write_5m_tokens * book.cache_write_5m_price
        end
        + case
            when located.cache_write_1h_tokens = 0 then 0
            else located.cache_write_1h_tokens * book.cache_write_1h_price
        end
        + case
            when located.input_audio_tokens = 0 then 0
            else located.input_audio_tokens * book.input_audio_price
        end as input_cost,
        case
            when located.output_text_tokens = 0 then 0
            else located.output_text_tokens * book.output_text_price
        end
        + case
            when located.output_reasoning_tokens = 0 then 0
            else located.output_reasoning_tokens * book.output_reasoning_price
        end
        + case
            when located.output_audio_tokens = 0 then 0
            else located.output_audio_tokens * book.output_audio_price
        end as output_cost
    from located
    left join book
        on
            located.model_number = book.model_number
            and located.pricing_tier = book.service_tier
            and located.price_region_id = book.region_id
            and located.started_at >= book.valid_from
            and located.started_at < book.valid_to
            and located.band_tokens >= book.input_tokens_from
            and located.band_tokens < book.input_tokens_to
),

judged as (
    select
        *,
        case
            when is_cache_hit then 'cache_hit'
            when status = 'failure' and bucket_tokens is null and not coalesce(has_begun, false) then 'no_usage'
            when is_self_hosted and input_cost is not null and output_cost is not null then 'gpu_cost'
            when is_self_hosted then 'self_hosted'
            when bucket_tokens is null then 'no_usage'
            when model_id is null then 'unknown_model'
            when is_ambiguous and (input_cost is null or output_cost is null) then 'unknown_region'
            when input_cost is null or output_cost is null then 'no_price'
            else 'priced'
        end as pricing_status
    from costed
),

-- what has a price has its cost in full: no usage, no model and a class without a price make a cost NULL already
booked as (
    select
        *,
        case
            when is_cache_hit then 0
            when output_cost is not null then input_cost
        end as input_booked,
        case
            when is_cache_hit then 0
            when input_cost is not null then output_cost
        end as output_booked,
        case when is_cache_hit then 0 else input_cost + output_cost end as cost_booked
    from judged
)

select
    usage_date,
    started_at,
    request_id,
    response_id,
    attempt_group_id,
    trace_id,
    latency_seconds,
    provider_id,
    model_id,
    provider as source_provider,
    billed_model,
    is_self_hosted,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    environment,
    customer_hash,
    user_hash,
    outcome_ids,
    prompt_hash,
    prefix_hash,
    status,
    is_cache_hit,
    pricing_tier as service_tier,
    region_id,
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
    cast(
        cast(input_booked as decimal(19, 0)) * cast('0.000000000001' as decimal(12, 12)) as decimal(18, 12)
    ) as input_cost_usd,
    cast(
        cast(output_booked as decimal(19, 0)) * cast('0.000000000001' as decimal(12, 12)) as decimal(18, 12)
    ) as output_cost_usd,
    cast(
        cast(cost_booked as decimal(19, 0)) * cast('0.000000000001' as decimal(12, 12))
        as decimal(18, 12)
    ) as priced_cost_usd,
    case
        when is_cache_hit
            then coalesce(
                avoided_cost_usd,
                cast(
                    cast(input_cost + output_cost as decimal(19, 0)) * cast('0.000000000001' as decimal(12, 12))
                    as decimal(18, 12)
                )
            )
    end as avoided_cost_usd,
    pricing_status,
    price_input_tokens_from,
    price_from,
    input_uncached_usd_per_token,
    source_reported_cost_usd,
    source_cost_basis,
    stated_margin_usd,
    stated_discount_usd,
    is_stream,
    has_begun,
    tags,
    x_source,
    x_page,
    x_row
from booked
