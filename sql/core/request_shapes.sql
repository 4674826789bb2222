-- What a day's answered attempts could have cost with shorter answers, with shorter prompts, below the price of long
-- contexts, and with the provider's prompt cache: sums by key and feature, each lever by itself.
-- Long answers and prompts are those beyond what 95 of 100 of the same day, feature and model stay within, where there
-- are 20 of them. The cache is replayed over the log: a prompt is read from it if the same key asked with the same
-- prefix that day within five minutes, or within an hour, and is written to it otherwise, at the price of writing. How
-- long a prefix is, no log tells: where prefixes have hashes, it is at most the shortest prompt with it; else the
-- length that 95 of 100 prompts of the feature reach is taken for what they have in common. Attempts that use the cache
-- are left out, and so are prompts asked again: what a cache of answers saves (avoidable_requests), the other does not
-- again. Where writing has no price of its own the provider caches by itself: what it did not read there was not to be
-- had.
-- The log is read and priced once. What is kept of an attempt are numbers: of its names, of its price, of its tokens.
-- Tokens are summed by name and price and multiplied afterwards, from few rows: a day of any size is held in little.
with copies as (
    select
        x_source,
        x_page,
        x_row
    from request_defects
    where defect = 'duplicate'
),

named as (
    select distinct
        usage_date,
        x_source,
        provider_id,
        model_id,
        gateway_team_id,
        key_id,
        key_alias,
        feature,
        team_id
    from usage_by_team_daily
),

-- whose prompts and answers are compared, and whose prompts can meet in the provider's cache
names as (
    select
        *,
        cast(
            row_number() over (
                order by
                    usage_date, x_source, provider_id, model_id, gateway_team_id, feature, key_id, key_alias, team_id
            ) as integer
        ) as name_number,
        cast(
            dense_rank() over (order by usage_date, x_source, provider_id, model_id, gateway_team_id, feature)
            as integer
        ) as kind_number,
        cast(dense_rank() over (order by usage_date, x_source, provider_id, model_id, key_id) as integer)
            as caller_number
    from named
),

-- the stretches of the book are cut for all bands alike: the price of short contexts held as long as the long ones'
book as (
    select
        price_book.*,
        cast(
            row_number() over (
                order by
                    price_book.provider_id,
                    price_book.model_id,
                    price_book.service_tier,
                    price_book.region_id,
                    price_book.input_tokens_from,
                    price_book.valid_from
            ) as integer
        ) as price_number,
        price_book.input_uncached_usd_per_token - short_book.input_uncached_usd_per_token
            as long_input_usd_per_token,
        price_book.cache_read_usd_per_token - short_book.cache_read_usd_per_token as long_cache_read_usd_per_token,
        price_book.output_text_usd_per_token - short_book.output_text_usd_per_token as long_output_usd_per_token,
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
        ) as sold_cache_write_1h_usd_per_token
    from price_book
    left join price_book as short_book
        on
            price_book.input_tokens_from > 0
            and short_book.input_tokens_from = 0
            and price_book.provider_id = short_book.provider_id
            and price_book.model_id = short_book.model_id
            and price_book.service_tier = short_book.service_tier
            and price_book.region_id = short_book.region_id
            and price_book.valid_from = short_book.valid_from
),

answered as (
    select
        names.name_number,
        names.kind_number,
        names.caller_number,
        book.price_number,
        priced_requests.started_at,
        priced_requests.prefix_hash,
        priced_requests.input_total_tokens,
        priced_requests.output_total_tokens,
        priced_requests.input_uncached_tokens,
        priced_requests.cache_read_tokens,
        priced_requests.output_text_tokens,
        priced_requests.priced_cost_usd,
        prompts_asked_again.x_row is null
        and priced_requests.cache_read_tokens
        + priced_requests.cache_write_5m_tokens
        + priced_requests.cache_write_1h_tokens
        = 0 as may_be_cached
    from priced_requests
    left join copies
        on
            priced_requests.x_source = copies.x_source
            and priced_requests.x_page = copies.x_page
            and priced_requests.x_row = copies.x_row
    left join prompts_asked_again
        on
            priced_requests.x_source = prompts_asked_again.x_source
            and priced_requests.x_page = prompts_asked_again.x_page
            and priced_requests.x_row = prompts_asked_again.x_row
    left join names
        on
            priced_requests.usage_date = names.usage_date
            and priced_requests.x_source = names.x_source
            and priced_requests.provider_id = names.provider_id
            and priced_requests.model_id = names.model_id
            and coalesce(priced_requests.gateway_team_id, '') = names.gateway_team_id
            and coalesce(priced_requests.key_id, '') = names.key_id
            and coalesce(priced_requests.key_alias, '') = names.key_alias
            and coalesce(priced_requests.feature, '') = names.feature
    left join book
        on
            priced_requests.service_tier = book.service_tier
            and priced_requests.provider_id = book.provider_id
            and priced_requests.model_id = book.model_id
            and priced_requests.price_region_id = book.region_id
            and priced_requests.price_input_tokens_from = book.input_tokens_from
            and priced_requests.price_from = book.valid_from
    where
        priced_requests.pricing_status = 'priced'
        and priced_requests.status = 'success'
        and priced_requests.priced_cost_usd > 0
        and copies.x_row is null
),

