-- What a day's answered attempts could have cost with shorter answers, with shorter prompts, below the price of long
-- contexts, and with the provider's prompt cache: sums by key and feature, each lever by itself.
-- Long answers and prompts are those beyond what 95 of 100 of the same feature and model stay within, where there are
-- 20 of them. The cache is replayed over the log: a prompt is read from it if the same key asked with the same prefix
-- within five minutes, or within an hour, and is written to it otherwise, at the price of writing. How long a prefix
-- is, no log tells: where prefixes have hashes, it is at most the shortest prompt with it; else the length that 95 of
-- 100 prompts of the feature reach is taken for what they have in common. Attempts that use the cache are left out,
-- and so are prompts asked again: what a cache of answers saves (avoidable_requests), the other does not again.
-- Where writing has no price of its own the provider caches by itself: what it did not read there was not to be had.
with copies as (
    select
        x_source,
        x_page,
        x_row
    from request_defects
    where defect = 'duplicate'
),

prefixes as (
    select
        x_source,
        x_page,
        x_row,
        prefix_hash
    from gateway_requests
    where prefix_hash is not null
),

answered as (
    select
        priced_requests.usage_date,
        priced_requests.started_at,
        priced_requests.x_source,
        priced_requests.x_page,
        priced_requests.x_row,
        priced_requests.provider_id,
        priced_requests.model_id,
        coalesce(priced_requests.gateway_team_id, '') as gateway_team_id,
        coalesce(priced_requests.key_id, '') as key_id,
        coalesce(priced_requests.key_alias, '') as key_alias,
        coalesce(priced_requests.feature, '') as feature,
        coalesce(prefixes.prefix_hash, '') as prefix_hash,
        priced_requests.input_total_tokens,
        priced_requests.output_total_tokens,
        priced_requests.input_uncached_tokens,
        priced_requests.cache_read_tokens,
        prompts_asked_again.x_row is not null as is_repeat,
        priced_requests.cache_read_tokens
        + priced_requests.cache_write_5m_tokens
        + priced_requests.cache_write_1h_tokens as cached_tokens,
        priced_requests.output_text_tokens,
        priced_requests.priced_cost_usd,
        price_book.input_uncached_usd_per_token,
        price_book.cache_read_usd_per_token,
        -- the book fills a class that has no price with that of the class around it: nobody sells a cache at that
        nullif(
            price_book.cache_read_usd_per_token, price_book.input_uncached_usd_per_token
        ) as sold_cache_read_usd_per_token,
        nullif(
            price_book.cache_write_5m_usd_per_token, price_book.input_uncached_usd_per_token
        ) as sold_cache_write_5m_usd_per_token,
        nullif(
            nullif(price_book.cache_write_1h_usd_per_token, price_book.cache_write_5m_usd_per_token),
            price_book.input_uncached_usd_per_token
        ) as sold_cache_write_1h_usd_per_token,
        price_book.output_text_usd_per_token,
        short_prices.input_uncached_usd_per_token as short_input_usd_per_token,
        short_prices.cache_read_usd_per_token as short_cache_read_usd_per_token,
        short_prices.output_text_usd_per_token as short_output_usd_per_token
    from priced_requests
    left join copies
        on
            priced_requests.x_source = copies.x_source
            and priced_requests.x_page = copies.x_page
            and priced_requests.x_row = copies.x_row
    left join prefixes
        on
            priced_requests.x_source = prefixes.x_source
            and priced_requests.x_page = prefixes.x_page
            and priced_requests.x_row = prefixes.x_row
    left join prompts_asked_again
        on
            priced_requests.x_source = prompts_asked_again.x_source
            and priced_requests.x_page = prompts_asked_again.x_page
            and priced_requests.x_row = prompts_asked_again.x_row
    left join price_book
        on
            priced_requests.service_tier = price_book.service_tier
            and priced_requests.provider_id = price_book.provider_id
            and priced_requests.model_id = price_book.model_id
            and priced_requests.price_region_id = price_book.region_id
            and priced_requests.price_input_tokens_from = price_book.input_tokens_from
            and priced_requests.started_at >= price_book.valid_from
            and priced_requests.started_at < price_book.valid_to
    left join price_book as short_prices
        on
            priced_requests.price_input_tokens_from > 0
            and short_prices.input_tokens_from = 0
            and priced_requests.service_tier = short_prices.service_tier
            and priced_requests.provider_id = short_prices.provider_id
            and priced_requests.model_id = short_prices.model_id
            and priced_requests.price_region_id = short_prices.region_id
            and priced_requests.started_at >= short_prices.valid_from
            and priced_requests.started_at < short_prices.valid_to
    where
        priced_requests.pricing_status = 'priced'
        and priced_requests.status = 'success'
        and priced_requests.priced_cost_usd > 0
        and copies.x_row is null
),

