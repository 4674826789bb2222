-- A GPU of seven slices with two instances of three leaves one that no profile fits beside them.
select
    billing_period,
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_model_name,
    cast(sum(gpu_seconds) as bigint) as stranded_gpu_seconds,
    cast(sum(observed_seconds) as bigint) as observed_seconds,
    sum(effective_cost) as effective_cost,
    billing_currency
from gpu_costs_hourly
where gpu_state = 'unallocated' and metric_used = 'mig_profile'
group by billing_period, usage_date, cluster, hostname, gpu_uuid, gpu_model_name, billing_currency
