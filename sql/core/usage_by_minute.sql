-- Attempts that were logged again are no demand; those of the gateway's own cache and of own models reach no provider.
with copies as (
    select distinct
        x_source,
        x_page,
        x_row
    from request_defects
    where defect = 'duplicate'
),

attempts as (
    select
        priced_requests.usage_date,
        date_trunc('minute', priced_requests.started_at) as minute_start,
        coalesce(priced_requests.provider_id, 'unknown') as provider_id,
        coalesce(priced_requests.model_id, priced_requests.billed_model, 'unknown') as model_id,
        priced_requests.service_tier,
        coalesce(priced_requests.region_id, '') as region_id,
        priced_requests.priced_cost_usd is not null as is_priced,
        priced_requests.input_uncached_tokens
        + priced_requests.cache_write_5m_tokens
        + priced_requests.cache_write_1h_tokens
        + priced_requests.input_audio_tokens as input_tokens,
        priced_requests.cache_read_tokens as cached_tokens,
        priced_requests.output_text_tokens
        + priced_requests.output_reasoning_tokens
        + priced_requests.output_audio_tokens as output_tokens,
        priced_requests.priced_cost_usd,
        case when priced_requests.pricing_status = 'no_usage' and priced_requests.status <> 'failure' then 1 else 0 end
            as unmetered
    from priced_requests
    left join copies
        on
            priced_requests.x_source = copies.x_source
            and priced_requests.x_page = copies.x_page
            and priced_requests.x_row = copies.x_row
    where copies.x_row is null and not priced_requests.is_cache_hit and not priced_requests.is_self_hosted
)

select
    usage_date,
    minute_start,
    provider_id,
    model_id,
    service_tier,
    region_id,
    is_priced,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(cached_tokens) as bigint) as cached_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    case when is_priced then cast(sum(priced_cost_usd) as decimal(38, 12)) end as priced_cost_usd,
    cast(sum(unmetered) as bigint) as unmetered_attempts
from attempts
where input_tokens + cached_tokens + output_tokens > 0 or unmetered = 1
group by usage_date, minute_start, provider_id, model_id, service_tier, region_id, is_priced