sizes as (
    select
        x_source,
        gateway_team_id,
        feature,
        provider_id,
        model_id,
        is_output,
        tokens,
        sum(attempt_count) over (
            partition by x_source, gateway_team_id, feature, provider_id, model_id, is_output
            order by tokens
            rows between unbounded preceding and current row
        ) as count_so_far,
        sum(attempt_count) over (
            partition by x_source, gateway_team_id, feature, provider_id, model_id, is_output
        ) as count_of_all
    from (
        select
            x_source,
            gateway_team_id,
            feature,
            provider_id,
            model_id,
            true as is_output,
            output_total_tokens as tokens,
            count(*) as attempt_count
        from answered
        group by x_source, gateway_team_id, feature, provider_id, model_id, output_total_tokens
        union all
        select
            x_source,
            gateway_team_id,
            feature,
            provider_id,
            model_id,
            false as is_output,
            input_total_tokens as tokens,
            count(*) as attempt_count
        from answered
        group by x_source, gateway_team_id, feature, provider_id, model_id, input_total_tokens
    ) as counted
),

bounds as (
    select
        x_source,
        gateway_team_id,
        feature,
        provider_id,
        model_id,
        min(case when is_output and count_so_far * 100 >= count_of_all * 95 then tokens end) as most_output_tokens,
        min(case when not is_output and count_so_far * 100 >= count_of_all * 95 then tokens end) as most_input_tokens,
        min(case when not is_output and count_so_far * 100 > count_of_all * 5 then tokens end) as common_input_tokens
    from sizes
    where count_of_all >= 20
    group by x_source, gateway_team_id, feature, provider_id, model_id
),

shortest_prompts as (
    select
        x_source,
        key_id,
        provider_id,
        model_id,
        prefix_hash,
        min(input_total_tokens) as prefix_tokens
    from answered
    where prefix_hash <> ''
    group by x_source, key_id, provider_id, model_id, prefix_hash
),

-- providers cache nothing shorter than 1,024 tokens
measured as (
    select
        answered.*,
        bounds.most_output_tokens,
        bounds.most_input_tokens,
        case
            when
                answered.cached_tokens = 0
                and not answered.is_repeat
                and coalesce(shortest_prompts.prefix_tokens, bounds.common_input_tokens) >= 1024
                and answered.input_total_tokens >= coalesce(shortest_prompts.prefix_tokens, bounds.common_input_tokens)
                then
                    least(
                        coalesce(shortest_prompts.prefix_tokens, bounds.common_input_tokens),
                        answered.input_uncached_tokens
                    )
        end as prefix_tokens
    from answered
    left join shortest_prompts
        on
            answered.x_source = shortest_prompts.x_source
            and answered.key_id = shortest_prompts.key_id
            and answered.provider_id = shortest_prompts.provider_id
            and answered.model_id = shortest_prompts.model_id
            and answered.prefix_hash = shortest_prompts.prefix_hash
    left join bounds
        on
            answered.x_source = bounds.x_source
            and answered.gateway_team_id = bounds.gateway_team_id
            and answered.feature = bounds.feature
            and answered.provider_id = bounds.provider_id
            and answered.model_id = bounds.model_id
),

replayed as (
    select
        *,
        lag(started_at) over (
            partition by
                x_source,
                key_id,
                provider_id,
                model_id,
                prefix_hash,
                case when prefix_hash = '' then gateway_team_id else '' end,
                case when prefix_hash = '' then feature else '' end,
                prefix_tokens is not null
            order by started_at, x_page, x_row
        ) as asked_before_at
    from measured
)

