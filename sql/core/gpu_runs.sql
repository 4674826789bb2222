-- Runs are cut at full hours, so that what is summed over one belongs to its hour. The last run of a day reaches as far
-- as its last sample holds: up to five minutes into the next day, which the next day's first sample may cut short.
with hours as (
    select
        gpu_number,
        run_number,
        shown_number,
        shared_number,
        at_second // 3600 as hour_number,
        min(at_second) as start_second,
        max(end_second) as end_second,
        sum(
            case when unfilled_ppm > 0 then least(end_second, (at_second // 3600 + 1) * 3600) - at_second else 0 end
        ) as unfilled_seconds,
        sum((least(end_second, (at_second // 3600 + 1) * 3600) - at_second) * unfilled_ppm) as unfilled_ppm_seconds,
        sum(
            case when unfilled_ppm > 0 then greatest(end_second - (at_second // 3600 + 1) * 3600, 0) else 0 end
        ) as later_unfilled_seconds,
        sum(greatest(end_second - (at_second // 3600 + 1) * 3600, 0) * unfilled_ppm) as later_unfilled_ppm_seconds
    from gpu_steps
    group by gpu_number, run_number, shown_number, shared_number, at_second // 3600
),

-- a run's last step within an hour may reach into the next one, and no further
pieces as (
    select
        gpu_number,
        run_number,
        shown_number,
        shared_number,
        hour_number,
        start_second,
        least(end_second, (hour_number + 1) * 3600) as end_second,
        unfilled_seconds,
        unfilled_ppm_seconds
    from hours
    union all
    select
        gpu_number,
        run_number,
        shown_number,
        shared_number,
        hour_number + 1 as hour_number,
        (hour_number + 1) * 3600 as start_second,
        end_second,
        later_unfilled_seconds as unfilled_seconds,
        later_unfilled_ppm_seconds as unfilled_ppm_seconds
    from hours
    where end_second > (hour_number + 1) * 3600
),

runs as (
    select
        gpu_number,
        shown_number,
        shared_number,
        min(start_second) as start_second,
        max(end_second) as end_second,
        sum(unfilled_seconds) as unfilled_seconds,
        sum(unfilled_ppm_seconds) as unfilled_ppm_seconds
    from pieces
    group by gpu_number, run_number, shown_number, shared_number, hour_number
),

gpus as (
    select
        gpu_number,
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        max(gpu_index) as gpu_index,
        max(gpu_model_name) as gpu_model_name,
        max(case when tells_holders then 1 else 0 end) as tells_holders
    from gpu_numbers
    group by gpu_number, usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile
),

holders as (
    select
        holder_number,
        min(holder) as holder
    from gpu_holder_numbers
    group by holder_number
),

sharers as (
    select distinct
        shared_number,
        shared_holders
    from gpu_doubles
    where shared_number > 0
)

select
    gpus.usage_date,
    gpus.cluster,
    gpus.hostname,
    gpus.gpu_uuid,
    gpus.gpu_instance_id,
    gpus.mig_profile,
    gpus.gpu_index,
    gpus.gpu_model_name,
    gpus.tells_holders = 1 as tells_holders,
    coalesce(sharers.shared_holders, holders.holder) as holders,
    case (runs.shown_number // 16) % 8
        when 2 then 'busy'
        when 3 then 'lull'
        when 4 then 'weak_lull'
        when 6 then 'resident'
        else 'blank'
    end as activity_state,
    case runs.shown_number % 16
        when 4 then 'gr_engine_active_ratio'
        when 5 then 'gr_engine_dram_active_ratio'
        when 6 then 'gr_engine_tensor_active_ratio'
        when 7 then 'gr_engine_dram_tensor_active_ratio'
        when 8 then 'sm_active_ratio'
        when 9 then 'sm_dram_active_ratio'
        when 10 then 'sm_tensor_active_ratio'
        when 11 then 'sm_dram_tensor_active_ratio'
        when 12 then 'encoder_decoder_active_ratio'
        when 13 then 'dram_active_ratio'
        when 14 then 'tensor_active_ratio'
        when 15 then 'dram_tensor_active_ratio'
        else 'gpu_util_ratio'
    end as metric_used,
    cast(nullif(runs.shown_number // 2199023255552, 0) as integer) as xid_code,
    (runs.shown_number // 1099511627776) % 2 = 1 as shows_rest,
    timestamp '1970-01-01 00:00:00' + runs.start_second * interval '1 second' as started_at,
    timestamp '1970-01-01 00:00:00' + runs.end_second * interval '1 second' as ended_at,
    cast(runs.unfilled_seconds as bigint) as unfilled_seconds,
    cast(runs.unfilled_ppm_seconds as bigint) as unfilled_ppm_seconds
from runs
inner join gpus on runs.gpu_number = gpus.gpu_number
inner join holders on (runs.shown_number % 1099511627776) // 128 = holders.holder_number
left join sharers on runs.shared_number = sharers.shared_number
