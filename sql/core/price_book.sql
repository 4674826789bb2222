-- Own prices cut list prices class by class, so the classes of one model change at different instants and bands.
-- The pivot therefore stands on elementary spans, between any two cuts of any class: spans never overlap, and a
-- request finds at most one row. What was learned last wins, first within a key, then within a span; what was learned
-- last may be that the line is stated no longer, which is a line without a price.
-- A request whose region nobody tells has the regions' price where they all say the same, class by class, and none
-- where they differ: those rows have the region '*' and stand on spans between the cuts of all regions.
with latest as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        token_class,
        input_tokens_from,
        input_tokens_to,
        valid_from,
        valid_to,
        known_from,
        usd_per_mtok,
        row_number() over (
            partition by
                provider_id, model_id, service_tier, region_id, token_class, input_tokens_from, valid_from
            order by known_from desc
        ) as age
    from prices
),

known as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        region_id as stated_for,
        token_class,
        input_tokens_from,
        input_tokens_to,
        valid_from,
        valid_to,
        known_from,
        usd_per_mtok
    from latest
    where age = 1 and usd_per_mtok is not null
    union all
    select
        provider_id,
        model_id,
        service_tier,
        '*' as region_id,
        region_id as stated_for,
        token_class,
        input_tokens_from,
        input_tokens_to,
        valid_from,
        valid_to,
        known_from,
        usd_per_mtok
    from latest
    where age = 1 and usd_per_mtok is not null and region_id <> ''
),

time_cuts as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        valid_from as cut_at
    from known
    union
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        valid_to as cut_at
    from known
),

time_spans as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        cut_at as span_from,
        lead(cut_at) over (partition by provider_id, model_id, service_tier, region_id order by cut_at) as span_to
    from time_cuts
),

band_cuts as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        input_tokens_from as cut_tokens
    from known
    union
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        input_tokens_to as cut_tokens
    from known
),

bands as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        cut_tokens as band_from,
        lead(cut_tokens) over (
            partition by provider_id, model_id, service_tier, region_id order by cut_tokens
        ) as band_to
    from band_cuts
),

covering as (
    select
        known.provider_id,
        known.model_id,
        known.service_tier,
        known.region_id,
        known.token_class,
        bands.band_from,
        bands.band_to,
        time_spans.span_from,
        time_spans.span_to,
        cast(known.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12)) as usd_per_token,
        row_number() over (
            partition by
                known.provider_id, known.model_id, known.service_tier, known.region_id, known.stated_for,
                known.token_class, time_spans.span_from, bands.band_from
            order by known.known_from desc, known.valid_from desc, known.input_tokens_from desc
        ) as age
    from known
    inner join time_spans
        on
            known.provider_id = time_spans.provider_id
            and known.model_id = time_spans.model_id
            and known.service_tier = time_spans.service_tier
            and known.region_id = time_spans.region_id
            and known.valid_from <= time_spans.span_from
            and known.valid_to >= time_spans.span_to
    inner join bands
        on
            known.provider_id = bands.provider_id
            and known.model_id = bands.model_id
            and known.service_tier = bands.service_tier
            and known.region_id = bands.region_id
            and known.input_tokens_from <= bands.band_from
            and known.input_tokens_to >= bands.band_to
),

agreed as (
    select
        provider_id,
        model_id,
        service_tier,
        region_id,
        token_class,
        band_from,
        band_to,
        span_from,
        span_to,
        case when min(usd_per_token) = max(usd_per_token) then min(usd_per_token) end as usd_per_token,
        min(usd_per_token) <> max(usd_per_token) as is_ambiguous
    from covering
    where age = 1
    group by provider_id, model_id, service_tier, region_id, token_class, band_from, band_to, span_from, span_to
)

select
    provider_id,
    model_id,
    service_tier,
    region_id,
    band_from as input_tokens_from,
    band_to as input_tokens_to,
    span_from as valid_from,
    span_to as valid_to,
    max(case when token_class = 'input_uncached' then usd_per_token end) as input_uncached_usd_per_token,
    max(case when token_class = 'cache_read' then usd_per_token end) as cache_read_usd_per_token,
    max(case when token_class = 'cache_write_5m' then usd_per_token end) as cache_write_5m_usd_per_token,
    max(case when token_class = 'cache_write_1h' then usd_per_token end) as cache_write_1h_usd_per_token,
    max(case when token_class = 'input_audio' then usd_per_token end) as input_audio_usd_per_token,
    max(case when token_class = 'output_text' then usd_per_token end) as output_text_usd_per_token,
    max(case when token_class = 'output_reasoning' then usd_per_token end) as output_reasoning_usd_per_token,
    max(case when token_class = 'output_audio' then usd_per_token end) as output_audio_usd_per_token,
    bool_or(is_ambiguous) as is_ambiguous
from agreed
group by provider_id, model_id, service_tier, region_id, band_from, band_to, span_from, span_to
