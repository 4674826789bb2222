-- Rules are matched once for each distinct way to be owned, not once for each row of usage.
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
    usage_daily.source_reported_cost_usd
from usage_daily
left join ranked
    on
        usage_daily.usage_date = ranked.usage_date
        and usage_daily.gateway_team_id = ranked.gateway_team_id
        and usage_daily.key_id = ranked.key_id
        and usage_daily.key_alias = ranked.key_alias
        and usage_daily.feature = ranked.feature
        and ranked.match_order = 1
