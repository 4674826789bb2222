-- The money of a model may be in several currencies: its dollars are the sum, and unknown where one of them is.
with own_models as (
    select distinct
        provider_id,
        model_id
    from model_identity
    where is_self_hosted
),

tiers as (
    select unnest(['default', 'batch', 'flex', 'priority']) as service_tier
),

days as (
    select
        usage_date,
        model_id,
        case when count(input_usd_per_token) = count(*) then sum(input_usd_per_token) end as input_usd_per_token,
        case when count(cached_usd_per_token) = count(*) then sum(cached_usd_per_token) end as cached_usd_per_token,
        case when count(output_usd_per_token) = count(*) then sum(output_usd_per_token) end as output_usd_per_token
    from self_hosted_costs
    group by usage_date, model_id
)

select
    own_models.provider_id,
    own_models.model_id,
    tiers.service_tier,
    '' as region_id,
    cast(0 as bigint) as input_tokens_from,
    cast(9223372036854775807 as bigint) as input_tokens_to,
    cast(days.usage_date as timestamp) as valid_from,
    cast(days.usage_date as timestamp) + interval '1 day' as valid_to,
    cast(days.input_usd_per_token as decimal(18, 12)) as input_usd_per_token,
    cast(days.cached_usd_per_token as decimal(18, 12)) as cached_usd_per_token,
    cast(days.output_usd_per_token as decimal(18, 12)) as output_usd_per_token
from days
inner join own_models on days.model_id = own_models.model_id
cross join tiers
