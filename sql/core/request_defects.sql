-- What a log states of margin and discount is taken from its cost first. The rest has one defect at most, the first
-- that explains it: none at all, a margin or discount that the log speaks of and does not state, a price that the book
-- had earlier or that was corrected since, cached tokens at the price of uncached ones, or charged a second time as
-- such. Costs that differ by a billionth of a dollar or less are equal: gateways compute in binary floating point.
-- A stream without output was cut off, if it went well or a first part of it came: a refusal before that costs nothing.
-- An effect is by how much a sum over the log is too high; it is unknown where nobody logged what was used, or can say
-- whether it was used once or twice.
with stated as (
    select
        *,
        coalesce(
            source_reported_cost_usd <> 0 and (stated_margin_usd is not null or stated_discount_usd is not null), false
        ) as is_stated
    from suspect_requests
),

looked_at as (
    select
        *,
        case when is_stated then coalesce(stated_margin_usd, 0) end as margin_usd,
        case when is_stated then coalesce(stated_discount_usd, 0) end as discount_usd,
        cast(
            case
                when is_stated
                    then source_reported_cost_usd - coalesce(stated_margin_usd, 0) + coalesce(stated_discount_usd, 0)
                else source_reported_cost_usd
            end as decimal(38, 12)
        ) as listed_cost_usd
    from stated
),

suspects as (
    select
        *,
        not is_cache_hit and not is_self_hosted and service_tier <> 'provisioned' as is_paid,
        coalesce(input_total_tokens, 0)
        + coalesce(output_text_tokens, 0)
        + coalesce(output_reasoning_tokens, 0)
        + coalesce(output_audio_tokens, 0) as used_tokens,
        input_uncached_tokens
        + cache_read_tokens
        + cache_write_5m_tokens
        + cache_write_1h_tokens
        + input_audio_tokens
        + output_text_tokens
        + output_reasoning_tokens
        + output_audio_tokens as bucket_tokens,
        cast(
            cast(cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens as decimal(12, 0))
            * input_uncached_usd_per_token as decimal(31, 12)
        ) as cached_as_uncached_usd,
        cast(listed_cost_usd - priced_cost_usd as decimal(38, 12)) as listed_too_much_usd,
        source_cost_basis in ('with_margin', 'after_discount') and not is_stated as is_adjusted
    from looked_at
),