select
    replayed.usage_date,
    replayed.x_source,
    replayed.provider_id,
    replayed.model_id,
    replayed.gateway_team_id,
    replayed.key_id,
    replayed.key_alias,
    replayed.feature,
    usage_owners.team_id,
    count(*) as request_count,
    cast(sum(replayed.priced_cost_usd) as decimal(38, 12)) as priced_cost_usd,
    cast(
        sum(
            case
                when replayed.output_total_tokens > replayed.most_output_tokens
                    then
                        cast(
                            least(
                                replayed.output_total_tokens - replayed.most_output_tokens, replayed.output_text_tokens
                            ) as decimal(12, 0)
                        )
                        * replayed.output_text_usd_per_token
                else 0
            end
        ) as decimal(38, 12)
    ) as long_output_cost_usd,
    cast(
        sum(
            case
                when replayed.input_total_tokens > replayed.most_input_tokens
                    then
                        cast(
                            least(
                                replayed.input_total_tokens - replayed.most_input_tokens, replayed.input_uncached_tokens
                            ) as decimal(12, 0)
                        )
                        * replayed.input_uncached_usd_per_token
                else 0
            end
        ) as decimal(38, 12)
    ) as long_prompt_cost_usd,
    cast(
        sum(
            case
                when replayed.short_input_usd_per_token is null then 0
                else
                    cast(replayed.input_uncached_tokens as decimal(12, 0))
                    * (replayed.input_uncached_usd_per_token - replayed.short_input_usd_per_token)
            end
            + case
                when replayed.short_cache_read_usd_per_token is null or replayed.cache_read_usd_per_token is null then 0
                else
                    cast(replayed.cache_read_tokens as decimal(12, 0))
                    * (replayed.cache_read_usd_per_token - replayed.short_cache_read_usd_per_token)
            end
            + case
                when replayed.short_output_usd_per_token is null then 0
                else
                    cast(replayed.output_text_tokens as decimal(12, 0))
                    * (replayed.output_text_usd_per_token - replayed.short_output_usd_per_token)
            end
        ) as decimal(38, 12)
    ) as long_context_cost_usd,
    cast(
        sum(
            case
                when
                    replayed.sold_cache_read_usd_per_token is null
                    or replayed.sold_cache_write_5m_usd_per_token is null
                    or replayed.prefix_tokens is null
                    then 0
                when replayed.started_at - interval 5 minute <= replayed.asked_before_at
                    then
                        cast(replayed.prefix_tokens as decimal(12, 0))
                        * (replayed.input_uncached_usd_per_token - replayed.sold_cache_read_usd_per_token)
                else
                    cast(replayed.prefix_tokens as decimal(12, 0))
                    * (replayed.input_uncached_usd_per_token - replayed.sold_cache_write_5m_usd_per_token)
            end
        ) as decimal(38, 12)
    ) as cache_5m_saving_usd,
    cast(
        sum(
            case
                when
                    replayed.sold_cache_read_usd_per_token is null
                    or replayed.sold_cache_write_1h_usd_per_token is null
                    or replayed.prefix_tokens is null
                    then 0
                when replayed.started_at - interval 60 minute <= replayed.asked_before_at
                    then
                        cast(replayed.prefix_tokens as decimal(12, 0))
                        * (replayed.input_uncached_usd_per_token - replayed.sold_cache_read_usd_per_token)
                else
                    cast(replayed.prefix_tokens as decimal(12, 0))
                    * (replayed.input_uncached_usd_per_token - replayed.sold_cache_write_1h_usd_per_token)
            end
        ) as decimal(38, 12)
    ) as cache_1h_saving_usd,
    cast(
        sum(
            case
                when replayed.sold_cache_read_usd_per_token is null and replayed.prefix_tokens is not null
                    then cast(replayed.prefix_tokens as decimal(12, 0)) * replayed.input_uncached_usd_per_token
                else 0
            end
        ) as decimal(38, 12)
    ) as unpriced_cache_cost_usd,
    cast(
        sum(
            case
                when
                    replayed.sold_cache_read_usd_per_token is not null
                    and replayed.sold_cache_write_5m_usd_per_token is null
                    and replayed.sold_cache_write_1h_usd_per_token is null
                    and replayed.prefix_tokens is not null
                    then cast(replayed.prefix_tokens as decimal(12, 0)) * replayed.input_uncached_usd_per_token
                else 0
            end
        ) as decimal(38, 12)
    ) as cached_by_itself_cost_usd
from replayed
left join usage_owners
    on
        replayed.usage_date = usage_owners.usage_date
        and replayed.gateway_team_id = usage_owners.gateway_team_id
        and replayed.key_id = usage_owners.key_id
        and replayed.key_alias = usage_owners.key_alias
        and replayed.feature = usage_owners.feature
group by
    replayed.usage_date,
    replayed.x_source,
    replayed.provider_id,
    replayed.model_id,
    replayed.gateway_team_id,
    replayed.key_id,
    replayed.key_alias,
    replayed.feature,
    usage_owners.team_id
