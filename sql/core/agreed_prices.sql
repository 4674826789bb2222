-- What was learned last wins within a stretch; what is known now, and what was known just before each correction.
-- A request whose region nobody tells has the regions' price where they all say the same, class by class, and none
-- where they differ: those rows have the region '*' and stand on stretches between the cuts of all regions. What the
-- company has agreed on for a region is a price of that region alone: beside it only what holds everywhere is a price
-- where no region is told, if the other regions say the same.
with corrections as (
    select distinct
        provider_id,
        model_id,
        service_tier,
        stated_for,
        known_to
    from price_spans
    where horizon = 'ever' and known_to < cast('9999-12-31 00:00:00' as timestamp)
),

known as (
    select
        cast('9999-12-31 00:00:00' as timestamp) as known_to,
        provider_id,
        model_id,
        service_tier,
        region_id,
        span_from,
        span_to,
        band_from,
        band_to,
        stated_for,
        token_class,
        input_tokens_from,
        valid_from,
        known_from,
        usd_per_token,
        price_source
    from price_spans
    where horizon = 'now'
    union all
    select
        corrections.known_to,
        price_spans.provider_id,
        price_spans.model_id,
        price_spans.service_tier,
        price_spans.stated_for as region_id,
        price_spans.span_from,
        price_spans.span_to,
        price_spans.band_from,
        price_spans.band_to,
        price_spans.stated_for,
        price_spans.token_class,
        price_spans.input_tokens_from,
        price_spans.valid_from,
        price_spans.known_from,
        price_spans.usd_per_token,
        price_spans.price_source
    from price_spans
    inner join corrections
        on
            price_spans.provider_id = corrections.provider_id
            and price_spans.model_id = corrections.model_id
            and price_spans.service_tier = corrections.service_tier
            and price_spans.stated_for = corrections.stated_for
            and price_spans.known_from < corrections.known_to
            and price_spans.known_to >= corrections.known_to
    where price_spans.horizon = 'ever'
),

covering as (
    select
        *,
        row_number() over (
            partition by
                known_to, provider_id, model_id, service_tier, region_id, stated_for, token_class, span_from, band_from
            order by known_from desc, valid_from desc, input_tokens_from desc
        ) as age
    from known
),

compared as (
    select
        known_to,
        provider_id,
        model_id,
        service_tier,
        region_id,
        band_from,
        band_to,
        span_from,
        span_to,
        token_class,
        min(usd_per_token) filter (where region_id <> '*') as price_here,
        min(usd_per_token) filter (where stated_for <> '' and price_source <> 'contract') as lowest_listed,
        max(usd_per_token) filter (where stated_for <> '' and price_source <> 'contract') as highest_listed,
        min(usd_per_token) filter (where stated_for = '') as everywhere,
        bool_or(stated_for <> '' and price_source = 'contract') as has_contract,
        max(valid_from) as stated_from
    from covering
    where age = 1
    group by
        known_to, provider_id, model_id, service_tier, region_id, token_class, band_from, band_to, span_from, span_to
),

agreed as (
    select
        *,
        case
            when region_id <> '*' then price_here
            when lowest_listed is null then everywhere
            when has_contract and lowest_listed = everywhere and highest_listed = everywhere then everywhere
            when not has_contract and lowest_listed = highest_listed then lowest_listed
        end as usd_per_token
    from compared
)

select
    known_to,
    provider_id,
    model_id,
    service_tier,
    region_id,
    band_from as input_tokens_from,
    band_to as input_tokens_to,
    span_from as valid_from,
    span_to as valid_to,
    token_class,
    usd_per_token,
    usd_per_token is null as is_ambiguous,
    stated_from
from agreed
