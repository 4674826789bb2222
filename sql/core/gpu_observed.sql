-- A GPU that rests under a fatal error that holds is at fault. A run ends where the next one begins, and a GPU whose
-- MIG instances report is not counted as a whole besides. Of two runs that begin at midnight, one the end of the
-- day before, the day's own counts.
with judged as (
    select
        gpu_run_ends.cluster,
        gpu_run_ends.hostname,
        gpu_run_ends.gpu_uuid,
        gpu_run_ends.gpu_instance_id,
        gpu_run_ends.mig_profile,
        gpu_run_ends.gpu_model_name,
        gpu_run_ends.tells_holders,
        gpu_run_ends.holders,
        case when gpu_fault_spells.xid_code is null then gpu_run_ends.activity_state else 'fault' end as activity_state,
        case when gpu_fault_spells.xid_code is null then gpu_run_ends.metric_used else 'xid_code' end as metric_used,
        gpu_run_ends.start_second,
        gpu_run_ends.end_second,
        gpu_run_ends.run_seconds,
        gpu_run_ends.unfilled_seconds,
        gpu_run_ends.unfilled_ppm_seconds,
        max(case when gpu_run_ends.gpu_instance_id <> '' then 1 else 0 end) over (
            partition by
                gpu_run_ends.cluster,
                gpu_run_ends.hostname,
                gpu_run_ends.gpu_uuid,
                gpu_run_ends.start_second // 3600
        ) as is_partitioned
    from gpu_run_ends
    left join gpu_fault_spells
        on
            gpu_run_ends.shows_rest
            and gpu_run_ends.cluster = gpu_fault_spells.cluster
            and gpu_run_ends.hostname = gpu_fault_spells.hostname
            and gpu_run_ends.gpu_uuid = gpu_fault_spells.gpu_uuid
            and gpu_run_ends.gpu_instance_id = gpu_fault_spells.gpu_instance_id
            and gpu_run_ends.xid_code = gpu_fault_spells.xid_code
            and gpu_run_ends.start_second >= gpu_fault_spells.from_second
            and gpu_run_ends.start_second < gpu_fault_spells.to_second
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
    end_second,
    run_seconds,
    unfilled_seconds,
    unfilled_ppm_seconds
from judged
where is_partitioned = 0 or gpu_instance_id <> ''
