-- Each kind of defect comes from where it shows: single attempts, several tags of one, holders of a key over a month,
-- and accounts or keys that bill and usage API have and the log has not. A key changes hands when, in the same month,
-- it is another's than all who had it on the first day on which anybody is named: by the rules for the key or its team
-- those whom rules name, without a rule those whom the gateway names. What one of the two says is never held against
-- the other: both may call one team by two names. A rule for a feature says nothing of the key. Where a log has no id
-- of the key, its alias is the key.
with keys as (
    select
        usage_by_team_daily.*,
        coalesce(nullif(usage_by_team_daily.key_id, ''), usage_by_team_daily.key_alias) as held_key,
        cast(date_trunc('month', usage_by_team_daily.usage_date) as date) as billing_period,
        case
            when coalesce(owners.match_kind, '') not in ('gateway_key', 'gateway_team') then null
            when owners.pool_id is null then concat('team:', owners.team_id)
            else concat('pool:', owners.pool_id)
        end as ruled_holder,
        nullif(usage_by_team_daily.gateway_team_id, '') as gateway_holder
    from usage_by_team_daily
    left join owners on usage_by_team_daily.owner_rule_id = owners.rule_id
    where
        coalesce(nullif(usage_by_team_daily.key_id, ''), usage_by_team_daily.key_alias, '') <> ''
        and coalesce(owners.match_kind, '') <> 'feature'
),

named as (
    select
        billing_period,
        x_source,
        held_key,
        usage_date,
        'rule' as named_by,
        ruled_holder as holder
    from keys
    where ruled_holder is not null
    union
    select
        billing_period,
        x_source,
        held_key,
        usage_date,
        'gateway' as named_by,
        gateway_holder as holder
    from keys
    where gateway_holder is not null
),

first_days as (
    select
        billing_period,
        x_source,
        held_key,
        named_by,
        min(usage_date) as usage_date
    from named
    group by billing_period, x_source, held_key, named_by
),

first_holders as (
    select named.*
    from named
    inner join first_days
        on
            named.billing_period = first_days.billing_period
            and named.x_source = first_days.x_source
            and named.held_key = first_days.held_key
            and named.named_by = first_days.named_by
            and named.usage_date = first_days.usage_date
),

-- on the first day itself nobody is another
holders as (
    select
        keys.*,
        case when keys.ruled_holder is null then 'gateway' else 'rule' end as named_by,
        coalesce(keys.ruled_holder, keys.gateway_holder) as holder
    from keys
    where keys.ruled_holder is not null or keys.gateway_holder is not null
),

