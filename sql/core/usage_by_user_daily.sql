select
    usage_date,
    team_id,
    feature,
    is_self_hosted,
    coalesce(provider_id, 'unknown') as provider_id,
    coalesce(model_id, billed_model, 'unknown') as model_id,
    coalesce(customer_hash, '') as customer_hash,
    coalesce(user_hash, '') as user_hash,
    coalesce(customer_hash, user_hash, '') as person_hash,
    count(*) as request_count,
    cast(sum(case when status = 'failure' then 1 else 0 end) as bigint) as failure_count,
    cast(sum(case when is_unpriced then 1 else 0 end) as bigint) as unpriced_count,
    coalesce(sum(priced_cost_usd), 0) as priced_cost_usd
from owned_requests
group by
    usage_date,
    team_id,
    feature,
    is_self_hosted,
    coalesce(provider_id, 'unknown'),
    coalesce(model_id, billed_model, 'unknown'),
    coalesce(customer_hash, ''),
    coalesce(user_hash, ''),
    coalesce(customer_hash, user_hash, '')
