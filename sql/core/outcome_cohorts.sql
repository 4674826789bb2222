-- The squares are those of whole traces of a day: a part's own figure times its trace's. Added up over rows that hold
-- whole traces they are exact; where a trace lies in several teams or features, those of one are too large, and never
-- too small. They are decimals, of nine places each, because sums of floating numbers depend on their order.
-- A trace of several parts is one case: of the kind on its first part, of a team on that team's, of a feature likewise.
with came as (
    select
        outcome_kind,
        cohort_date,
        trace_key,
        team_id,
        feature,
        sum(case when is_reversed then 0 else share end) as outcome_count,
        sum(case when is_success then share else 0 end) as success_count,
        sum(case when is_reversed then share else 0 end) as reversed_count,
        sum(case when method <> 'trace' then share else 0 end) as key_count,
        sum(case when not is_reversed and quality_ratio is not null then share else 0 end) as rated_count,
        sum(
            case
                when is_reversed or quality_ratio is null then cast(0 as decimal(38, 12))
                else cast(cast(share as decimal(13, 9)) * cast(quality_ratio as decimal(24, 9)) as decimal(38, 12))
            end
        ) as quality_sum,
        sum(conflict_count) as conflict_count
    from outcome_shares
    where method <> 'none'
    group by
        outcome_kind,
        cohort_date,
        trace_key,
        team_id,
        feature
),

parts as (
    select
        outcome_traces.usage_date,
        outcome_traces.outcome_kind,
        outcome_traces.trace_key,
        outcome_traces.team_id,
        outcome_traces.feature,
        outcome_traces.route,
        outcome_traces.model_id,
        outcome_traces.request_count,
        outcome_traces.failure_count,
        outcome_traces.unpriced_count,
        coalesce(outcome_traces.priced_cost_usd, 0) as cost,
        coalesce(came.outcome_count, 0) as outcome_count,
        coalesce(came.success_count, 0) as success_count,
        coalesce(came.reversed_count, 0) as reversed_count,
        coalesce(came.key_count, 0) as key_count,
        coalesce(came.rated_count, 0) as rated_count,
        coalesce(came.quality_sum, 0) as quality_sum,
        coalesce(came.conflict_count, 0) as conflict_count
    from outcome_traces
    left join came
        on
            outcome_traces.outcome_kind = came.outcome_kind
            and outcome_traces.usage_date = came.cohort_date
            and outcome_traces.trace_key = came.trace_key
            and outcome_traces.team_id = came.team_id
            and outcome_traces.feature = came.feature
),

whole as (
    select
        *,
        sum(outcome_count + reversed_count) over trace > 0 as has_outcome,
        cast(cost as decimal(18, 9)) as own_cost,
        cast(outcome_count as decimal(18, 9)) as own_outcomes,
        cast(success_count as decimal(18, 9)) as own_successes,
        cast(sum(cost) over trace as decimal(18, 9)) as trace_cost,
        cast(sum(outcome_count) over trace as decimal(18, 9)) as trace_outcomes,
        cast(sum(success_count) over trace as decimal(18, 9)) as trace_successes,
        row_number() over (partition by usage_date, outcome_kind, trace_key order by team_id asc, feature asc)
            as part_order,
        row_number() over (partition by usage_date, outcome_kind, trace_key, team_id order by feature asc)
            as part_order_of_team,
        row_number() over (partition by usage_date, outcome_kind, trace_key, feature order by team_id asc)
            as part_order_of_feature
    from parts
    window trace as (partition by usage_date, outcome_kind, trace_key)
),

unmet as (
    select
        usage_date,
        outcome_kind,
        count(*) as unmatched_count,
        sum(conflict_count) as conflict_count
    from outcome_shares
    where method = 'none'
    group by usage_date, outcome_kind
)

select
    usage_date,
    outcome_kind,
    team_id,
    feature,
    route,
    model_id,
    cast(count(distinct trace_key) as bigint) as trace_count,
    cast(sum(case when part_order = 1 then 1 else 0 end) as bigint) as kind_trace_count,
    cast(sum(case when part_order_of_team = 1 then 1 else 0 end) as bigint) as team_trace_count,
    cast(sum(case when part_order_of_feature = 1 then 1 else 0 end) as bigint) as feature_trace_count,
    cast(sum(request_count) as bigint) as request_count,
    cast(sum(failure_count) as bigint) as failure_count,
    cast(sum(unpriced_count) as bigint) as unpriced_count,
    sum(cost) as priced_cost_usd,
    sum(case when has_outcome then cost else 0 end) as attributed_cost_usd,
    sum(case when has_outcome then 0 else cost end) as unattributed_cost_usd,
    sum(outcome_count) as outcome_count,
    sum(success_count) as success_count,
    sum(reversed_count) as reversed_count,
    cast(0 as bigint) as unmatched_count,
    sum(key_count) as key_count,
    sum(rated_count) as rated_count,
    cast(sum(quality_sum) as decimal(38, 12)) as quality_sum,
    cast(sum(conflict_count) as bigint) as conflict_count,
    cast(sum(cast(own_cost * trace_cost as decimal(38, 18))) as decimal(38, 18)) as cost_squares,
    cast(sum(cast(own_outcomes * trace_outcomes as decimal(38, 18))) as decimal(38, 18)) as outcome_squares,
    cast(sum(cast(own_successes * trace_successes as decimal(38, 18))) as decimal(38, 18)) as success_squares,
    cast(sum(cast(own_cost * trace_outcomes as decimal(38, 18))) as decimal(38, 18)) as cost_outcome_products,
    cast(sum(cast(own_cost * trace_successes as decimal(38, 18))) as decimal(38, 18)) as cost_success_products
from whole
group by
    usage_date,
    outcome_kind,
    team_id,
    feature,
    route,
    model_id
union all
select
    usage_date,
    outcome_kind,
    '' as team_id,
    '' as feature,
    'none' as route,
    '' as model_id,
    cast(0 as bigint) as trace_count,
    cast(0 as bigint) as kind_trace_count,
    cast(0 as bigint) as team_trace_count,
    cast(0 as bigint) as feature_trace_count,
    cast(0 as bigint) as request_count,
    cast(0 as bigint) as failure_count,
    cast(0 as bigint) as unpriced_count,
    cast(0 as decimal(38, 12)) as priced_cost_usd,
    cast(0 as decimal(38, 12)) as attributed_cost_usd,
    cast(0 as decimal(38, 12)) as unattributed_cost_usd,
    cast(0 as decimal(38, 12)) as outcome_count,
    cast(0 as decimal(38, 12)) as success_count,
    cast(0 as decimal(38, 12)) as reversed_count,
    unmatched_count,
    cast(0 as decimal(38, 12)) as key_count,
    cast(0 as decimal(38, 12)) as rated_count,
    cast(0 as decimal(38, 12)) as quality_sum,
    cast(conflict_count as bigint) as conflict_count,
    cast(0 as decimal(38, 18)) as cost_squares,
    cast(0 as decimal(38, 18)) as outcome_squares,
    cast(0 as decimal(38, 18)) as success_squares,
    cast(0 as decimal(38, 18)) as cost_outcome_products,
    cast(0 as decimal(38, 18)) as cost_success_products
from unmet
