with owned as (
    select distinct
        usage_date,
        gateway_team_id,
        key_id,
        key_alias,
        feature,
        team_id
    from usage_by_team_daily
),

duplicates as (
    select
        x_source,
        x_page,
        x_row
    from request_defects
    where defect = 'duplicate'
)

select
    priced_requests.usage_date,
    coalesce(owned.team_id, '') as team_id,
    coalesce(priced_requests.feature, '') as feature,
    priced_requests.is_self_hosted,
    coalesce(priced_requests.customer_hash, priced_requests.user_hash, '') as person_hash,
    count(*) as request_count,
    cast(sum(case when priced_requests.status = 'failure' then 1 else 0 end) as bigint) as failure_count,
    cast(
        sum(
            case
                when priced_requests.priced_cost_usd is not null then 0
                when priced_requests.status = 'failure' and priced_requests.pricing_status = 'no_usage' then 0
                else 1
            end
        ) as bigint
    ) as unpriced_count,
    coalesce(sum(priced_requests.priced_cost_usd), 0) as priced_cost_usd
from priced_requests
left join duplicates
    on
        priced_requests.x_source = duplicates.x_source
        and priced_requests.x_page = duplicates.x_page
        and priced_requests.x_row = duplicates.x_row
left join owned
    on
        priced_requests.usage_date = owned.usage_date
        and coalesce(priced_requests.gateway_team_id, '') = owned.gateway_team_id
        and coalesce(priced_requests.key_id, '') = owned.key_id
        and coalesce(priced_requests.key_alias, '') = owned.key_alias
        and coalesce(priced_requests.feature, '') = owned.feature
where duplicates.x_row is null
group by
    priced_requests.usage_date,
    coalesce(owned.team_id, ''),
    coalesce(priced_requests.feature, ''),
    priced_requests.is_self_hosted,
    coalesce(priced_requests.customer_hash, priced_requests.user_hash, '')
