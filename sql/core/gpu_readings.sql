-- What each instant shows, first match:
--   busy       activity from the idle threshold on, or a kernel resident most of the time: one busy SM is no idleness
--   lull       activity below it: idleness if it lasts
--   resident   it works, and how well no metric tells
--   weak_lull  GPU utilisation alone, at most 0.01: it can prove that a GPU idles and nothing else
--   blank      no metric that decides
-- Activity is the busiest of SMs, memory interface and tensor pipes, video engines beside. Exporters leave SMs out by
-- default: then what is measured is the least that activity can be. The graphics engine is the most that SMs can be,
-- since it counts every cycle in which anything of it is busy, were it one SM: low, it proves a lull or a part that
-- nothing filled; high, it proves work and says nothing of how well. Only what proves both ways calls time busy.
-- Beside stands a driver's error code, and whether the GPU rests under it: no activity, or no metric of one that
-- fell off the bus (79). Which codes are faults, and until when, is decided where days stand beside one another.
-- Utilisation is refused for MIG instances. An instant that several holders share stands once a holder among the
-- samples: it is one reading, with all of them.
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
        gpu_samples.sm_active_ratio,
        gpu_samples.dram_active_ratio,
        gpu_samples.tensor_active_ratio,
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
        max(sm_active_ratio) as sm_active_ratio,
        max(dram_active_ratio) as dram_active_ratio,
        max(tensor_active_ratio) as tensor_active_ratio,
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

bounded as (
    select
        readings.*,
        shared.holders as shared_holders,
        greatest(
            readings.sm_active_ratio, readings.dram_active_ratio, readings.tensor_active_ratio, readings.video_ratio
        ) as least_ratio,
        case
            when readings.sm_active_ratio is not null or readings.gr_engine_active_ratio is not null
                then greatest(
                    coalesce(readings.sm_active_ratio, readings.gr_engine_active_ratio),
                    readings.dram_active_ratio,
                    readings.tensor_active_ratio,
                    readings.video_ratio
                )
        end as most_ratio,
        greatest(coalesce(readings.gpu_util_ratio, 0), coalesce(readings.gr_engine_active_ratio, 0)) as resident_ratio
    from readings
    left join shared
        on
            readings.gpu_number = shared.gpu_number
            and readings.at_second = shared.at_second
),

-- states by number: 2 busy, 3 lull, 4 weak lull, 5 blank, 6 resident
shown as (
    select
        bounded.*,
        thresholds.idle_activity_ratio,
        thresholds.full_activity_ratio,
        case
            when bounded.most_ratio < thresholds.idle_activity_ratio
                then case when bounded.resident_ratio >= 0.5 then 2 else 3 end
            when
                bounded.sm_active_ratio is not null
                or bounded.most_ratio < thresholds.full_activity_ratio
                or bounded.least_ratio >= thresholds.full_activity_ratio
                then 2
            when bounded.most_ratio is not null or bounded.least_ratio >= thresholds.idle_activity_ratio then 6
            when bounded.gpu_util_ratio >= 0.5 then 6
            when bounded.gpu_util_ratio <= thresholds.idle_utilisation_ratio then 4
            else 5
        end as state_number
    from bounded
    cross join thresholds
),

-- metrics by number: 4 the graphics engine, 8 SMs, 12 neither; with memory 1 more, with tensor pipes 2; 0 utilisation
judged as (
    select
        gpu_number,
        at_second,
        last_holder as holder_number,
        coalesce(shared_holders, '') as shared_holders,
        state_number,
        xid_code,
        case
            when
                xid_code > 0
                and coalesce(most_ratio, least_ratio, gpu_util_ratio, case when xid_code = 79 then 0 end)
                < idle_activity_ratio
                then 1
            else 0
        end as rests,
        case
            when
                most_ratio is null
                and (state_number in (4, 5) or coalesce(least_ratio, 0) < idle_activity_ratio)
                then 0
            else
                case when sm_active_ratio is not null then 8 when gr_engine_active_ratio is not null then 4 else 12 end
                + case when dram_active_ratio is not null then 1 else 0 end
                + case when tensor_active_ratio is not null then 2 else 0 end
        end as metric_number,
        case
            when state_number = 6 then 0
            else
                cast(
                    round(
                        1000000 * greatest(1 - coalesce(most_ratio, least_ratio, 0) / full_activity_ratio, 0)
                    ) as bigint
                )
        end as unfilled_ppm
    from shown
)

select
    gpu_number,
    at_second,
    shared_holders,
    unfilled_ppm,
    (cast(xid_code as bigint) * 2 + rests) * 1099511627776
    + (holder_number * 8 + state_number) * 16 + metric_number as shown_number
from judged
