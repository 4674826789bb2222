-- What repeats something is known beforehand; the priced log is read once, for those attempts and for costs that are
-- not what the tokens cost. Costs that differ by a billionth of a dollar or less are equal: gateways compute in binary
-- floating point. A cost has one defect at most, the first that explains it: none at all, a margin or discount that the
-- log states, a price that the book had earlier or that was corrected since, cached tokens that were charged a second
-- time as uncached ones.
-- An effect is by how much a sum over the log is too high; it is unknown where nobody logged what was used.
with repeats as (
    select * from repeated_requests
),

repeated as (
    select distinct
        x_source,
        x_page,
        x_row
    from repeats
),

suspects as (
    select
        priced_requests.*,
        not priced_requests.is_cache_hit and not priced_requests.is_self_hosted as is_paid,
        coalesce(priced_requests.input_total_tokens, 0)
        + coalesce(priced_requests.output_text_tokens, 0)
        + coalesce(priced_requests.output_reasoning_tokens, 0)
        + coalesce(priced_requests.output_audio_tokens, 0) as used_tokens,
        cast(
            cast(
                priced_requests.cache_read_tokens
                + priced_requests.cache_write_5m_tokens
                + priced_requests.cache_write_1h_tokens as decimal(12, 0)
            ) * priced_requests.input_uncached_usd_per_token as decimal(31, 12)
        ) as cached_as_uncached_usd,
        cast(priced_requests.source_reported_cost_usd - priced_requests.priced_cost_usd as decimal(38, 12))
            as reported_too_much_usd
    from priced_requests
    left join repeated
        on
            priced_requests.x_source = repeated.x_source
            and priced_requests.x_page = repeated.x_page
            and priced_requests.x_row = repeated.x_row
    where
        repeated.x_row is not null
        or priced_requests.source_reported_cost_usd = 0
        or priced_requests.source_cost_basis in ('with_margin', 'after_discount')
        or abs(priced_requests.source_reported_cost_usd - priced_requests.priced_cost_usd) > 0.000000001
        or (priced_requests.is_stream and coalesce(priced_requests.output_text_tokens, 0) = 0)
),

differing as (
    select *
    from suspects
    where
        is_paid
        and used_tokens > 0
        and source_reported_cost_usd <> 0
        and source_cost_basis not in ('with_margin', 'after_discount')
        and abs(reported_too_much_usd) > 0.000000001
),

known_lines as (
    select
        *,
        lead(known_from) over (
            partition by provider_id, model_id, service_tier, region_id, token_class, input_tokens_from, valid_from
            order by known_from
        ) as known_to
    from prices
),

corrections as (
    select distinct
        provider_id,
        model_id,
        service_tier,
        region_id,
        known_to as corrected_at
    from known_lines
    where known_to is not null
),

