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
with thresholds as (
    select
        cast(coalesce(max(idle_activity_ratio), 0.05) as double) as idle_activity_ratio,
        cast(coalesce(max(idle_utilisation_ratio), 0.01) as double) as idle_utilisation_ratio,
        cast(coalesce(max(full_activity_ratio), 0.8) as double) as full_activity_ratio
    from gpu_rules
),

readings as (
    select
        gpu_sampled.gpu_number,
        gpu_sampled.at_second,
        gpu_sampled.sm_active_ratio,
        gpu_sampled.dram_active_ratio,
        gpu_sampled.tensor_active_ratio,
        gpu_sampled.gr_engine_active_ratio,
        gpu_sampled.video_ratio,
        gpu_sampled.gpu_util_ratio,
        gpu_sampled.xid_code,
        gpu_sampled.holder_number,
        0 as shared_number
    from gpu_sampled
    left join gpu_doubles
        on
            gpu_sampled.gpu_number = gpu_doubles.gpu_number
            and gpu_sampled.at_second = gpu_doubles.at_second
    where gpu_doubles.gpu_number is null
    union all
    select
        gpu_number,
        at_second,
        sm_active_ratio,
        dram_active_ratio,
        tensor_active_ratio,
        gr_engine_active_ratio,
        video_ratio,
        gpu_util_ratio,
        xid_code,
        holder_number,
        shared_number
    from gpu_doubles
),

bounded as (
    select
        *,
        greatest(sm_active_ratio, dram_active_ratio, tensor_active_ratio, video_ratio) as least_ratio,
        case
            when sm_active_ratio is not null or gr_engine_active_ratio is not null
                then greatest(
                    coalesce(sm_active_ratio, gr_engine_active_ratio),
                    dram_active_ratio,
                    tensor_active_ratio,
                    video_ratio
                )
        end as most_ratio,
        greatest(coalesce(gpu_util_ratio, 0), coalesce(gr_engine_active_ratio, 0)) as resident_ratio
    from readings
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
        holder_number,
        shared_number,
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
    shared_number,
    unfilled_ppm,
    (cast(xid_code as bigint) * 2 + rests) * 1099511627776
    + (holder_number * 8 + state_number) * 16 + metric_number as shown_number
from judged
