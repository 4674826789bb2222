-- Own prices cut list prices class by class, and corrections cut what was known before, so the lines of one model
-- change at different instants and bands. The stretches between any two cuts never overlap: a request lies in at most
-- one.
-- A line is known until the next line of the same key is; one without a price closes it, and is a cut like any other.
-- What holds where nobody tells the region is compared across regions, and with what holds everywhere: on stretches
-- between the cuts of all of them.
with lines as (
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
        price_source,
        coalesce(
            lead(known_from) over (
                partition by
                    provider_id, model_id, service_tier, region_id, token_class, input_tokens_from, valid_from
                order by known_from
            ),
            cast('9999-12-31 00:00:00' as timestamp)
        ) as known_to
    from prices
),

regional as (
    select distinct
        provider_id,
        model_id,
        service_tier
    from lines
    where known_to = cast('9999-12-31 00:00:00' as timestamp) and usd_per_mtok is not null and region_id <> ''
),

known as (
    select
        'now' as horizon,
        lines.region_id as cut_region_id,
        lines.*
    from lines
    where lines.known_to = cast('9999-12-31 00:00:00' as timestamp) and lines.usd_per_mtok is not null
    union all
    select
        'now' as horizon,
        '*' as cut_region_id,
        lines.*
    from lines
    inner join regional
        on
            lines.provider_id = regional.provider_id
            and lines.model_id = regional.model_id
            and lines.service_tier = regional.service_tier
    where lines.known_to = cast('9999-12-31 00:00:00' as timestamp) and lines.usd_per_mtok is not null
    union all
    select
        'ever' as horizon,
        '*' as cut_region_id,
        lines.*
    from lines
),

time_cuts as (
    select
        horizon,
        provider_id,
        model_id,
        service_tier,
        cut_region_id,
        valid_from as cut_at
    from known
    union
    select
        horizon,
        provider_id,
        model_id,
        service_tier,
        cut_region_id,
        valid_to as cut_at
    from known
),

time_spans as (
    select
        horizon,
        provider_id,
        model_id,
        service_tier,
        cut_region_id,
        cut_at as span_from,
        lead(cut_at) over (
            partition by horizon, provider_id, model_id, service_tier, cut_region_id order by cut_at
        ) as span_to
    from time_cuts
),

band_cuts as (
    select
        horizon,
        provider_id,
        model_id,
        service_tier,
        cut_region_id,
        input_tokens_from as cut_tokens
    from known
    union
    select
        horizon,
        provider_id,
        model_id,
        service_tier,
        cut_region_id,
        input_tokens_to as cut_tokens
    from known
),

bands as (
    select
        horizon,
        provider_id,
        model_id,
        service_tier,
        cut_region_id,
        cut_tokens as band_from,
        lead(cut_tokens) over (
            partition by horizon, provider_id, model_id, service_tier, cut_region_id order by cut_tokens
        ) as band_to
    from band_cuts
)

select
    known.horizon,
    known.provider_id,
    known.model_id,
    known.service_tier,
    known.cut_region_id as region_id,
    time_spans.span_from,
    time_spans.span_to,
    bands.band_from,
    bands.band_to,
    known.region_id as stated_for,
    known.token_class,
    known.input_tokens_from,
    known.valid_from,
    known.known_from,
    known.known_to,
    cast(known.usd_per_mtok * cast('0.000001' as decimal(7, 6)) as decimal(18, 12)) as usd_per_token,
    known.price_source
from known
inner join time_spans
    on
        known.horizon = time_spans.horizon
        and known.provider_id = time_spans.provider_id
        and known.model_id = time_spans.model_id
        and known.service_tier = time_spans.service_tier
        and known.cut_region_id = time_spans.cut_region_id
        and known.valid_from <= time_spans.span_from
        and known.valid_to >= time_spans.span_to
inner join bands
    on
        known.horizon = bands.horizon
        and known.provider_id = bands.provider_id
        and known.model_id = bands.model_id
        and known.service_tier = bands.service_tier
        and known.cut_region_id = bands.cut_region_id
        and known.input_tokens_from <= bands.band_from
        and known.input_tokens_to >= bands.band_to
where known.usd_per_mtok is not null