-- the shortest that 95 of a hundred are no longer than, and the longest that 95 of a hundred are no shorter than
bounds as (
    select
        kind_number,
        cast(quantile_disc(output_total_tokens, 0.95) as bigint) as most_output_tokens,
        cast(quantile_disc(input_total_tokens, 0.95) as bigint) as most_input_tokens,
        cast(-quantile_disc(-input_total_tokens, 0.95) as bigint) as common_input_tokens
    from answered
    group by kind_number
    having count(*) >= 20
),

prefixes as (
    select
        caller_number,
        prefix_hash,
        min(input_total_tokens) as prefix_tokens,
        row_number() over (order by caller_number, prefix_hash) as prefix_number
    from answered
    where prefix_hash is not null
    group by caller_number, prefix_hash
),

-- providers cache nothing shorter than 1,024 tokens; without a hash, prompts meet that are of one kind
cacheable as (
    select
        answered.name_number,
        answered.price_number,
        answered.caller_number,
        answered.started_at,
        coalesce(prefixes.prefix_number, -answered.kind_number) as prefix_number,
        least(coalesce(prefixes.prefix_tokens, bounds.common_input_tokens), answered.input_uncached_tokens)
            as prefix_tokens
    from answered
    left join prefixes
        on answered.caller_number = prefixes.caller_number and answered.prefix_hash = prefixes.prefix_hash
    left join bounds on answered.kind_number = bounds.kind_number
    where
        answered.may_be_cached
        and coalesce(prefixes.prefix_tokens, bounds.common_input_tokens) >= 1024
        and coalesce(prefixes.prefix_tokens, bounds.common_input_tokens) <= answered.input_total_tokens
),

-- of attempts that began together, and that differ in nothing that is summed, any may be the first
replayed as (
    select
        name_number,
        price_number,
        prefix_tokens,
        started_at,
        lag(started_at) over (
            partition by caller_number, prefix_number
            order by started_at, name_number, price_number, prefix_tokens
        ) as asked_before_at
    from cacheable
),

cache_sums as (
    select
        name_number,
        price_number,
        sum(prefix_tokens) as prefix_tokens,
        sum(case when started_at - interval 5 minute <= asked_before_at then prefix_tokens else 0 end)
            as read_in_5m_tokens,
        sum(case when started_at - interval 60 minute <= asked_before_at then prefix_tokens else 0 end)
            as read_in_1h_tokens
    from replayed
    group by name_number, price_number
),

size_sums as (
    select
        answered.name_number,
        answered.price_number,
        count(*) as request_count,
        sum(answered.priced_cost_usd) as priced_cost_usd,
        sum(
            case
                when answered.output_total_tokens > bounds.most_output_tokens
                    then least(answered.output_total_tokens - bounds.most_output_tokens, answered.output_text_tokens)
                else 0
            end
        ) as long_output_tokens,
        sum(
            case
                when answered.input_total_tokens > bounds.most_input_tokens
                    then least(answered.input_total_tokens - bounds.most_input_tokens, answered.input_uncached_tokens)
                else 0
            end
        ) as long_prompt_tokens,
        sum(answered.input_uncached_tokens) as input_uncached_tokens,
        sum(answered.cache_read_tokens) as cache_read_tokens,
        sum(answered.output_text_tokens) as output_text_tokens
    from answered
    left join bounds on answered.kind_number = bounds.kind_number
    group by answered.name_number, answered.price_number
),

