-- Rules are matched once for each distinct way to be owned, not once for each row of usage. What is proven to be logged
-- again stays in the sums, and is told beside them.
with holders as (
    select distinct
        usage_date,
        gateway_team_id,
        key_id,
        key_alias,
        feature
    from usage_daily
),

matches as (
    select
        holders.*,
        owners.rule_id,
        owners.team_id,
        owners.priority
    from holders
    inner join owners
        on
            owners.match_kind = 'gateway_key'
            and holders.key_alias = owners.match_value
            and holders.usage_date >= owners.valid_from
            and holders.usage_date < owners.valid_to
    union all
    select
        holders.*,
        owners.rule_id,
        owners.team_id,
        owners.priority
    from holders
    inner join owners
        on
            owners.match_kind = 'gateway_key'
            and holders.key_id = owners.match_value
            and holders.usage_date >= owners.valid_from
            and holders.usage_date < owners.valid_to
    union all
    select
        holders.*,
        owners.rule_id,
        owners.team_id,
        owners.priority
    from holders
    inner join owners
        on
            owners.match_kind = 'gateway_team'
            and holders.gateway_team_id = owners.match_value
            and holders.usage_date >= owners.valid_from
            and holders.usage_date < owners.valid_to
    union all
    select
        holders.*,
        owners.rule_id,
        owners.team_id,
        owners.priority
    from holders
    inner join owners
        on
            owners.match_kind = 'feature'
            and holders.feature = owners.match_value
            and holders.usage_date >= owners.valid_from
            and holders.usage_date < owners.valid_to
),

ranked as (
    select
        *,
        row_number() over (
            partition by usage_date, gateway_team_id, key_id, key_alias, feature
            order by priority, rule_id
        ) as match_order
    from matches
),

duplicates as (
    select
        usage_date,
        x_source,
        coalesce(provider_id, 'unknown') as provider_id,
        coalesce(model_id, billed_model, 'unknown') as model_id,
        is_self_hosted,
        coalesce(gateway_team_id, '') as gateway_team_id,
        coalesce(key_id, '') as key_id,
        coalesce(key_alias, '') as key_alias,
        coalesce(feature, '') as feature,
        coalesce(environment, '') as environment,
        service_tier,
        price_region_id,
        count(*) as duplicate_count,
        cast(sum(input_uncached_tokens) as bigint) as input_uncached_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
        cast(sum(cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
        cast(sum(input_audio_tokens) as bigint) as input_audio_tokens,
        cast(sum(output_text_tokens) as bigint) as output_text_tokens,
        cast(sum(output_reasoning_tokens) as bigint) as output_reasoning_tokens,
        cast(sum(output_audio_tokens) as bigint) as output_audio_tokens,
        sum(priced_cost_usd) as priced_cost_usd
    from request_defects
    where defect = 'duplicate'
    group by
        usage_date,
        x_source,
        coalesce(provider_id, 'unknown'),
        coalesce(model_id, billed_model, 'unknown'),
        is_self_hosted,
        coalesce(gateway_team_id, ''),
        coalesce(key_id, ''),
        coalesce(key_alias, ''),
        coalesce(feature, ''),
        coalesce(environment, ''),
        service_tier,
        price_region_id
)

select
    usage_daily.usage_date,
    usage_daily.x_source,
    usage_daily.provider_id,
    usage_daily.model_id,
    usage_daily.is_self_hosted,
    usage_daily.gateway_team_id,
    usage_daily.key_id,
    usage_daily.key_alias,
    usage_daily.feature,
    usage_daily.environment,
    usage_daily.service_tier,
    usage_daily.price_region_id,
    ranked.team_id,
    ranked.rule_id as owner_rule_id,
    usage_daily.request_count,
    usage_daily.failure_count,
    usage_daily.cache_hit_count,
    usage_daily.unpriced_count,
    usage_daily.input_uncached_tokens,
    usage_daily.cache_read_tokens,
    usage_daily.cache_write_5m_tokens,
    usage_daily.cache_write_1h_tokens,
    usage_daily.input_audio_tokens,
    usage_daily.output_text_tokens,
    usage_daily.output_reasoning_tokens,
    usage_daily.output_audio_tokens,
    usage_daily.unpriced_tokens,
    usage_daily.priced_cost_usd,
    usage_daily.source_reported_cost_usd,
    usage_daily.avoided_cost_usd,
    coalesce(duplicates.duplicate_count, 0) as duplicate_count,
    coalesce(duplicates.input_uncached_tokens, 0) as duplicate_input_uncached_tokens,
    coalesce(duplicates.cache_read_tokens, 0) as duplicate_cache_read_tokens,
    coalesce(duplicates.cache_write_5m_tokens, 0) as duplicate_cache_write_5m_tokens,
    coalesce(duplicates.cache_write_1h_tokens, 0) as duplicate_cache_write_1h_tokens,
    coalesce(duplicates.input_audio_tokens, 0) as duplicate_input_audio_tokens,
    coalesce(duplicates.output_text_tokens, 0) as duplicate_output_text_tokens,
    coalesce(duplicates.output_reasoning_tokens, 0) as duplicate_output_reasoning_tokens,
    coalesce(duplicates.output_audio_tokens, 0) as duplicate_output_audio_tokens,
    duplicates.priced_cost_usd as duplicate_cost_usd
from usage_daily
left join ranked
    on
        usage_daily.usage_date = ranked.usage_date
        and usage_daily.gateway_team_id = ranked.gateway_team_id
        and usage_daily.key_id = ranked.key_id
        and usage_daily.key_alias = ranked.key_alias
        and usage_daily.feature = ranked.feature
        and ranked.match_order = 1
left join duplicates
    on
        usage_daily.usage_date = duplicates.usage_date
        and usage_daily.x_source = duplicates.x_source
        and usage_daily.provider_id = duplicates.provider_id
        and usage_daily.model_id = duplicates.model_id
        and usage_daily.is_self_hosted = duplicates.is_self_hosted
        and usage_daily.gateway_team_id = duplicates.gateway_team_id
        and usage_daily.key_id = duplicates.key_id
        and usage_daily.key_alias = duplicates.key_alias
        and usage_daily.feature = duplicates.feature
        and usage_daily.environment = duplicates.environment
        and usage_daily.service_tier = duplicates.service_tier
        and usage_daily.price_region_id = duplicates.price_region_id
