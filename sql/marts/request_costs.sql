with days as (
    select
        cast(date_trunc('month', usage_date) as date) as billing_period,
        team_id,
        feature,
        case when is_self_hosted then 'self_hosted' else 'api' end as route,
        nullif(person_hash, '') as person_hash,
        request_count,
        failure_count,
        unpriced_count,
        priced_cost_usd
    from usage_by_user_daily
),

counted as (
    select
        'company' as level,
        0 as by_team,
        0 as by_feature,
        0 as by_route
    union all
    select
        'team' as level,
        1 as by_team,
        0 as by_feature,
        0 as by_route
    union all
    select
        'feature' as level,
        0 as by_team,
        1 as by_feature,
        0 as by_route
    union all
    select
        'all' as level,
        1 as by_team,
        1 as by_feature,
        1 as by_route
),

-- a user of several features is one of the company's: every level counts its own
levels as (
    select
        days.billing_period,
        counted.level,
        case when counted.by_team = 1 then days.team_id else '' end as team_id,
        case when counted.by_feature = 1 then days.feature else '' end as feature,
        case when counted.by_route = 1 then days.route else '' end as route,
        days.person_hash,
        days.request_count,
        days.failure_count,
        days.unpriced_count,
        days.priced_cost_usd
    from days
    cross join counted
),

sums as (
    select
        billing_period,
        level,
        team_id,
        feature,
        route,
        cast(sum(request_count) as bigint) as request_count,
        cast(sum(failure_count) as bigint) as failure_count,
        cast(sum(unpriced_count) as bigint) as unpriced_count,
        count(distinct person_hash) as user_count,
        cast(sum(case when person_hash is null then request_count else 0 end) as bigint) as unnamed_count,
        sum(priced_cost_usd) as priced_cost_usd,
        sum(case when person_hash is null then 0 else priced_cost_usd end) as named_cost_usd
    from levels
    group by billing_period, level, team_id, feature, route
),

-- whole nanodollars: divided as integers, exactly and alike in every engine
whole as (
    select
        *,
        cast(cast(priced_cost_usd as decimal(19, 9)) * cast('1000000000' as decimal(10, 0)) as bigint) as nanodollars,
        cast(cast(named_cost_usd as decimal(19, 9)) * cast('1000000000' as decimal(10, 0)) as bigint)
            as named_nanodollars
    from sums
)

select
    billing_period,
    level,
    team_id,
    feature,
    route,
    request_count,
    failure_count,
    unpriced_count,
    user_count,
    unnamed_count,
    priced_cost_usd,
    named_cost_usd,
    case
        when request_count > unpriced_count
            then
                cast(
                    cast(nanodollars // (request_count - unpriced_count) as decimal(19, 0))
                    * cast('0.000000001' as decimal(9, 9)) as decimal(38, 9)
                )
    end as cost_per_request_usd,
    case
        when user_count > 0
            then
                cast(
                    cast(named_nanodollars // user_count as decimal(19, 0)) * cast('0.000000001' as decimal(9, 9))
                    as decimal(38, 9)
                )
    end as cost_per_user_usd
from whole
