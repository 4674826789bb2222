-- The heavy path ends here: one streaming aggregation over the priced view, by the names that usage is told by and by
-- the half hour and price, its memory bounded by the groups. Days, hours and tags are made of these few rows, so that
-- a log is read and priced once for all of them.
-- It has the plain sums by outcome, hit and pricing, under the names as they are; what is called the same is brought
-- together afterwards, from few rows. What follows from another name is none to sum by, since each costs time for each
-- request: a logged name is of one model, and a hit is told by its pricing.
-- Half hours tell a bill's days from UTC's, and in some places a day begins at one. A price that begins within one
-- parts it. They hold only what a provider is paid for by tokens: neither the gateway's own cache nor the company's own
-- models, nor what is provisioned and paid by the hour.
with requests as (
    select
        *,
        date_trunc('hour', started_at)
        + case when minute(started_at) < 30 then interval 0 minute else interval 30 minute end as half_hour,
        case when tags like '%","%' then cast(json_array_length(tags) as bigint) else 1 end as tag_count
    from priced_requests
),

sums as (
    select
        usage_date,
        x_source,
        source_provider,
        billed_model,
        gateway_team_id,
        key_id,
        key_alias,
        feature,
        environment,
        service_tier,
        price_region_id,
        status,
        is_cache_hit,
        pricing_status,
        tag_count,
        half_hour,
        price_input_tokens_from,
        price_from,
        grouping(half_hour) = 1 as is_by_name,
        any_value(provider_id) as provider_id,
        any_value(model_id) as model_id,
        any_value(is_self_hosted) as is_self_hosted,
        count(*) as request_count,
        sum(case
            when input_total_tokens + output_text_tokens + output_reasoning_tokens + output_audio_tokens > 0 then 1
            else 0
        end) as answered_count,
        sum(input_uncached_tokens) as input_uncached_tokens,
        sum(cache_read_tokens) as cache_read_tokens,
        sum(cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(input_audio_tokens) as input_audio_tokens,
        sum(output_text_tokens) as output_text_tokens,
        sum(output_reasoning_tokens) as output_reasoning_tokens,
        sum(output_audio_tokens) as output_audio_tokens,
        sum(priced_cost_usd) as priced_cost_usd,
        sum(source_reported_cost_usd) as source_reported_cost_usd,
        sum(avoided_cost_usd) as avoided_cost_usd
    from requests
    group by grouping sets (
        (
            usage_date,
            x_source,
            source_provider,
            billed_model,
            gateway_team_id,
            key_id,
            key_alias,
            feature,
            environment,
            service_tier,
            price_region_id,
            status,
            pricing_status,
            tag_count
        ),
        (
            usage_date,
            source_provider,
            billed_model,
            service_tier,
            price_region_id,
            is_cache_hit,
            half_hour,
            price_input_tokens_from,
            price_from
        )
    )
),

named as (
    select
        *,
        case when is_by_name then 'name' else 'half_hour' end as summed_by,
        case when is_by_name then coalesce(pricing_status, '') = 'cache_hit' else is_cache_hit end as is_hit,
        coalesce(x_source, '') as source_name,
        coalesce(provider_id, 'unknown') as provider_name,
        coalesce(model_id, billed_model, 'unknown') as model_name,
        coalesce(gateway_team_id, '') as team_name,
        coalesce(key_id, '') as key_name,
        coalesce(key_alias, '') as alias_name,
        coalesce(feature, '') as feature_name,
        coalesce(environment, '') as environment_name,
        coalesce(status, '') as outcome,
        coalesce(pricing_status, '') as pricing,
        coalesce(tag_count, 0) as tag_number,
        coalesce(half_hour, cast(usage_date as timestamp)) as started_from,
        coalesce(price_input_tokens_from, 0) as band_from,
        greatest(
            coalesce(half_hour, cast(usage_date as timestamp)),
            coalesce(price_from, half_hour, cast(usage_date as timestamp))
        ) as priced_from
    from sums
    where is_by_name or (not is_cache_hit and not is_self_hosted and service_tier <> 'provisioned')
)

select
    summed_by,
    usage_date,
    started_from as half_hour,
    source_name as x_source,
    provider_name as provider_id,
    model_name as model_id,
    is_self_hosted,
    team_name as gateway_team_id,
    key_name as key_id,
    alias_name as key_alias,
    feature_name as feature,
    environment_name as environment,
    service_tier,
    price_region_id,
    band_from as input_tokens_from,
    priced_from as price_from,
    outcome as status,
    is_hit as is_cache_hit,
    pricing as pricing_status,
    tag_number as tag_count,
    cast(sum(request_count) as bigint) as request_count,
    cast(sum(answered_count) as bigint) as answered_count,
    coalesce(cast(sum(input_uncached_tokens) as bigint), 0) as input_uncached_tokens,
    coalesce(cast(sum(cache_read_tokens) as bigint), 0) as cache_read_tokens,
    coalesce(cast(sum(cache_write_5m_tokens) as bigint), 0) as cache_write_5m_tokens,
    coalesce(cast(sum(cache_write_1h_tokens) as bigint), 0) as cache_write_1h_tokens,
    coalesce(cast(sum(input_audio_tokens) as bigint), 0) as input_audio_tokens,
    coalesce(cast(sum(output_text_tokens) as bigint), 0) as output_text_tokens,
    coalesce(cast(sum(output_reasoning_tokens) as bigint), 0) as output_reasoning_tokens,
    coalesce(cast(sum(output_audio_tokens) as bigint), 0) as output_audio_tokens,
    sum(priced_cost_usd) as priced_cost_usd,
    sum(source_reported_cost_usd) as source_reported_cost_usd,
    sum(avoided_cost_usd) as avoided_cost_usd
from named
group by
    summed_by,
    usage_date,
    started_from,
    source_name,
    provider_name,
    model_name,
    is_self_hosted,
    team_name,
    key_name,
    alias_name,
    feature_name,
    environment_name,
    service_tier,
    price_region_id,
    band_from,
    priced_from,
    outcome,
    is_hit,
    pricing,
    tag_number
