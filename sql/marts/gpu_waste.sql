-- GPU money whose state nobody determined counts as unknown, and what an unhealthy GPU cost as unallocated, since
-- nobody could hold it: the layers sum to the GPU bill.
with resting as (
    select
        billing_period,
        charge_date,
        coalesce(cluster, '') as cluster,
        coalesce(gpu_model_name, '') as gpu_model_name,
        to_account as account,
        team_id,
        coalesce(gpu_state, 'unknown') as gpu_state,
        coalesce(gpu_seconds, 0) as gpu_seconds,
        effective_cost,
        billing_currency
    from postings
    where is_final_account and cost_kind = 'gpu'
)

select
    billing_period,
    charge_date,
    cluster,
    gpu_model_name,
    account,
    team_id,
    gpu_state,
    case
        when gpu_state = 'effective' then 'none'
        when gpu_state = 'unhealthy' then 'unallocated'
        else gpu_state
    end as waste_layer,
    cast(sum(gpu_seconds) as bigint) as gpu_seconds,
    sum(effective_cost) as effective_cost,
    billing_currency
from resting
group by
    billing_period,
    charge_date,
    cluster,
    gpu_model_name,
    account,
    team_id,
    gpu_state,
    billing_currency
