-- A price that no longer holds is used for whatever came after it; one that was corrected, for what it was thought to
-- hold for.
select
    known_to,
    provider_id,
    model_id,
    service_tier,
    region_id,
    input_tokens_from,
    input_tokens_to,
    valid_from,
    token_class,
    case when known_to = cast('9999-12-31 00:00:00' as timestamp) then valid_to else valid_from end as used_from,
    case when known_to = cast('9999-12-31 00:00:00' as timestamp) then known_to else valid_to end as used_to,
    usd_per_token,
    stated_from
from agreed_prices
where usd_per_token is not null and (known_to > valid_to or known_to < cast('9999-12-31 00:00:00' as timestamp))
