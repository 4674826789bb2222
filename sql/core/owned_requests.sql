with duplicates as (
    select
        x_source,
        x_page,
        x_row
    from request_defects
    where defect = 'duplicate'
)

select
    priced_requests.usage_date,
    priced_requests.started_at,
    priced_requests.request_id,
    priced_requests.attempt_group_id,
    priced_requests.trace_id,
    coalesce(usage_owners.team_id, '') as team_id,
    coalesce(priced_requests.feature, '') as feature,
    priced_requests.provider_id,
    priced_requests.model_id,
    priced_requests.billed_model,
    priced_requests.is_self_hosted,
    priced_requests.customer_hash,
    priced_requests.user_hash,
    priced_requests.outcome_ids,
    priced_requests.prompt_hash,
    priced_requests.status,
    priced_requests.status <> 'failure'
    or priced_requests.input_total_tokens is not null
    or coalesce(priced_requests.has_begun, false) as is_answered,
    priced_requests.is_cache_hit,
    priced_requests.input_total_tokens,
    priced_requests.input_cost_usd,
    priced_requests.priced_cost_usd,
    priced_requests.priced_cost_usd is null
    and not (priced_requests.status = 'failure' and priced_requests.pricing_status = 'no_usage') as is_unpriced,
    priced_requests.x_source,
    priced_requests.x_page,
    priced_requests.x_row
from priced_requests
left join duplicates
    on
        priced_requests.x_source = duplicates.x_source
        and priced_requests.x_page = duplicates.x_page
        and priced_requests.x_row = duplicates.x_row
left join usage_owners
    on
        priced_requests.usage_date = usage_owners.usage_date
        and coalesce(priced_requests.gateway_team_id, '') = usage_owners.gateway_team_id
        and coalesce(priced_requests.key_id, '') = usage_owners.key_id
        and coalesce(priced_requests.key_alias, '') = usage_owners.key_alias
        and coalesce(priced_requests.feature, '') = usage_owners.feature
where duplicates.x_row is null
