-- The pivot stands on elementary spans: they never overlap, and a request finds at most one row. What was learned last
-- wins within a span.
-- A request whose region nobody tells has the regions' price where they all say the same, class by class, and none
-- where they differ: those rows have the region '*' and stand on spans between the cuts of all regions.
with covering as (
    select
        *,
        row_number() over (
            partition by
                provider_id, model_id, service_tier, region_id, stated_for, token_class, span_from, band_from
            order by known_from desc, valid_from desc, input_tokens_from desc
        ) as age
    from price_spans
    where horizon = 'now'
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
