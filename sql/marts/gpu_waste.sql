-- GPU money whose state nobody determined counts as unknown, and what an unhealthy GPU cost as unallocated, since
-- nobody could hold it: the layers sum to the GPU bill. Time that is idle on purpose is a layer of its own. Of an
-- under-used stretch only what activity did not fill is an opportunity, which stands beside its cost.
with resting as (
    select
        postings.billing_period,
        postings.charge_date,
        coalesce(postings.cluster, '') as cluster,
        coalesce(postings.gpu_model_name, '') as gpu_model_name,
        postings.to_account as account,
        postings.team_id,
        coalesce(postings.model_id, '') as model_id,
        coalesce(postings.purchase_option, charge_groups.purchase_option, '') as purchase_option,
        coalesce(postings.gpu_state, 'unknown') as gpu_state,
        coalesce(postings.is_warm_standby, false) as is_warm_standby,
        coalesce(postings.gpu_seconds, 0) as gpu_seconds,
        coalesce(postings.observed_gpu_seconds, 0) as observed_seconds,
        coalesce(postings.assumed_gpu_seconds, 0) as assumed_seconds,
        postings.effective_cost,
        coalesce(postings.under_used_cost, cast(0 as decimal(38, 12))) as under_used_cost,
        postings.billing_currency
    from postings
    -- a locked month keeps the postings of lines that its bill no longer has
    left join charge_groups
        on
            postings.billing_period = charge_groups.billing_period
            and postings.charge_group_id = charge_groups.charge_group_id
    where postings.is_final_account and postings.cost_kind = 'gpu'
)

select
    billing_period,
    charge_date,
    cluster,
    gpu_model_name,
    account,
    team_id,
    model_id,
    purchase_option,
    gpu_state,
    case
        when gpu_state = 'effective' then 'none'
        when gpu_state = 'unhealthy' then 'unallocated'
        when gpu_state = 'allocated_idle' and is_warm_standby then 'warm_standby'
        else gpu_state
    end as waste_layer,
    cast(sum(gpu_seconds) as bigint) as gpu_seconds,
    cast(sum(observed_seconds) as bigint) as observed_seconds,
    cast(sum(assumed_seconds) as bigint) as assumed_seconds,
    sum(effective_cost) as effective_cost,
    sum(under_used_cost) as under_used_cost,
    billing_currency
from resting
group by
    billing_period,
    charge_date,
    cluster,
    gpu_model_name,
    account,
    team_id,
    model_id,
    purchase_option,
    gpu_state,
    is_warm_standby,
    billing_currency
