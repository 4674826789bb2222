-- billed - estimated = volume + rate, exactly: volume is the price book's price times the difference of tokens, and
-- rate is the rest, so nothing is ever divided. The price is that of the default tier at the start of the day for the
-- smallest context; other tiers and long contexts therefore show as rate. It is that of the log's region; where there
-- are several, or none, the one that all regions agree on, if they do.
-- The bill decides the classes: where it has output but no reasoning, the log's reasoning is output; where it names no
-- class at all, everything logged is `all`, which has no one price, so that only equal tokens tell rate from volume.
-- A line for a day of another month than its bill's is compared with nothing: that day was compared in its own month.
-- Bills in other currencies than USD are not compared.
with billed_lines as (
    select
        billing_period,
        charge_date as usage_date,
        provider_id,
        model_id,
        coalesce(token_class, 'all') as token_class,
        billed_cost,
        cast(
            cast(consumed_quantity as decimal(26, 8)) * case
                when lower(consumed_unit) in ('token', 'tokens') then cast(1 as decimal(7, 0))
                when lower(consumed_unit) in ('1k tokens', '1000 tokens', 'thousand tokens', 'ktokens')
                    then cast(1000 as decimal(7, 0))
                when lower(consumed_unit) in ('1m tokens', '1000000 tokens', 'million tokens', 'mtokens')
                    then cast(1000000 as decimal(7, 0))
            end as decimal(38, 12)
        ) as billed_tokens
    from charge_groups
    where model_id is not null and billing_currency = 'USD'
),

billed as (
    select
        billing_period,
        usage_date,
        provider_id,
        model_id,
        token_class,
        sum(billed_cost) as billed_cost,
        sum(billed_tokens) as billed_tokens
    from billed_lines
    group by billing_period, usage_date, provider_id, model_id, token_class
),