tokens as (
    select
        size_sums.name_number,
        size_sums.price_number,
        size_sums.request_count,
        size_sums.priced_cost_usd,
        cast(size_sums.long_output_tokens as decimal(18, 0)) as long_output_tokens,
        cast(size_sums.long_prompt_tokens as decimal(18, 0)) as long_prompt_tokens,
        cast(size_sums.input_uncached_tokens as decimal(18, 0)) as input_uncached_tokens,
        cast(size_sums.cache_read_tokens as decimal(18, 0)) as cache_read_tokens,
        cast(size_sums.output_text_tokens as decimal(18, 0)) as output_text_tokens,
        cast(coalesce(cache_sums.prefix_tokens, 0) as decimal(18, 0)) as prefix_tokens,
        cast(coalesce(cache_sums.read_in_5m_tokens, 0) as decimal(18, 0)) as read_in_5m_tokens,
        cast(coalesce(cache_sums.prefix_tokens - cache_sums.read_in_5m_tokens, 0) as decimal(18, 0))
            as written_for_5m_tokens,
        cast(coalesce(cache_sums.read_in_1h_tokens, 0) as decimal(18, 0)) as read_in_1h_tokens,
        cast(coalesce(cache_sums.prefix_tokens - cache_sums.read_in_1h_tokens, 0) as decimal(18, 0))
            as written_for_1h_tokens
    from size_sums
    left join cache_sums
        on size_sums.name_number = cache_sums.name_number and size_sums.price_number = cache_sums.price_number
)

select
    names.usage_date,
    names.x_source,
    names.provider_id,
    names.model_id,
    names.gateway_team_id,
    names.key_id,
    names.key_alias,
    names.feature,
    names.team_id,
    cast(sum(tokens.request_count) as bigint) as request_count,
    cast(sum(tokens.priced_cost_usd) as decimal(38, 12)) as priced_cost_usd,
    cast(
        sum(
            case
                when tokens.long_output_tokens = 0 then 0
                else tokens.long_output_tokens * book.output_text_usd_per_token
            end
        ) as decimal(38, 12)
    ) as long_output_cost_usd,
    cast(
        sum(
            case
                when tokens.long_prompt_tokens = 0 then 0
                else tokens.long_prompt_tokens * book.input_uncached_usd_per_token
            end
        ) as decimal(38, 12)
    ) as long_prompt_cost_usd,
    cast(
        sum(
            case
                when book.long_input_usd_per_token is null or tokens.input_uncached_tokens = 0 then 0
                else tokens.input_uncached_tokens * book.long_input_usd_per_token
            end
            + case
                when book.long_cache_read_usd_per_token is null or tokens.cache_read_tokens = 0 then 0
                else tokens.cache_read_tokens * book.long_cache_read_usd_per_token
            end
            + case
                when book.long_output_usd_per_token is null or tokens.output_text_tokens = 0 then 0
                else tokens.output_text_tokens * book.long_output_usd_per_token
            end
        ) as decimal(38, 12)
    ) as long_context_cost_usd,
    cast(
        sum(
            case
                when
                    tokens.prefix_tokens = 0
                    or book.sold_cache_read_usd_per_token is null
                    or book.sold_cache_write_5m_usd_per_token is null
                    then 0
                else
                    tokens.read_in_5m_tokens
                    * (book.input_uncached_usd_per_token - book.sold_cache_read_usd_per_token)
                    + tokens.written_for_5m_tokens
                    * (book.input_uncached_usd_per_token - book.sold_cache_write_5m_usd_per_token)
            end
        ) as decimal(38, 12)
    ) as cache_5m_saving_usd,
    cast(
        sum(
            case
                when
                    tokens.prefix_tokens = 0
                    or book.sold_cache_read_usd_per_token is null
                    or book.sold_cache_write_1h_usd_per_token is null
                    then 0
                else
                    tokens.read_in_1h_tokens
                    * (book.input_uncached_usd_per_token - book.sold_cache_read_usd_per_token)
                    + tokens.written_for_1h_tokens
                    * (book.input_uncached_usd_per_token - book.sold_cache_write_1h_usd_per_token)
            end
        ) as decimal(38, 12)
    ) as cache_1h_saving_usd,
    cast(
        sum(
            case
                when tokens.prefix_tokens = 0 or book.sold_cache_read_usd_per_token is not null then 0
                else tokens.prefix_tokens * book.input_uncached_usd_per_token
            end
        ) as decimal(38, 12)
    ) as unpriced_cache_cost_usd,
    cast(
        sum(
            case
                when
                    tokens.prefix_tokens = 0
                    or book.sold_cache_read_usd_per_token is null
                    or book.sold_cache_write_5m_usd_per_token is not null
                    or book.sold_cache_write_1h_usd_per_token is not null
                    then 0
                else tokens.prefix_tokens * book.input_uncached_usd_per_token
            end
        ) as decimal(38, 12)
    ) as cached_by_itself_cost_usd
from tokens
left join names on tokens.name_number = names.name_number
left join book on tokens.price_number = book.price_number
group by
    names.usage_date,
    names.x_source,
    names.provider_id,
    names.model_id,
    names.gateway_team_id,
    names.key_id,
    names.key_alias,
    names.feature,
    names.team_id
