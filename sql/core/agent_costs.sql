-- A trace is what the log calls one, and a step an attempt of it that has usage. What grew is what a step was sent
-- beyond the first step of the same feature in its trace: of n s + d n (n - 1) / 2 tokens, n s are not growth.
with attempts as (
    select
        usage_date,
        team_id,
        feature,
        trace_id,
        started_at,
        request_id,
        status,
        prompt_hash,
        input_total_tokens,
        priced_cost_usd,
        case when is_unpriced then 1 else 0 end as is_unpriced,
        case when input_total_tokens > 0 and not is_cache_hit then 1 else 0 end as is_step,
        cast(cast(input_cost_usd as decimal(24, 12)) * cast('1000000000000' as decimal(13, 0)) as bigint)
            as input_picodollars
    from owned_requests
    where trace_id is not null
),

ordered as (
    select
        *,
        first_value(input_total_tokens) over (
            partition by usage_date, trace_id, feature, is_step
            order by started_at asc, request_id asc
        ) as first_tokens,
        row_number() over (
            partition by usage_date, trace_id, prompt_hash
            order by started_at asc, request_id asc
        ) as prompt_order,
        row_number() over (partition by usage_date, trace_id order by started_at desc, request_id desc) as from_last
    from attempts
),

priced as (
    select
        usage_date,
        team_id,
        feature,
        trace_id,
        is_step,
        is_unpriced,
        status,
        input_total_tokens,
        coalesce(priced_cost_usd, 0) as cost,
        case when prompt_hash is not null then 1 else 0 end as is_hashed,
        case when prompt_hash is not null and prompt_order > 2 then 1 else 0 end as is_repeated,
        case when from_last = 1 and status = 'failure' then 1 else 0 end as ends_badly,
        case when is_step = 1 then input_total_tokens - first_tokens else 0 end as growth_tokens,
        case
            when is_step = 1 and input_picodollars is not null
                then (input_picodollars // input_total_tokens) * (input_total_tokens - first_tokens)
            else 0
        end as growth_picodollars
    from ordered
),

traces as (
    select
        usage_date,
        team_id,
        feature,
        trace_id,
        sum(is_step) as steps,
        sum(case when status = 'failure' then 1 else 0 end) as failure_count,
        sum(is_unpriced) as unpriced_count,
        sum(cost) as cost,
        sum(case when is_step = 1 then input_total_tokens else 0 end) as input_tokens,
        sum(growth_tokens) as growth_tokens,
        sum(growth_picodollars) as growth_picodollars,
        sum(is_repeated) as repeated_count,
        sum(case when is_repeated = 1 then cost else 0 end) as repeated_cost,
        sum(is_hashed) as hashed_count,
        max(ends_badly) as ends_badly
    from priced
    group by usage_date, team_id, feature, trace_id
),

judged as (
    select
        *,
        sum(steps) over (partition by usage_date, trace_id) as trace_steps,
        max(ends_badly) over (partition by usage_date, trace_id) as is_abandoned
    from traces
)

select
    usage_date,
    team_id,
    feature,
    count(*) as trace_count,
    cast(sum(case when trace_steps > 1 then 1 else 0 end) as bigint) as agent_trace_count,
    cast(sum(steps) as bigint) as step_count,
    cast(max(trace_steps) as bigint) as most_steps,
    cast(sum(failure_count) as bigint) as failure_count,
    cast(sum(unpriced_count) as bigint) as unpriced_count,
    sum(cost) as priced_cost_usd,
    sum(case when trace_steps > 1 then cost else 0 end) as agent_cost_usd,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(growth_tokens) as bigint) as growth_tokens,
    cast(
        cast(sum(growth_picodollars) as decimal(26, 0)) * cast('0.000000000001' as decimal(12, 12)) as decimal(38, 12)
    ) as growth_cost_usd,
    cast(sum(repeated_count) as bigint) as repeated_count,
    sum(repeated_cost) as repeated_cost_usd,
    cast(sum(hashed_count) as bigint) as hashed_count,
    cast(sum(is_abandoned) as bigint) as abandoned_count,
    sum(case when is_abandoned = 1 then cost else 0 end) as abandoned_cost_usd
from judged
group by usage_date, team_id, feature
