-- A GPU that rests under a fatal error that holds is at fault. A run ends where the next one begins, and a GPU whose
-- MIG instances report is not counted as a whole besides. Of two runs that begin at midnight, one the end of the
-- day before, the day's own counts. What the last sample of a GPU holds ends where the GPU does.
with judged as (
    select
        gpu_runs.*,
        gpu_fault_spells.xid_code is not null as is_faulty
    from gpu_runs
    left join gpu_fault_spells
        on
            gpu_runs.shows_rest
            and gpu_runs.cluster = gpu_fault_spells.cluster
            and gpu_runs.hostname = gpu_fault_spells.hostname
            and gpu_runs.gpu_uuid = gpu_fault_spells.gpu_uuid
            and gpu_runs.gpu_instance_id = gpu_fault_spells.gpu_instance_id
            and gpu_runs.xid_code = gpu_fault_spells.xid_code
            and cast(epoch(gpu_runs.started_at) as bigint) >= gpu_fault_spells.from_second
            and cast(epoch(gpu_runs.started_at) as bigint) < gpu_fault_spells.to_second
),

runs as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        tells_holders,
        holders,
        case when is_faulty then 'fault' else activity_state end as activity_state,
        case when is_faulty then 'xid_code' else metric_used end as metric_used,
        cast(started_at as date) as start_date,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as run_end_second,
        unfilled_seconds,
        unfilled_ppm_seconds,
        lead(cast(epoch(started_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, usage_date, mig_profile
        ) as next_second,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by cluster, hostname, gpu_uuid, date_trunc('hour', started_at)
        ) as is_partitioned
    from judged
)

select
    runs.cluster,
    runs.hostname,
    runs.gpu_uuid,
    runs.gpu_instance_id,
    runs.mig_profile,
    runs.gpu_model_name,
    runs.tells_holders,
    runs.holders,
    runs.activity_state,
    runs.metric_used,
    runs.start_second,
    least(
        runs.run_end_second,
        coalesce(runs.next_second, runs.run_end_second),
        coalesce(gpu_lives.to_second, runs.run_end_second)
    ) as end_second,
    runs.run_end_second - runs.start_second as run_seconds,
    runs.unfilled_seconds,
    runs.unfilled_ppm_seconds
from runs
left join gpu_lives
    on
        runs.start_date = gpu_lives.usage_date
        and runs.cluster = gpu_lives.cluster
        and runs.hostname = gpu_lives.hostname
        and runs.gpu_uuid = gpu_lives.gpu_uuid
where
    (runs.is_partitioned = 0 or runs.gpu_instance_id <> '')
    and (runs.next_second is null or runs.next_second > runs.start_second)
    and runs.start_second < coalesce(gpu_lives.to_second, runs.run_end_second)