bill_classes as (
    select
        billing_period,
        usage_date,
        provider_id,
        model_id,
        max(case when token_class <> 'all' then 1 else 0 end) as names_classes,
        max(case when token_class = 'output_text' then 1 else 0 end) as names_output,
        max(case when token_class = 'output_reasoning' then 1 else 0 end) as names_reasoning
    from billed
    group by billing_period, usage_date, provider_id, model_id
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

logged_tiers as (
    select
        usage_daily.usage_date,
        cast(date_trunc('month', usage_daily.usage_date) as date) as billing_period,
        usage_daily.provider_id,
        usage_daily.model_id,
        usage_daily.service_tier,
        usage_daily.price_region_id,
        classes.token_class,
        sum(case classes.token_class
            when 'input_uncached' then usage_daily.input_uncached_tokens
            when 'cache_read' then usage_daily.cache_read_tokens
            when 'cache_write_5m' then usage_daily.cache_write_5m_tokens
            when 'cache_write_1h' then usage_daily.cache_write_1h_tokens
            when 'input_audio' then usage_daily.input_audio_tokens
            when 'output_text' then usage_daily.output_text_tokens
            when 'output_reasoning' then usage_daily.output_reasoning_tokens
            when 'output_audio' then usage_daily.output_audio_tokens
        end) as logged_tokens
    from usage_daily
    cross join classes
    where not usage_daily.is_self_hosted
    group by
        usage_daily.usage_date,
        usage_daily.provider_id,
        usage_daily.model_id,
        usage_daily.service_tier,
        usage_daily.price_region_id,
        classes.token_class
),

day_prices as (
    select
        price_book.provider_id,
        price_book.model_id,
        price_book.service_tier,
        price_book.region_id,
        price_book.valid_from,
        price_book.valid_to,
        classes.token_class,
        case classes.token_class
            when 'input_uncached' then price_book.input_uncached_usd_per_token
            when 'cache_read' then price_book.cache_read_usd_per_token
            when 'cache_write_5m' then price_book.cache_write_5m_usd_per_token
            when 'cache_write_1h' then price_book.cache_write_1h_usd_per_token
            when 'input_audio' then price_book.input_audio_usd_per_token
            when 'output_text' then price_book.output_text_usd_per_token
            when 'output_reasoning' then price_book.output_reasoning_usd_per_token
            when 'output_audio' then price_book.output_audio_usd_per_token
        end as usd_per_token
    from price_book
    cross join classes
    where price_book.input_tokens_from = 0
),

estimated_tiers as (
    select
        logged_tiers.billing_period,
        logged_tiers.usage_date,
        logged_tiers.provider_id,
        logged_tiers.model_id,
        logged_tiers.token_class,
        logged_tiers.price_region_id,
        logged_tiers.logged_tokens,
        cast(
            cast(logged_tiers.logged_tokens as decimal(19, 6)) * day_prices.usd_per_token as decimal(38, 12)
        ) as estimated_cost
    from logged_tiers
    left join day_prices
        on
            logged_tiers.provider_id = day_prices.provider_id
            and logged_tiers.model_id = day_prices.model_id
            and logged_tiers.service_tier = day_prices.service_tier
            and logged_tiers.price_region_id = day_prices.region_id
            and logged_tiers.token_class = day_prices.token_class
            and cast(logged_tiers.usage_date as timestamp) >= day_prices.valid_from
            and cast(logged_tiers.usage_date as timestamp) < day_prices.valid_to
    where logged_tiers.logged_tokens > 0
),

logged_lines as (
    select
        estimated_tiers.billing_period,
        estimated_tiers.usage_date,
        estimated_tiers.provider_id,
        estimated_tiers.model_id,
        case
            when bill_classes.names_classes = 0 then 'all'
            when
                estimated_tiers.token_class = 'output_reasoning'
                and bill_classes.names_output = 1
                and bill_classes.names_reasoning = 0
                then 'output_text'
            else estimated_tiers.token_class
        end as token_class,
        estimated_tiers.price_region_id,
        estimated_tiers.logged_tokens,
        estimated_tiers.estimated_cost
    from estimated_tiers
    left join bill_classes
        on
            estimated_tiers.billing_period = bill_classes.billing_period
            and estimated_tiers.usage_date = bill_classes.usage_date
            and estimated_tiers.provider_id = bill_classes.provider_id
            and estimated_tiers.model_id = bill_classes.model_id
),

logged as (
    select
        billing_period,
        usage_date,
        provider_id,
        model_id,
        token_class,
        case when min(price_region_id) = max(price_region_id) then min(price_region_id) else '*' end as price_region_id,
        cast(sum(logged_tokens) as decimal(38, 12)) as logged_tokens,
        -- one tier without a price makes the whole estimate unknown
        case when count(*) = count(estimated_cost) then sum(estimated_cost) end as estimated_cost
    from logged_lines
    group by billing_period, usage_date, provider_id, model_id, token_class
),

compared as (
    select
        coalesce(billed.usage_date, logged.usage_date) as usage_date,
        coalesce(billed.billing_period, logged.billing_period) as billing_period,
        coalesce(billed.provider_id, logged.provider_id) as provider_id,
        coalesce(billed.model_id, logged.model_id) as model_id,
        coalesce(billed.token_class, logged.token_class) as token_class,
        coalesce(logged.price_region_id, '*') as asked_region_id,
        billed.billed_tokens,
        logged.logged_tokens,
        billed.billed_cost,
        logged.estimated_cost,
        cast(
            coalesce(billed.billed_cost, cast(0 as decimal(38, 12)))
            - coalesce(logged.estimated_cost, cast(0 as decimal(38, 12))) as decimal(38, 12)
        ) as difference
    from billed
    full outer join logged
        on
            billed.billing_period = logged.billing_period
            and billed.usage_date = logged.usage_date
            and billed.provider_id = logged.provider_id
            and billed.model_id = logged.model_id
            and billed.token_class = logged.token_class
),

regions as (
    select distinct
        provider_id,
        model_id,
        region_id
    from day_prices
    where service_tier = 'default' and region_id <> ''
),

split as (
    select
        compared.*,
        case
            when compared.billed_cost is null then -compared.estimated_cost
            when compared.logged_tokens is not null and compared.estimated_cost is null then null
            when compared.billed_tokens = compared.logged_tokens then cast(0 as decimal(38, 12))
            else cast(
                cast(
                    compared.billed_tokens - coalesce(compared.logged_tokens, cast(0 as decimal(38, 12)))
                    as decimal(19, 6)
                ) * day_prices.usd_per_token as decimal(38, 12)
            )
        end as volume_difference
    from compared
    left join regions
        on
            compared.provider_id = regions.provider_id
            and compared.model_id = regions.model_id
            and compared.asked_region_id = regions.region_id
    left join day_prices
        on
            compared.provider_id = day_prices.provider_id
            and compared.model_id = day_prices.model_id
            and coalesce(regions.region_id, '') = day_prices.region_id
            and compared.token_class = day_prices.token_class
            and day_prices.service_tier = 'default'
            and cast(compared.usage_date as timestamp) >= day_prices.valid_from
            and cast(compared.usage_date as timestamp) < day_prices.valid_to
)

select
    usage_date,
    billing_period,
    provider_id,
    model_id,
    token_class,
    billed_tokens,
    logged_tokens,
    billed_cost,
    estimated_cost,
    volume_difference,
    difference - volume_difference as rate_difference,
    case when volume_difference is null then difference else cast(0 as decimal(38, 12)) end as unexplained_difference,
    difference,
    case
        when logged_tokens is not null and estimated_cost is null then 'unpriced'
        when billed_cost is null then 'not_billed'
        when logged_tokens is null then 'not_logged'
        when difference = 0 and (billed_tokens is null or billed_tokens = logged_tokens) then 'matched'
        else 'price_and_volume'
    end as cause
from split
