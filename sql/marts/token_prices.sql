-- The book's own stretches, so that a request finds its price by the columns that it has: models, tiers and regions
-- that the log has, at times between its first day of them and its last.
with used as (
    select
        provider_id,
        model_id,
        service_tier,
        price_region_id,
        min(usage_date) as first_day,
        max(usage_date) as last_day
    from usage_daily
    where not is_self_hosted
    group by provider_id, model_id, service_tier, price_region_id
),

-- of the lines of one region the one that was learned last is the region's price: as the book takes them
stated as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        token_class,
        stated_for,
        usd_per_token,
        price_source,
        row_number() over (
            partition by
                provider_id, model_id, service_tier, region_id, stated_for, token_class, span_from, band_from
            order by known_from desc, valid_from desc, input_tokens_from desc
        ) as age
    from price_spans
    where horizon = 'now'
),

-- what a contract says of one region is never the price where no region is told
sourced as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        band_from,
        token_class,
        usd_per_token,
        min(price_source) as price_source
    from stated
    where age = 1 and (region_id <> '*' or stated_for = '' or price_source <> 'contract')
    group by provider_id, model_id, service_tier, region_id, span_from, band_from, token_class, usd_per_token
)

select
    agreed_prices.provider_id,
    agreed_prices.model_id,
    agreed_prices.service_tier,
    agreed_prices.region_id as price_region_id,
    agreed_prices.token_class,
    agreed_prices.input_tokens_from,
    agreed_prices.input_tokens_to,
    agreed_prices.valid_from,
    agreed_prices.valid_to,
    cast(agreed_prices.usd_per_token * cast('1000000' as decimal(7, 0)) as decimal(18, 6)) as usd_per_mtok,
    sourced.price_source,
    agreed_prices.stated_from,
    used.first_day,
    used.last_day
from agreed_prices
inner join used
    on
        agreed_prices.provider_id = used.provider_id
        and agreed_prices.model_id = used.model_id
        and agreed_prices.service_tier = used.service_tier
        and agreed_prices.region_id = used.price_region_id
        and agreed_prices.valid_from < cast(used.last_day + interval 1 day as timestamp)
        and agreed_prices.valid_to > cast(used.first_day as timestamp)
left join sourced
    on
        agreed_prices.provider_id = sourced.provider_id
        and agreed_prices.model_id = sourced.model_id
        and agreed_prices.service_tier = sourced.service_tier
        and agreed_prices.region_id = sourced.region_id
        and agreed_prices.valid_from = sourced.span_from
        and agreed_prices.input_tokens_from = sourced.band_from
        and agreed_prices.token_class = sourced.token_class
        and agreed_prices.usd_per_token = sourced.usd_per_token
where agreed_prices.known_to = cast('9999-12-31 00:00:00' as timestamp)