-- what was known just before each correction
corrected_prices as (
    select
        known_lines.provider_id,
        known_lines.model_id,
        known_lines.service_tier,
        known_lines.region_id,
        known_lines.input_tokens_from,
        known_lines.input_tokens_to,
        known_lines.valid_from,
        known_lines.valid_to,
        max(
            case
                when known_lines.token_class = 'input_uncached'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as input_uncached_usd_per_token,
        max(
            case
                when known_lines.token_class = 'cache_read'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as cache_read_usd_per_token,
        max(
            case
                when known_lines.token_class = 'cache_write_5m'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as cache_write_5m_usd_per_token,
        max(
            case
                when known_lines.token_class = 'cache_write_1h'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as cache_write_1h_usd_per_token,
        max(
            case
                when known_lines.token_class = 'input_audio'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as input_audio_usd_per_token,
        max(
            case
                when known_lines.token_class = 'output_text'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as output_text_usd_per_token,
        max(
            case
                when known_lines.token_class = 'output_reasoning'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as output_reasoning_usd_per_token,
        max(
            case
                when known_lines.token_class = 'output_audio'
                    then cast(known_lines.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12))
            end
        ) as output_audio_usd_per_token
    from known_lines
    inner join corrections
        on
            known_lines.provider_id = corrections.provider_id
            and known_lines.model_id = corrections.model_id
            and known_lines.service_tier = corrections.service_tier
            and known_lines.region_id = corrections.region_id
            and known_lines.known_from < corrections.corrected_at
            and (known_lines.known_to is null or known_lines.known_to >= corrections.corrected_at)
    group by
        known_lines.provider_id,
        known_lines.model_id,
        known_lines.service_tier,
        known_lines.region_id,
        known_lines.input_tokens_from,
        known_lines.input_tokens_to,
        known_lines.valid_from,
        known_lines.valid_to,
        corrections.corrected_at
),

other_prices as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        input_tokens_from,
        input_tokens_to,
        valid_from,
        valid_to as used_from,
        cast('9999-12-31 00:00:00' as timestamp) as used_to,
        input_uncached_usd_per_token,
        cache_read_usd_per_token,
        cache_write_5m_usd_per_token,
        cache_write_1h_usd_per_token,
        input_audio_usd_per_token,
        output_text_usd_per_token,
        output_reasoning_usd_per_token,
        output_audio_usd_per_token
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
        valid_from as used_from,
        valid_to as used_to,
        input_uncached_usd_per_token,
        cache_read_usd_per_token,
        cache_write_5m_usd_per_token,
        cache_write_1h_usd_per_token,
        input_audio_usd_per_token,
        output_text_usd_per_token,
        output_reasoning_usd_per_token,
        output_audio_usd_per_token
    from corrected_prices
),

at_other_prices as (
    select
        differing.x_source,
        differing.x_page,
        differing.x_row,
        differing.source_reported_cost_usd,
        other_prices.valid_from,
        case
            when differing.input_uncached_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.input_uncached_tokens as decimal(12, 0))
                * other_prices.input_uncached_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.cache_read_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.cache_read_tokens as decimal(12, 0))
                * other_prices.cache_read_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.cache_write_5m_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.cache_write_5m_tokens as decimal(12, 0))
                * other_prices.cache_write_5m_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.cache_write_1h_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.cache_write_1h_tokens as decimal(12, 0))
                * other_prices.cache_write_1h_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.input_audio_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.input_audio_tokens as decimal(12, 0))
                * other_prices.input_audio_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.output_text_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.output_text_tokens as decimal(12, 0))
                * other_prices.output_text_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.output_reasoning_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.output_reasoning_tokens as decimal(12, 0))
                * other_prices.output_reasoning_usd_per_token as decimal(31, 12)
            )
        end
        + case
            when differing.output_audio_tokens = 0 then cast(0 as decimal(31, 12))
            else cast(
                cast(differing.output_audio_tokens as decimal(12, 0))
                * other_prices.output_audio_usd_per_token as decimal(31, 12)
            )
        end as cost_usd
    from differing
    inner join other_prices
        on
            differing.provider_id = other_prices.provider_id
            and differing.model_id = other_prices.model_id
            and differing.service_tier = other_prices.service_tier
            and differing.price_region_id = other_prices.region_id
            and differing.input_total_tokens >= other_prices.input_tokens_from
            and differing.input_total_tokens < other_prices.input_tokens_to
            and differing.started_at >= other_prices.used_from
            and differing.started_at < other_prices.used_to
),

stale as (
    select
        x_source,
        x_page,
        x_row,
        max(valid_from) as price_valid_from
    from at_other_prices
    where abs(source_reported_cost_usd - cost_usd) <= 0.000000001
    group by x_source, x_page, x_row
),

