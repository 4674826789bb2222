-- What somebody would write who wants this one answer from these files and nothing else: the yardstick.
with priced as (
    select
        r.usage_date,
        r.x_source,
        coalesce(m.provider_id, 'unknown') as provider_id,
        coalesce(m.model_id, r.billed_model, 'unknown') as model_id,
        coalesce(m.is_self_hosted, false) as is_self_hosted,
        coalesce(r.gateway_team_id, '') as gateway_team_id,
        coalesce(r.key_id, '') as key_id,
        coalesce(r.key_alias, '') as key_alias,
        coalesce(r.feature, '') as feature,
        coalesce(r.environment, '') as environment,
        if(r.service_tier in ('batch', 'flex', 'priority'), r.service_tier, 'default') as service_tier,
        r.* exclude (
            usage_date, x_source, gateway_team_id, key_id, key_alias, feature, environment, service_tier
        ),
        cast(
            if(r.input_uncached_tokens = 0, 0, cast(r.input_uncached_tokens as decimal(12, 0)) * p.input_uncached_usd_per_token)
            + if(r.cache_read_tokens = 0, 0, cast(r.cache_read_tokens as decimal(12, 0)) * p.cache_read_usd_per_token)
            + if(r.cache_write_5m_tokens = 0, 0, cast(r.cache_write_5m_tokens as decimal(12, 0)) * p.cache_write_5m_usd_per_token)
            + if(r.cache_write_1h_tokens = 0, 0, cast(r.cache_write_1h_tokens as decimal(12, 0)) * p.cache_write_1h_usd_per_token)
            + if(r.input_audio_tokens = 0, 0, cast(r.input_audio_tokens as decimal(12, 0)) * p.input_audio_usd_per_token)
            + if(r.output_text_tokens = 0, 0, cast(r.output_text_tokens as decimal(12, 0)) * p.output_text_usd_per_token)
            + if(r.output_reasoning_tokens = 0, 0, cast(r.output_reasoning_tokens as decimal(12, 0)) * p.output_reasoning_usd_per_token)
            + if(r.output_audio_tokens = 0, 0, cast(r.output_audio_tokens as decimal(12, 0)) * p.output_audio_usd_per_token)
            as decimal(18, 12)
        ) as full_cost
    from read_parquet($log) as r
    left join read_parquet($model_identity) as m
        on coalesce(r.provider, '') = m.source_provider and r.billed_model = m.source_model
    left join read_parquet($price_book) as p
        on m.provider_id = p.provider_id and m.model_id = p.model_id and p.region_id = ''  -- no region has prices here
        and if(r.service_tier in ('batch', 'flex', 'priority'), r.service_tier, 'default') = p.service_tier
        and r.started_at >= p.valid_from and r.started_at < p.valid_to
        and r.input_total_tokens >= p.input_tokens_from and r.input_total_tokens < p.input_tokens_to
),

booked as (
    select *, case when is_cache_hit then 0 when is_self_hosted then null else full_cost end as cost
    from priced
)

select
    usage_date, x_source, provider_id, model_id, is_self_hosted, gateway_team_id, key_id, key_alias, feature,
    environment, service_tier, '' as price_region_id,
    count(*) as request_count,
    count(*) filter (where status = 'failure') as failure_count,
    count(*) filter (where is_cache_hit) as cache_hit_count,
    count(*) filter (where cost is null and not is_self_hosted) as unpriced_count,
    count(*) filter (where cost is null and is_self_hosted) as unpriced_self_hosted_count,
    cast(coalesce(sum(input_uncached_tokens) filter (where not is_cache_hit), 0) as bigint) as input_uncached_tokens,
    cast(coalesce(sum(cache_read_tokens) filter (where not is_cache_hit), 0) as bigint) as cache_read_tokens,
    cast(coalesce(sum(cache_write_5m_tokens) filter (where not is_cache_hit), 0) as bigint) as cache_write_5m_tokens,
    cast(coalesce(sum(cache_write_1h_tokens) filter (where not is_cache_hit), 0) as bigint) as cache_write_1h_tokens,
    cast(coalesce(sum(input_audio_tokens) filter (where not is_cache_hit), 0) as bigint) as input_audio_tokens,
    cast(coalesce(sum(output_text_tokens) filter (where not is_cache_hit), 0) as bigint) as output_text_tokens,
    cast(coalesce(sum(output_reasoning_tokens) filter (where not is_cache_hit), 0) as bigint) as output_reasoning_tokens,
    cast(coalesce(sum(output_audio_tokens) filter (where not is_cache_hit), 0) as bigint) as output_audio_tokens,
    cast(coalesce(sum(
        input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens
        + output_text_tokens + output_reasoning_tokens + output_audio_tokens
    ) filter (where cost is null and not is_self_hosted), 0) as bigint) as unpriced_tokens,
    cast(coalesce(sum(output_text_tokens + output_reasoning_tokens + output_audio_tokens) filter (
        where cost is null and not is_self_hosted
    ), 0) as bigint) as unpriced_output_tokens,
    cast(0 as bigint) as unknown_region_tokens,
    sum(cost) as priced_cost_usd,
    sum(source_reported_cost_usd) as source_reported_cost_usd,
    sum(coalesce(avoided_cost_usd, full_cost)) filter (where is_cache_hit) as avoided_cost_usd
from booked
group by all
