-- A run ends where the next one begins, and a GPU whose MIG instances report is not counted as a whole besides.
with runs as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        tells_holders,
        holders,
        activity_state,
        metric_used,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as run_end_second,
        unfilled_seconds,
        unfilled_ppm_seconds,
        lead(cast(epoch(started_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, mig_profile
        ) as next_second,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, date_trunc('hour', started_at)
        ) as is_partitioned
    from gpu_runs
)

select
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    gpu_model_name,
    tells_holders,
    holders,
    activity_state,
    metric_used,
    start_second,
    least(run_end_second, coalesce(next_second, run_end_second)) as end_second,
    run_end_second - start_second as run_seconds,
    unfilled_seconds,
    unfilled_ppm_seconds
from runs
where
    (is_partitioned = 0 or gpu_instance_id <> '')
    and (next_second is null or next_second > start_second)
