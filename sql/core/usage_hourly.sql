-- What the log has of every half hour, at one price each, and what of it was logged again: by them a bill's days are
-- told from UTC's.
with repeats as (
    select
        *,
        input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + input_audio_tokens
            as input_tokens,
        date_trunc('hour', started_at)
        + case when minute(started_at) < 30 then interval 0 minute else interval 30 minute end as half_hour
    from request_defects
    where defect in ('duplicate', 'aborted_stream') and not is_self_hosted and service_tier <> 'provisioned'
),

logged as (
    select
        usage_date,
        date_trunc('hour', half_hour) as usage_hour,
        provider_id,
        model_id,
        service_tier,
        price_region_id,
        input_tokens_from,
        price_from,
        cast(sum(request_count) as bigint) as request_count,
        cast(sum(answered_count) as bigint) as answered_count,
        cast(sum(input_uncached_tokens) as bigint) as input_uncached_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
        cast(sum(cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
        cast(sum(input_audio_tokens) as bigint) as input_audio_tokens,
        cast(sum(output_text_tokens) as bigint) as output_text_tokens,
        cast(sum(output_reasoning_tokens) as bigint) as output_reasoning_tokens,
        cast(sum(output_audio_tokens) as bigint) as output_audio_tokens
    from usage_sums
    where summed_by = 'half_hour'
    group by
        usage_date,
        date_trunc('hour', half_hour),
        provider_id,
        model_id,
        service_tier,
        price_region_id,
        input_tokens_from,
        price_from
),

defects as (
    select
        usage_date,
        date_trunc('hour', started_at) as usage_hour,
        coalesce(provider_id, 'unknown') as provider_id,
        coalesce(model_id, billed_model, 'unknown') as model_id,
        service_tier,
        price_region_id,
        coalesce(price_input_tokens_from, 0) as input_tokens_from,
        greatest(half_hour, coalesce(price_from, half_hour)) as price_from,
        count(*) filter (where defect = 'duplicate') as duplicate_count,
        count(*) filter (where defect = 'aborted_stream') as aborted_stream_count,
        count(*) filter (where defect = 'aborted_stream' and input_tokens > 0) as unanswered_count,
        sum(input_uncached_tokens) filter (where defect = 'duplicate') as input_uncached_tokens,
        sum(cache_read_tokens) filter (where defect = 'duplicate') as cache_read_tokens,
        sum(cache_write_5m_tokens) filter (where defect = 'duplicate') as cache_write_5m_tokens,
        sum(cache_write_1h_tokens) filter (where defect = 'duplicate') as cache_write_1h_tokens,
        sum(input_audio_tokens) filter (where defect = 'duplicate') as input_audio_tokens,
        sum(output_text_tokens) filter (where defect = 'duplicate') as output_text_tokens,
        sum(output_reasoning_tokens) filter (where defect = 'duplicate') as output_reasoning_tokens,
        sum(output_audio_tokens) filter (where defect = 'duplicate') as output_audio_tokens
    from repeats
    group by
        usage_date,
        date_trunc('hour', started_at),
        coalesce(provider_id, 'unknown'),
        coalesce(model_id, billed_model, 'unknown'),
        service_tier,
        price_region_id,
        coalesce(price_input_tokens_from, 0),
        greatest(half_hour, coalesce(price_from, half_hour))
)

select
    logged.usage_date,
    logged.usage_hour,
    logged.provider_id,
    logged.model_id,
    logged.service_tier,
    logged.price_region_id,
    logged.input_tokens_from,
    logged.price_from,
    logged.request_count,
    logged.answered_count - coalesce(defects.unanswered_count, 0) as answered_count,
    coalesce(defects.duplicate_count, 0) as duplicate_count,
    coalesce(defects.aborted_stream_count, 0) as aborted_stream_count,
    logged.input_uncached_tokens,
    logged.cache_read_tokens,
    logged.cache_write_5m_tokens,
    logged.cache_write_1h_tokens,
    logged.input_audio_tokens,
    logged.output_text_tokens,
    logged.output_reasoning_tokens,
    logged.output_audio_tokens,
    cast(coalesce(defects.input_uncached_tokens, 0) as bigint) as duplicate_input_uncached_tokens,
    cast(coalesce(defects.cache_read_tokens, 0) as bigint) as duplicate_cache_read_tokens,
    cast(coalesce(defects.cache_write_5m_tokens, 0) as bigint) as duplicate_cache_write_5m_tokens,
    cast(coalesce(defects.cache_write_1h_tokens, 0) as bigint) as duplicate_cache_write_1h_tokens,
    cast(coalesce(defects.input_audio_tokens, 0) as bigint) as duplicate_input_audio_tokens,
    cast(coalesce(defects.output_text_tokens, 0) as bigint) as duplicate_output_text_tokens,
    cast(coalesce(defects.output_reasoning_tokens, 0) as bigint) as duplicate_output_reasoning_tokens,
    cast(coalesce(defects.output_audio_tokens, 0) as bigint) as duplicate_output_audio_tokens,
    price_book.input_uncached_usd_per_token,
    price_book.cache_read_usd_per_token,
    price_book.cache_write_5m_usd_per_token,
    price_book.cache_write_1h_usd_per_token,
    price_book.input_audio_usd_per_token,
    price_book.output_text_usd_per_token,
    price_book.output_reasoning_usd_per_token,
    price_book.output_audio_usd_per_token
from logged
left join defects
    on
        logged.usage_hour = defects.usage_hour
        and logged.provider_id = defects.provider_id
        and logged.model_id = defects.model_id
        and logged.service_tier = defects.service_tier
        and logged.price_region_id = defects.price_region_id
        and logged.input_tokens_from = defects.input_tokens_from
        and logged.price_from = defects.price_from
left join price_book
    on
        logged.provider_id = price_book.provider_id
        and logged.model_id = price_book.model_id
        and logged.service_tier = price_book.service_tier
        and logged.price_region_id = price_book.region_id
        and logged.input_tokens_from = price_book.input_tokens_from
        and logged.price_from >= price_book.valid_from
        and logged.price_from < price_book.valid_to
