-- Only usage that was counted waits for a price: an attempt without tokens has nothing to price. A model leaves the
-- queue when its days are priced.
with latest as (
    select max(usage_date) as latest_day from usage_daily
),

waiting as (
    select
        provider_id,
        model_id,
        service_tier,
        price_region_id,
        min(usage_date) as first_day,
        max(usage_date) as last_day,
        sum(unpriced_count) as request_count,
        sum(unpriced_tokens - unpriced_output_tokens) as input_tokens,
        sum(unpriced_output_tokens) as output_tokens,
        sum(unknown_region_tokens) as unknown_region_tokens
    from usage_daily
    where unpriced_tokens > 0
    group by provider_id, model_id, service_tier, price_region_id
)

select
    waiting.provider_id,
    waiting.model_id,
    waiting.service_tier,
    waiting.price_region_id,
    case
        when waiting.provider_id = 'unknown' then 'unknown_model'
        when waiting.unknown_region_tokens > 0 then 'unknown_region'
        else 'no_price'
    end as reason,
    waiting.first_day,
    waiting.last_day,
    cast(date_diff('day', waiting.first_day, latest.latest_day) + 1 as bigint) as days_waiting,
    cast(waiting.request_count as bigint) as request_count,
    cast(waiting.input_tokens as bigint) as input_tokens,
    cast(waiting.output_tokens as bigint) as output_tokens
from waiting
cross join latest