token_classes as (
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

differing as (
    select
        suspects.*,
        token_classes.token_class,
        cast(case token_classes.token_class
            when 'input_uncached' then suspects.input_uncached_tokens
            when 'cache_read' then suspects.cache_read_tokens
            when 'cache_write_5m' then suspects.cache_write_5m_tokens
            when 'cache_write_1h' then suspects.cache_write_1h_tokens
            when 'input_audio' then suspects.input_audio_tokens
            when 'output_text' then suspects.output_text_tokens
            when 'output_reasoning' then suspects.output_reasoning_tokens
            when 'output_audio' then suspects.output_audio_tokens
        end as decimal(12, 0)) as token_count
    from suspects
    cross join token_classes
    where
        suspects.is_paid
        and suspects.used_tokens > 0
        and suspects.source_reported_cost_usd <> 0
        and not suspects.is_adjusted
        and abs(suspects.listed_too_much_usd) > 0.000000001
),

-- a class without a price then leaves the attempt without a cost
at_past_prices as (
    select
        differing.x_source,
        differing.x_page,
        differing.x_row,
        differing.listed_cost_usd,
        max(past_prices.stated_from) as price_valid_from,
        sum(differing.token_count * past_prices.usd_per_token) as cost_usd
    from differing
    inner join past_prices
        on
            differing.provider_id = past_prices.provider_id
            and differing.model_id = past_prices.model_id
            and differing.service_tier = past_prices.service_tier
            and differing.price_region_id = past_prices.region_id
            and differing.token_class = past_prices.token_class
            and differing.input_total_tokens >= past_prices.input_tokens_from
            and differing.input_total_tokens < past_prices.input_tokens_to
            and differing.started_at >= past_prices.used_from
            and differing.started_at < past_prices.used_to
    group by
        differing.x_source,
        differing.x_page,
        differing.x_row,
        differing.listed_cost_usd,
        differing.bucket_tokens,
        past_prices.known_to,
        past_prices.valid_from
    having sum(differing.token_count) = differing.bucket_tokens
),

stale as (
    select
        x_source,
        x_page,
        x_row,
        max(price_valid_from) as price_valid_from
    from at_past_prices
    where abs(listed_cost_usd - cost_usd) <= 0.000000001
    group by x_source, x_page, x_row
),

-- what the cached tokens would have cost more as uncached ones: those that were read, and all
dearer as (
    select
        suspects.x_source,
        suspects.x_page,
        suspects.x_row,
        cast(
            cast(suspects.cache_read_tokens as decimal(12, 0))
            * cast(price_book.input_uncached_usd_per_token - price_book.cache_read_usd_per_token as decimal(18, 12))
            as decimal(38, 12)
        ) as read_usd,
        cast(
            cast(suspects.cache_write_5m_tokens as decimal(12, 0)) * cast(
                coalesce(
                    price_book.input_uncached_usd_per_token - price_book.cache_write_5m_usd_per_token, 0
                ) as decimal(18, 12)
            )
            + cast(suspects.cache_write_1h_tokens as decimal(12, 0)) * cast(
                coalesce(
                    price_book.input_uncached_usd_per_token - price_book.cache_write_1h_usd_per_token, 0
                ) as decimal(18, 12)
            ) as decimal(38, 12)
        ) as written_usd
    from suspects
    inner join price_book
        on
            suspects.provider_id = price_book.provider_id
            and suspects.model_id = price_book.model_id
            and suspects.service_tier = price_book.service_tier
            and suspects.price_region_id = price_book.region_id
            and suspects.input_total_tokens >= price_book.input_tokens_from
            and suspects.input_total_tokens < price_book.input_tokens_to
            and suspects.started_at >= price_book.valid_from
            and suspects.started_at < price_book.valid_to
    where
        suspects.is_paid
        and not suspects.is_adjusted
        and suspects.cache_read_tokens > 0
        and suspects.listed_too_much_usd > 0.000000001
),

costs as (
    select
        suspects.x_source,
        suspects.x_page,
        suspects.x_row,
        suspects.listed_too_much_usd,
        stale.price_valid_from,
        case
            when suspects.source_reported_cost_usd = 0 then 'zero_cost'
            when suspects.is_adjusted and suspects.source_cost_basis = 'with_margin' then 'margin_in_cost'
            when suspects.is_adjusted then 'discount_in_cost'
            when stale.x_row is not null then 'stale_price'
            when
                dearer.read_usd > 0
                and (
                    abs(suspects.listed_too_much_usd - dearer.read_usd) <= 0.000000001
                    or abs(suspects.listed_too_much_usd - dearer.read_usd - dearer.written_usd) <= 0.000000001
                )
                then 'cached_at_full_price'
            when
                suspects.cached_as_uncached_usd > 0
                and abs(abs(suspects.listed_too_much_usd) - suspects.cached_as_uncached_usd) <= 0.000000001
                then 'cache_counted_twice'
        end as defect
    from suspects
    left join stale
        on
            suspects.x_source = stale.x_source
            and suspects.x_page = stale.x_page
            and suspects.x_row = stale.x_row
    left join dearer
        on
            suspects.x_source = dearer.x_source
            and suspects.x_page = dearer.x_page
            and suspects.x_row = dearer.x_row
    where
        suspects.is_paid
        and suspects.used_tokens > 0
        -- a failure that cost nothing is rightly free
        and (suspects.source_reported_cost_usd <> 0 or suspects.status = 'success')
        and suspects.source_reported_cost_usd is not null
),

adjustments as (
    select unnest(['margin_in_cost', 'discount_in_cost']) as defect
),

stated_adjustments as (
    select
        suspects.x_source,
        suspects.x_page,
        suspects.x_row,
        adjustments.defect,
        case when adjustments.defect = 'margin_in_cost' then suspects.margin_usd else -suspects.discount_usd end
            as reported_too_much_usd
    from suspects
    cross join adjustments
    where
        suspects.is_paid
        and suspects.is_stated
        and suspects.used_tokens > 0
),

repeated as (
    select * from proven_repeats
),

found as (
    select
        x_source,
        x_page,
        x_row,
        defect,
        case
            when defect in ('duplicate', 'possible_duplicate') then 'estimated_cost'
            when defect = 'id_reused' then 'identity'
            else 'request_count'
        end as distorts,
        other_request_id,
        cast(null as string) as effect_basis,
        cast(null as decimal(38, 12)) as reported_too_much_usd,
        cast(null as timestamp) as price_valid_from
    from repeated
    union all
    select
        suspects.x_source,
        suspects.x_page,
        suspects.x_row,
        'aborted_stream' as defect,
        'estimated_cost' as distorts,
        cast(null as string) as other_request_id,
        cast(null as string) as effect_basis,
        cast(null as decimal(38, 12)) as reported_too_much_usd,
        cast(null as timestamp) as price_valid_from
    from suspects
    left join repeated
        on
            suspects.x_source = repeated.x_source
            and suspects.x_page = repeated.x_page
            and suspects.x_row = repeated.x_row
            and repeated.defect = 'duplicate'
    where
        repeated.x_row is null
        and suspects.is_paid
        and suspects.is_stream
        and (suspects.status = 'success' or suspects.has_begun)
        and coalesce(suspects.output_text_tokens, 0)
        + coalesce(suspects.output_reasoning_tokens, 0)
        + coalesce(suspects.output_audio_tokens, 0) = 0
    union all
    select
        x_source,
        x_page,
        x_row,
        defect,
        -- a log whose own cost is the smaller one has the cached tokens among the uncached ones, too
        case
            when defect = 'cache_counted_twice' and listed_too_much_usd < 0 then 'estimated_cost'
            else 'reported_cost'
        end as distorts,
        cast(null as string) as other_request_id,
        'priced' as effect_basis,
        case when defect = 'cache_counted_twice' then abs(listed_too_much_usd) else listed_too_much_usd end
            as reported_too_much_usd,
        price_valid_from
    from costs
    where defect is not null
    union all
    select
        x_source,
        x_page,
        x_row,
        defect,
        'reported_cost' as distorts,
        cast(null as string) as other_request_id,
        'stated' as effect_basis,
        cast(reported_too_much_usd as decimal(38, 12)) as reported_too_much_usd,
        cast(null as timestamp) as price_valid_from
    from stated_adjustments
    where reported_too_much_usd <> 0
)

select
    suspect_requests.usage_date,
    suspect_requests.started_at,
    found.defect,
    found.distorts,
    suspect_requests.request_id,
    found.other_request_id,
    suspect_requests.provider_id,
    suspect_requests.model_id,
    suspect_requests.billed_model,
    suspect_requests.service_tier,
    suspect_requests.price_region_id,
    suspect_requests.price_input_tokens_from,
    suspect_requests.price_from,
    suspect_requests.is_self_hosted,
    suspect_requests.gateway_team_id,
    suspect_requests.key_id,
    suspect_requests.key_alias,
    suspect_requests.feature,
    suspect_requests.environment,
    coalesce(suspect_requests.input_uncached_tokens, 0) as input_uncached_tokens,
    coalesce(suspect_requests.cache_read_tokens, 0) as cache_read_tokens,
    coalesce(suspect_requests.cache_write_5m_tokens, 0) as cache_write_5m_tokens,
    coalesce(suspect_requests.cache_write_1h_tokens, 0) as cache_write_1h_tokens,
    coalesce(suspect_requests.input_audio_tokens, 0) as input_audio_tokens,
    coalesce(suspect_requests.output_text_tokens, 0) as output_text_tokens,
    coalesce(suspect_requests.output_reasoning_tokens, 0) as output_reasoning_tokens,
    coalesce(suspect_requests.output_audio_tokens, 0) as output_audio_tokens,
    suspect_requests.priced_cost_usd,
    suspect_requests.source_reported_cost_usd,
    case
        when
            found.defect = 'duplicate'
            and coalesce(suspect_requests.input_total_tokens, 0) + coalesce(suspect_requests.output_total_tokens, 0) = 0
            then cast(0 as decimal(38, 12))
        when found.defect = 'duplicate' then cast(suspect_requests.priced_cost_usd as decimal(38, 12))
        when found.defect in ('id_reused', 'retry_as_request') then cast(0 as decimal(38, 12))
        else found.reported_too_much_usd
    end as effect_usd,
    found.effect_basis,
    found.price_valid_from,
    suspect_requests.x_source,
    suspect_requests.x_page,
    suspect_requests.x_row
from found
inner join suspect_requests
    on
        found.x_source = suspect_requests.x_source
        and found.x_page = suspect_requests.x_page
        and found.x_row = suspect_requests.x_row
