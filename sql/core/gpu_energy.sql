-- Power against the energy counter. A gauge is read at instants and the counter misses nothing: where both hold from
-- one sample to the next, what power makes of that time (each reading holds until the next, for three median gaps of
-- its day or five minutes, as states do: gpu_steps) is held against what was counted. The counter goes on while nobody
-- samples: what a GPU drew in a silence is known, and stands beside what it draws while it rests. It changes no state.
-- A counter that falls began anew, and tells nothing of that interval. A few readings of a load that comes and goes
-- miss its mean by chance: readings of variance v over intervals of s seconds by the root of v times the sum of s
-- squared. Only beyond three times that do they contradict the counter. Thousandths as whole numbers: sums do not
-- depend on their order. Squares are of whole watts: of thousandths a day's would not fit.
with instants as (
    select
        sample_date as usage_date,
        x_source as sample_source,
        cluster,
        coalesce(hostname, '') as hostname,
        gpu_uuid,
        cast(epoch(date_trunc('second', sampled_at)) as bigint) as at_second,
        max(energy_millijoules) as energy_millijoules,
        max(cast(round(power_watts * 1000) as bigint)) as power_milliwatts,
        max(
            case
                when sm_active_ratio is not null or gr_engine_active_ratio is not null
                    then greatest(
                        coalesce(sm_active_ratio, gr_engine_active_ratio),
                        dram_active_ratio,
                        tensor_active_ratio,
                        encoder_active_ratio,
                        decoder_active_ratio
                    )
            end
        ) as activity_ratio
    from gpu_samples
    where energy_millijoules is not null
    group by
        sample_date,
        x_source,
        cluster,
        coalesce(hostname, ''),
        gpu_uuid,
        cast(epoch(date_trunc('second', sampled_at)) as bigint)
),

thresholds as (
    select cast(coalesce(max(idle_activity_ratio), 0.05) as double) as idle_activity_ratio
    from gpu_rules
),

counted as (
    select
        *,
        lead(at_second) over (
            partition by usage_date, sample_source, cluster, hostname, gpu_uuid
            order by at_second
        ) - at_second as seconds,
        lead(energy_millijoules) over (
            partition by usage_date, sample_source, cluster, hostname, gpu_uuid
            order by at_second
        ) - energy_millijoules as counted_millijoules
    from instants
),

gaps as (
    select
        usage_date,
        sample_source,
        cluster,
        hostname,
        gpu_uuid,
        seconds,
        count(*) as gap_count
    from counted
    where seconds <= 300
    group by usage_date, sample_source, cluster, hostname, gpu_uuid, seconds
),

summed_gaps as (
    select
        *,
        sum(gap_count * seconds) over (
            partition by usage_date, sample_source, cluster, hostname, gpu_uuid
            order by seconds
            rows between unbounded preceding and current row
        ) as seconds_up_to,
        sum(gap_count * seconds) over (
            partition by usage_date, sample_source, cluster, hostname, gpu_uuid
        ) as all_seconds
    from gaps
),

-- the lower median, as of states
holds as (
    select
        usage_date,
        sample_source,
        cluster,
        hostname,
        gpu_uuid,
        least(3 * min(seconds), 300) as hold_seconds
    from summed_gaps
    where seconds_up_to * 2 >= all_seconds
    group by usage_date, sample_source, cluster, hostname, gpu_uuid
),

judged as (
    select
        counted.*,
        counted.power_milliwatts // 1000 as whole_watts,
        case
            when counted.counted_millijoules < 0 then 'reset'
            when counted.seconds > coalesce(holds.hold_seconds, 300) then 'silence'
            when counted.power_milliwatts is not null then 'compared'
        end as interval_kind,
        coalesce(counted.activity_ratio < thresholds.idle_activity_ratio, false) as is_at_rest
    from counted
    cross join thresholds
    left join holds
        on
            counted.usage_date = holds.usage_date
            and counted.sample_source = holds.sample_source
            and counted.cluster = holds.cluster
            and counted.hostname = holds.hostname
            and counted.gpu_uuid = holds.gpu_uuid
    where counted.seconds is not null
),

sums as (
    select
        usage_date,
        sample_source,
        cluster,
        hostname,
        gpu_uuid,
        sum(case when interval_kind = 'compared' then seconds else 0 end) as compared_seconds,
        sum(case when interval_kind = 'compared' then counted_millijoules else 0 end) as counted_millijoules,
        sum(case when interval_kind = 'compared' then power_milliwatts * seconds else 0 end) as power_millijoules,
        cast(sum(case when interval_kind = 'compared' then 1 else 0 end) as bigint) as compared_count,
        cast(sum(case when interval_kind = 'compared' then whole_watts else 0 end) as bigint) as watts,
        cast(sum(case when interval_kind = 'compared' then whole_watts * whole_watts else 0 end) as bigint)
            as squared_watts,
        cast(sum(case when interval_kind = 'compared' then seconds * seconds else 0 end) as bigint) as squared_seconds,
        sum(case when interval_kind = 'reset' then 1 else 0 end) as reset_count,
        sum(case when interval_kind = 'silence' then seconds else 0 end) as silent_seconds,
        sum(case when interval_kind = 'silence' then counted_millijoules else 0 end) as silent_millijoules,
        sum(case when interval_kind = 'compared' and is_at_rest then seconds else 0 end) as resting_seconds,
        sum(case when interval_kind = 'compared' and is_at_rest then counted_millijoules else 0 end)
            as resting_millijoules
    from judged
    group by usage_date, sample_source, cluster, hostname, gpu_uuid
),

noisy as (
    select
        *,
        case
            when compared_count > 1
                then
                    1000000
                    * (
                        cast(compared_count as double) * cast(squared_watts as double)
                        - cast(watts as double) * cast(watts as double)
                    )
                    / (cast(compared_count as double) * cast(compared_count - 1 as double))
                    * cast(squared_seconds as double)
        end as chance_millijoules_squared
    from sums
)

select
    usage_date,
    sample_source,
    cluster,
    hostname,
    gpu_uuid,
    cast(compared_seconds as bigint) as compared_seconds,
    cast(counted_millijoules as bigint) as counted_millijoules,
    cast(power_millijoules as bigint) as power_millijoules,
    case
        when counted_millijoules > 0
            then cast(power_millijoules - counted_millijoules as double) / cast(counted_millijoules as double)
    end as difference_ratio,
    compared_seconds >= 3600
    and abs(power_millijoules - counted_millijoules) * 10 > counted_millijoules
    and cast(power_millijoules - counted_millijoules as double)
    * cast(power_millijoules - counted_millijoules as double)
    > 9 * coalesce(chance_millijoules_squared, 0) as is_doubtful,
    cast(reset_count as bigint) as reset_count,
    cast(silent_seconds as bigint) as silent_seconds,
    case
        when silent_seconds > 0 then cast(silent_millijoules as double) / cast(1000 * silent_seconds as double)
    end as silent_watts,
    case
        when resting_seconds > 0 then cast(resting_millijoules as double) / cast(1000 * resting_seconds as double)
    end as resting_watts
from noisy
