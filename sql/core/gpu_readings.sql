-- What each instant shows, first match:
--   busy       activity from the idle threshold on, or a kernel resident most of the time: one busy SM is no idleness
--   lull       activity below it: idleness if it lasts
--   weak_lull  GPU utilisation alone, at most 0.01: it can prove that a GPU idles and nothing else
--   blank      no metric that decides
-- A driver's error code stands beside, and whether the GPU rests under it: no activity, or no metric of one that
-- fell off the bus (79). Which codes are faults, and until when, is decided where days stand beside one another.
-- Activity is the busiest of SMs, memory interface and tensor pipes, or else the graphics engine; video engines count
-- beside either. Utilisation is refused for MIG instances. An instant that several holders share stands once a holder
-- among the samples: it is one reading, with all of them.
with thresholds as (
    select
        cast(coalesce(max(idle_activity_ratio), 0.05) as double) as idle_activity_ratio,
        cast(coalesce(max(idle_utilisation_ratio), 0.01) as double) as idle_utilisation_ratio,
        cast(coalesce(max(full_activity_ratio), 0.8) as double) as full_activity_ratio
    from gpu_rules
),

samples as (
    select
        gpu_numbers.gpu_number,
        gpu_holder_numbers.holder_number,
        cast(epoch(date_trunc('second', gpu_samples.sampled_at)) as bigint) as at_second,
        greatest(
            gpu_samples.sm_active_ratio, gpu_samples.dram_active_ratio, gpu_samples.tensor_active_ratio
        ) as sm_dram_tensor_ratio,
        gpu_samples.gr_engine_active_ratio,
        greatest(gpu_samples.encoder_active_ratio, gpu_samples.decoder_active_ratio) as video_ratio,
        case when gpu_samples.gpu_instance_id = '' then gpu_samples.gpu_util_ratio end as gpu_util_ratio,
        case when gpu_samples.xid_code between 1 and 1023 then gpu_samples.xid_code else 0 end as xid_code
    from gpu_samples
    inner join gpu_numbers
        on
            gpu_samples.sample_date = gpu_numbers.usage_date
            and gpu_samples.x_source = gpu_numbers.sample_source
            and gpu_samples.gpu_uuid = gpu_numbers.gpu_uuid
            and gpu_samples.gpu_instance_id = gpu_numbers.gpu_instance_id
            and gpu_samples.cluster = gpu_numbers.sample_cluster
            and coalesce(gpu_samples.hostname, '') = gpu_numbers.sample_hostname
            and coalesce(gpu_samples.instance_id, '') = gpu_numbers.sample_instance_id
            and coalesce(gpu_samples.mig_profile, '') = gpu_numbers.mig_profile
    inner join gpu_holder_numbers
        on
            gpu_samples.namespace = gpu_holder_numbers.namespace
            and gpu_samples.pod = gpu_holder_numbers.pod
),

readings as (
    select
        gpu_number,
        at_second,
        max(sm_dram_tensor_ratio) as sm_dram_tensor_ratio,
        max(gr_engine_active_ratio) as gr_engine_active_ratio,
        max(video_ratio) as video_ratio,
        max(gpu_util_ratio) as gpu_util_ratio,
        max(xid_code) as xid_code,
        min(holder_number) as first_holder,
        max(holder_number) as last_holder
    from samples
    group by gpu_number, at_second
),

-- an instant that one series calls held and another free is held
shared as (
    select
        samples.gpu_number,
        samples.at_second,
        array_to_string(list_sort(list(distinct gpu_holder_numbers.holder)), ',') as holders
    from samples
    inner join readings
        on
            samples.gpu_number = readings.gpu_number
            and samples.at_second = readings.at_second
    inner join gpu_holder_numbers on samples.holder_number = gpu_holder_numbers.holder_number
    where readings.first_holder <> readings.last_holder and samples.holder_number <> 0
    group by samples.gpu_number, samples.at_second
),

measured as (
    select
        readings.*,
        shared.holders as shared_holders,
        coalesce(readings.sm_dram_tensor_ratio, readings.gr_engine_active_ratio) as engine_ratio
    from readings
    left join shared
        on
            readings.gpu_number = shared.gpu_number
            and readings.at_second = shared.at_second
),

active as (
    select
        *,
        case when engine_ratio is not null then greatest(engine_ratio, video_ratio) end as activity_ratio
    from measured
),

-- states by number: 2 busy, 3 lull, 4 weak lull, 5 blank; metrics: 0 utilisation, 1 engine, 2 SM, DRAM, tensor
judged as (
    select
        active.gpu_number,
        active.at_second,
        active.last_holder as holder_number,
        coalesce(active.shared_holders, '') as shared_holders,
        case
            when active.activity_ratio >= thresholds.idle_activity_ratio then 2
            when
                active.activity_ratio is not null
                and greatest(coalesce(active.gpu_util_ratio, 0), coalesce(active.gr_engine_active_ratio, 0)) >= 0.5
                then 2
            when active.activity_ratio is not null then 3
            when
                active.gpu_util_ratio <= thresholds.idle_utilisation_ratio
                and coalesce(active.video_ratio, 0) < thresholds.idle_activity_ratio
                then 4
            else 5
        end as state_number,
        active.xid_code,
        case
            when
                active.xid_code > 0
                and coalesce(active.activity_ratio, active.gpu_util_ratio, case when active.xid_code = 79 then 0 end)
                < thresholds.idle_activity_ratio
                then 1
            else 0
        end as rests,
        case
            when active.sm_dram_tensor_ratio is not null then 2
            when active.gr_engine_active_ratio is not null then 1
            else 0
        end as metric_number,
        cast(
            round(
                1000000 * greatest(
                    1 - coalesce(active.activity_ratio, 0) / thresholds.full_activity_ratio, 0
                )
            ) as bigint
        ) as unfilled_ppm
    from active
    cross join thresholds
)

select
    gpu_number,
    at_second,
    shared_holders,
    unfilled_ppm,
    (cast(xid_code as bigint) * 2 + rests) * 1099511627776
    + (holder_number * 8 + state_number) * 4 + metric_number as shown_number
from judged
