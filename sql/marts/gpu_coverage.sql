-- An interval: a missing sample is unknown and never idle. Source: methods of idle-GPU waste, irregular samples. Time
-- in which a metric proves work, and none tells how well, is unknown and cannot have been idle.
with held as (
    select
        billing_period,
        usage_date,
        cluster,
        coalesce(gpu_model_name, '') as gpu_model_name,
        coalesce(holder_team_id, '') as holder_team_id,
        coalesce(model_id, '') as model_id,
        purchase_option,
        gpu_seconds,
        observed_seconds,
        effective_cost,
        case
            when gpu_state = 'allocated_idle' and not is_warm_standby then effective_cost
            else cast(0 as decimal(38, 12))
        end as idle_cost,
        case
            when gpu_state = 'unknown' and metric_used = '' and namespace <> '' then effective_cost
            else cast(0 as decimal(38, 12))
        end as unseen_cost,
        billing_currency
    from gpu_costs_hourly
),

sums as (
    select
        billing_period,
        usage_date,
        cluster,
        gpu_model_name,
        holder_team_id,
        model_id,
        purchase_option,
        billing_currency,
        cast(sum(gpu_seconds) as bigint) as gpu_seconds,
        cast(sum(observed_seconds) as bigint) as observed_seconds,
        sum(effective_cost) as effective_cost,
        sum(idle_cost) as idle_cost_low,
        sum(unseen_cost) as unseen_cost
    from held
    group by
        billing_period,
        usage_date,
        cluster,
        gpu_model_name,
        holder_team_id,
        model_id,
        purchase_option,
        billing_currency
),

wholes as (
    select
        *,
        sum(gpu_seconds) over (
            partition by billing_period, usage_date, cluster, gpu_model_name, holder_team_id, model_id
        ) as whole_gpu_seconds,
        sum(observed_seconds) over (
            partition by billing_period, usage_date, cluster, gpu_model_name, holder_team_id, model_id
        ) as whole_observed_seconds
    from sums
)

select
    billing_period,
    usage_date,
    cluster,
    gpu_model_name,
    holder_team_id,
    model_id,
    purchase_option,
    gpu_seconds,
    observed_seconds,
    case when gpu_seconds > 0 then cast(observed_seconds as double) / gpu_seconds end as coverage_ratio,
    effective_cost,
    idle_cost_low,
    idle_cost_low + unseen_cost as idle_cost_high,
    -- seconds stand with one way of buying: what else was paid for the same GPUs is as sure as they are
    case
        when gpu_seconds > 0 then observed_seconds * 10 < gpu_seconds * 9
        when whole_gpu_seconds > 0 then whole_observed_seconds * 10 < whole_gpu_seconds * 9
        else effective_cost <> 0
    end as is_range_only,
    billing_currency
from wholes
