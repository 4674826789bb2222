-- By id first: then every day of the trace up to the outcome has a part of it. Else by the key, in the window before:
-- the last trace, or all alike. Ten minutes of grace, because clocks differ.
-- A share is a ratio of costs, floored to twelve places; the first part takes the rest, so that together they are one.
with traces as (
    select
        *,
        sum(priced_cost_usd) over trace as trace_cost_usd,
        sum(request_count) over trace as trace_request_count,
        sum(unpriced_count) over trace as trace_unpriced_count
    from outcome_traces
    window trace as (partition by usage_date, outcome_kind, trace_key)
),

by_trace as (
    select
        outcome_events.usage_date,
        outcome_events.outcome_kind,
        outcome_events.outcome_id,
        traces.usage_date as cohort_date,
        traces.trace_key,
        traces.team_id,
        traces.feature,
        traces.priced_cost_usd,
        traces.request_count,
        traces.unpriced_count,
        'trace' as method
    from outcome_events
    inner join traces
        on
            outcome_events.outcome_kind = traces.outcome_kind
            and outcome_events.trace_key = traces.trace_key
    where
        traces.has_id
        and traces.usage_date >= outcome_events.usage_date - interval 35 day
        and traces.started_at <= outcome_events.occurred_at + interval 10 minute
),

met as (
    select distinct
        usage_date,
        outcome_kind,
        outcome_id
    from by_trace
),

touches as (
    select
        outcome_events.usage_date,
        outcome_events.outcome_kind,
        outcome_events.outcome_id,
        outcome_events.touch,
        traces.usage_date as cohort_date,
        traces.trace_key,
        traces.team_id,
        traces.feature,
        traces.priced_cost_usd,
        traces.request_count,
        traces.unpriced_count,
        traces.trace_cost_usd,
        traces.trace_request_count,
        traces.trace_unpriced_count,
        dense_rank() over (
            partition by outcome_events.usage_date, outcome_events.outcome_kind, outcome_events.outcome_id
            order by traces.last_started_at desc, traces.usage_date desc, traces.trace_key asc
        ) as touch_order
    from outcome_events
    inner join traces
        on
            outcome_events.outcome_kind = traces.outcome_kind
            and outcome_events.key_value = traces.key_value
    left join met
        on
            outcome_events.usage_date = met.usage_date
            and outcome_events.outcome_kind = met.outcome_kind
            and outcome_events.outcome_id = met.outcome_id
    where
        met.outcome_id is null
        and traces.usage_date >= outcome_events.usage_date - interval 35 day
        and traces.started_at <= outcome_events.occurred_at + interval 10 minute
        and epoch(outcome_events.occurred_at) - epoch(traces.last_started_at) <= outcome_events.window_seconds
),

single as (
    select * from by_trace
    union all
    select
        usage_date,
        outcome_kind,
        outcome_id,
        cohort_date,
        trace_key,
        team_id,
        feature,
        priced_cost_usd,
        request_count,
        unpriced_count,
        'last_touch' as method
    from touches
    where touch = 'last' and touch_order = 1
),

totals as (
    select
        *,
        sum(priced_cost_usd) over outcome as all_cost_usd,
        sum(request_count) over outcome as all_request_count,
        sum(unpriced_count) over outcome as all_unpriced_count
    from single
    window outcome as (partition by usage_date, outcome_kind, outcome_id)
),

-- of linear touches every trace weighs the same, and its parts as their cost
weighed as (
    select
        usage_date,
        outcome_kind,
        outcome_id,
        cohort_date,
        trace_key,
        team_id,
        feature,
        method,
        case
            when all_unpriced_count = 0 and all_cost_usd > 0
                then cast(coalesce(priced_cost_usd, 0) as double) / cast(all_cost_usd as double)
            else cast(request_count as double) / cast(all_request_count as double)
        end as weight
    from totals
    union all
    select
        usage_date,
        outcome_kind,
        outcome_id,
        cohort_date,
        trace_key,
        team_id,
        feature,
        'linear' as method,
        case
            when trace_unpriced_count = 0 and trace_cost_usd > 0
                then cast(coalesce(priced_cost_usd, 0) as double) / cast(trace_cost_usd as double)
            else cast(request_count as double) / cast(trace_request_count as double)
        end
        / cast(max(touch_order) over (partition by usage_date, outcome_kind, outcome_id) as double) as weight
    from touches
    where touch = 'linear'
),

floored as (
    select
        *,
        cast(floor(weight * 1000000000000) as bigint) as units,
        row_number() over (
            partition by usage_date, outcome_kind, outcome_id
            order by weight desc, cohort_date asc, trace_key asc, team_id asc, feature asc
        ) as part_order
    from weighed
),

shared as (
    select
        *,
        case
            when part_order = 1
                then
                    1000000000000
                    - sum(units) over (partition by usage_date, outcome_kind, outcome_id)
                    + units
            else units
        end as share_units
    from floored
)

select
    outcome_events.usage_date,
    outcome_events.outcome_kind,
    outcome_events.outcome_id,
    coalesce(shared.cohort_date, outcome_events.usage_date) as cohort_date,
    coalesce(shared.trace_key, '') as trace_key,
    coalesce(shared.team_id, '') as team_id,
    coalesce(shared.feature, '') as feature,
    coalesce(shared.method, 'none') as method,
    cast(
        cast(coalesce(shared.share_units, 0) as decimal(19, 0)) * cast('0.000000000001' as decimal(12, 12))
        as decimal(18, 12)
    ) as share,
    outcome_events.is_success,
    outcome_events.is_reversed,
    outcome_events.quality_ratio,
    cast(
        date_diff('day', coalesce(shared.cohort_date, outcome_events.usage_date), outcome_events.usage_date) as bigint
    ) as age_days,
    outcome_events.event_count,
    outcome_events.conflict_count
from outcome_events
left join shared
    on
        outcome_events.usage_date = shared.usage_date
        and outcome_events.outcome_kind = shared.outcome_kind
        and outcome_events.outcome_id = shared.outcome_id
