-- When a fatal error holds. An XID is sticky: exporters tell the last one long after its GPU was reset. It holds
-- from where it is first told until the GPU computes: later than a moment of rest under it, or for longer than any
-- sample from before it can hold. The same code after another one is a new error. A day looks a week back and no
-- further, so that it is the same built alone or in a month.
with runs as (
    select
        gpu_runs.usage_date,
        gpu_runs.cluster,
        gpu_runs.hostname,
        gpu_runs.gpu_uuid,
        gpu_runs.gpu_instance_id,
        gpu_runs.activity_state in ('busy', 'resident') as is_busy,
        gpu_runs.shows_rest,
        coalesce(gpu_faults.xid_code, 0) as fatal_code,
        cast(epoch(gpu_runs.started_at) as bigint) as start_second,
        cast(epoch(gpu_runs.ended_at) as bigint) as end_second
    from gpu_runs
    left join gpu_faults on gpu_runs.xid_code = gpu_faults.xid_code
),

resting_days as (
    select distinct
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        start_second // 86400 as day_number
    from runs
    where fatal_code > 0 and shows_rest
),

week as (
    select
        resting_days.day_number,
        runs.usage_date,
        runs.cluster,
        runs.hostname,
        runs.gpu_uuid,
        runs.gpu_instance_id,
        runs.is_busy,
        runs.shows_rest,
        runs.fatal_code,
        runs.start_second,
        runs.end_second,
        lag(runs.fatal_code) over (
            partition by
                resting_days.day_number, runs.cluster, runs.hostname, runs.gpu_uuid, runs.gpu_instance_id
            order by runs.start_second, runs.usage_date
        ) as previous_code
    from resting_days
    inner join runs
        on
            resting_days.cluster = runs.cluster
            and resting_days.hostname = runs.hostname
            and resting_days.gpu_uuid = runs.gpu_uuid
            and resting_days.gpu_instance_id = runs.gpu_instance_id
            and runs.start_second >= (resting_days.day_number - 7) * 86400
            and runs.start_second < (resting_days.day_number + 1) * 86400
),

numbered as (
    select
        *,
        sum(case when fatal_code = previous_code then 0 else 1 end) over (
            partition by day_number, cluster, hostname, gpu_uuid, gpu_instance_id
            order by start_second, usage_date
            rows between unbounded preceding and current row
        ) as spell_number
    from week
),

firsts as (
    select
        *,
        min(start_second) over (
            partition by day_number, cluster, hostname, gpu_uuid, gpu_instance_id, spell_number
        ) as first_second,
        min(case when shows_rest then start_second end) over (
            partition by day_number, cluster, hostname, gpu_uuid, gpu_instance_id, spell_number
        ) as rest_second
    from numbered
    where fatal_code > 0
),

spells as (
    select
        day_number,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        fatal_code,
        min(first_second) as first_second,
        max(end_second) as last_second,
        min(case
            when is_busy and start_second > rest_second then start_second
            when is_busy and end_second > first_second + 300 then first_second + 300
        end) as recovered_second
    from firsts
    group by day_number, cluster, hostname, gpu_uuid, gpu_instance_id, fatal_code, spell_number
),

clipped as (
    select
        day_number,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        fatal_code,
        greatest(first_second, day_number * 86400) as from_second,
        least(coalesce(recovered_second, last_second), (day_number + 1) * 86400) as to_second
    from spells
)

select
    cast(timestamp '1970-01-01 00:00:00' + day_number * interval '1 day' as date) as usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    cast(fatal_code as integer) as xid_code,
    from_second,
    to_second
from clipped
where to_second > from_second