found as (
    select
        usage_date,
        x_source,
        defect,
        distorts,
        coalesce(provider_id, 'unknown') as provider_id,
        coalesce(model_id, billed_model, 'unknown') as model_id,
        '' as account_id,
        coalesce(gateway_team_id, '') as gateway_team_id,
        coalesce(key_id, '') as key_id,
        coalesce(key_alias, '') as key_alias,
        coalesce(feature, '') as feature,
        1 as request_count,
        case when defect in ('duplicate', 'retry_as_request') then 1 else 0 end as surplus_request_count,
        input_uncached_tokens,
        cache_read_tokens,
        cache_write_5m_tokens,
        cache_write_1h_tokens,
        input_audio_tokens,
        output_text_tokens,
        output_reasoning_tokens,
        output_audio_tokens,
        cast(priced_cost_usd as decimal(38, 12)) as priced_cost_usd,
        effect_usd,
        case when effect_basis = 'stated' then effect_usd end as stated_effect_usd
    from request_defects
    union all
    select
        usage_date,
        x_source,
        defect,
        distorts,
        coalesce(provider_id, 'unknown') as provider_id,
        coalesce(model_id, billed_model, 'unknown') as model_id,
        '' as account_id,
        coalesce(gateway_team_id, '') as gateway_team_id,
        coalesce(key_id, '') as key_id,
        coalesce(key_alias, '') as key_alias,
        coalesce(feature, '') as feature,
        1 as request_count,
        case when defect = 'retry_as_request' then 1 else 0 end as surplus_request_count,
        coalesce(input_uncached_tokens, 0) as input_uncached_tokens,
        coalesce(cache_read_tokens, 0) as cache_read_tokens,
        coalesce(cache_write_5m_tokens, 0) as cache_write_5m_tokens,
        coalesce(cache_write_1h_tokens, 0) as cache_write_1h_tokens,
        coalesce(input_audio_tokens, 0) as input_audio_tokens,
        coalesce(output_text_tokens, 0) as output_text_tokens,
        coalesce(output_reasoning_tokens, 0) as output_reasoning_tokens,
        coalesce(output_audio_tokens, 0) as output_audio_tokens,
        cast(priced_cost_usd as decimal(38, 12)) as priced_cost_usd,
        cast(0 as decimal(38, 12)) as effect_usd,
        cast(null as decimal(38, 12)) as stated_effect_usd
    from midnight_repeats
    union all
    select
        usage_date,
        x_source,
        'several_tags' as defect,
        'cost_by_tag' as distorts,
        provider_id,
        model_id,
        '' as account_id,
        gateway_team_id,
        key_id,
        key_alias,
        feature,
        request_count,
        tag_count - request_count as surplus_request_count,
        input_uncached_tokens,
        cache_read_tokens,
        cache_write_5m_tokens,
        cache_write_1h_tokens,
        input_audio_tokens,
        output_text_tokens,
        output_reasoning_tokens,
        output_audio_tokens,
        priced_cost_usd,
        tagged_cost_usd - priced_cost_usd as effect_usd,
        cast(null as decimal(38, 12)) as stated_effect_usd
    from tag_overlaps
    union all
    select
        holders.usage_date,
        holders.x_source,
        'key_changed_hands' as defect,
        'owner' as distorts,
        holders.provider_id,
        holders.model_id,
        '' as account_id,
        holders.gateway_team_id,
        holders.key_id,
        holders.key_alias,
        holders.feature,
        holders.request_count,
        0 as surplus_request_count,
        holders.input_uncached_tokens,
        holders.cache_read_tokens,
        holders.cache_write_5m_tokens,
        holders.cache_write_1h_tokens,
        holders.input_audio_tokens,
        holders.output_text_tokens,
        holders.output_reasoning_tokens,
        holders.output_audio_tokens,
        holders.priced_cost_usd,
        holders.priced_cost_usd as effect_usd,
        cast(null as decimal(38, 12)) as stated_effect_usd
    from holders
    left join first_holders
        on
            holders.billing_period = first_holders.billing_period
            and holders.x_source = first_holders.x_source
            and holders.held_key = first_holders.held_key
            and holders.named_by = first_holders.named_by
            and holders.holder = first_holders.holder
    where first_holders.holder is null
    union all
    select
        usage_date,
        '' as x_source,
        'bypass' as defect,
        'estimated_cost' as distorts,
        provider_id,
        model_id,
        account_id,
        '' as gateway_team_id,
        '' as key_id,
        '' as key_alias,
        '' as feature,
        cast(null as bigint) as request_count,
        0 as surplus_request_count,
        case when token_class = 'input_uncached' then cast(tokens as bigint) else 0 end as input_uncached_tokens,
        case when token_class = 'cache_read' then cast(tokens as bigint) else 0 end as cache_read_tokens,
        case when token_class = 'cache_write_5m' then cast(tokens as bigint) else 0 end as cache_write_5m_tokens,
        case when token_class = 'cache_write_1h' then cast(tokens as bigint) else 0 end as cache_write_1h_tokens,
        case when token_class = 'input_audio' then cast(tokens as bigint) else 0 end as input_audio_tokens,
        case when token_class = 'output_text' then cast(tokens as bigint) else 0 end as output_text_tokens,
        case when token_class = 'output_reasoning' then cast(tokens as bigint) else 0 end as output_reasoning_tokens,
        case when token_class = 'output_audio' then cast(tokens as bigint) else 0 end as output_audio_tokens,
        usd as priced_cost_usd,
        -usd as effect_usd,
        cast(null as decimal(38, 12)) as stated_effect_usd
    from reconciliation_causes
    where cause = 'bypass'
)

select
    found.usage_date,
    cast(date_trunc('month', found.usage_date) as date) as billing_period,
    found.x_source,
    found.defect,
    found.distorts,
    found.provider_id,
    found.model_id,
    found.account_id,
    found.gateway_team_id,
    found.key_id,
    found.key_alias,
    found.feature,
    usage_owners.team_id,
    cast(sum(found.request_count) as bigint) as request_count,
    cast(sum(found.surplus_request_count) as bigint) as surplus_request_count,
    cast(sum(found.input_uncached_tokens) as bigint) as input_uncached_tokens,
    cast(sum(found.cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(found.cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
    cast(sum(found.cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
    cast(sum(found.input_audio_tokens) as bigint) as input_audio_tokens,
    cast(sum(found.output_text_tokens) as bigint) as output_text_tokens,
    cast(sum(found.output_reasoning_tokens) as bigint) as output_reasoning_tokens,
    cast(sum(found.output_audio_tokens) as bigint) as output_audio_tokens,
    sum(found.priced_cost_usd) as priced_cost_usd,
    sum(found.effect_usd) as effect_usd,
    sum(found.stated_effect_usd) as stated_effect_usd,
    cast(coalesce(sum(found.request_count) filter (where found.effect_usd is null), 0) as bigint)
        as unknown_effect_count
from found
left join usage_owners
    on
        found.usage_date = usage_owners.usage_date
        and found.gateway_team_id = usage_owners.gateway_team_id
        and found.key_id = usage_owners.key_id
        and found.key_alias = usage_owners.key_alias
        and found.feature = usage_owners.feature
group by
    found.usage_date,
    found.x_source,
    found.defect,
    found.distorts,
    found.provider_id,
    found.model_id,
    found.account_id,
    found.gateway_team_id,
    found.key_id,
    found.key_alias,
    found.feature,
    usage_owners.team_id