costs as (
    select
        suspects.x_source,
        suspects.x_page,
        suspects.x_row,
        suspects.reported_too_much_usd,
        stale.price_valid_from,
        case
            when suspects.source_reported_cost_usd = 0 then 'zero_cost'
            when suspects.source_cost_basis = 'with_margin' then 'margin_in_cost'
            when suspects.source_cost_basis = 'after_discount' then 'discount_in_cost'
            when stale.x_row is not null then 'stale_price'
            when
                suspects.cached_as_uncached_usd > 0
                and abs(abs(suspects.reported_too_much_usd) - suspects.cached_as_uncached_usd) <= 0.000000001
                then 'cache_counted_twice'
        end as defect
    from suspects
    left join stale
        on
            suspects.x_source = stale.x_source
            and suspects.x_page = stale.x_page
            and suspects.x_row = stale.x_row
    where
        suspects.is_paid
        and suspects.used_tokens > 0
        -- a failure that cost nothing is rightly free
        and (suspects.source_reported_cost_usd <> 0 or suspects.status = 'success')
        and suspects.source_reported_cost_usd is not null
),

found as (
    select
        x_source,
        x_page,
        x_row,
        defect,
        case defect when 'duplicate' then 'estimated_cost' when 'id_reused' then 'identity' else 'request_count' end
            as distorts,
        other_request_id,
        cast(null as decimal(38, 12)) as reported_too_much_usd,
        cast(null as timestamp) as price_valid_from
    from repeats
    union all
    select
        x_source,
        x_page,
        x_row,
        'aborted_stream' as defect,
        'estimated_cost' as distorts,
        cast(null as string) as other_request_id,
        cast(null as decimal(38, 12)) as reported_too_much_usd,
        cast(null as timestamp) as price_valid_from
    from suspects
    where is_paid and is_stream and status = 'success' and used_tokens = 0
    union all
    select
        x_source,
        x_page,
        x_row,
        defect,
        -- a log whose own cost is the smaller one has the cached tokens among the uncached ones, too
        case
            when defect = 'cache_counted_twice' and reported_too_much_usd < 0 then 'estimated_cost'
            else 'reported_cost'
        end as distorts,
        cast(null as string) as other_request_id,
        case when defect = 'cache_counted_twice' then abs(reported_too_much_usd) else reported_too_much_usd end
            as reported_too_much_usd,
        price_valid_from
    from costs
    where defect is not null
)

select
    suspects.usage_date,
    suspects.started_at,
    found.defect,
    found.distorts,
    suspects.request_id,
    found.other_request_id,
    suspects.provider_id,
    suspects.model_id,
    suspects.billed_model,
    suspects.service_tier,
    suspects.price_region_id,
    suspects.price_input_tokens_from,
    suspects.is_self_hosted,
    suspects.gateway_team_id,
    suspects.key_id,
    suspects.key_alias,
    suspects.feature,
    coalesce(suspects.input_uncached_tokens, 0) as input_uncached_tokens,
    coalesce(suspects.cache_read_tokens, 0) as cache_read_tokens,
    coalesce(suspects.cache_write_5m_tokens, 0) as cache_write_5m_tokens,
    coalesce(suspects.cache_write_1h_tokens, 0) as cache_write_1h_tokens,
    coalesce(suspects.input_audio_tokens, 0) as input_audio_tokens,
    coalesce(suspects.output_text_tokens, 0) as output_text_tokens,
    coalesce(suspects.output_reasoning_tokens, 0) as output_reasoning_tokens,
    coalesce(suspects.output_audio_tokens, 0) as output_audio_tokens,
    suspects.priced_cost_usd,
    suspects.source_reported_cost_usd,
    case
        when found.defect = 'duplicate' then cast(suspects.priced_cost_usd as decimal(38, 12))
        when found.defect in ('id_reused', 'retry_as_request') then cast(0 as decimal(38, 12))
        else found.reported_too_much_usd
    end as effect_usd,
    found.price_valid_from,
    suspects.x_source,
    suspects.x_page,
    suspects.x_row
from found
inner join suspects
    on found.x_source = suspects.x_source and found.x_page = suspects.x_page and found.x_row = suspects.x_row
