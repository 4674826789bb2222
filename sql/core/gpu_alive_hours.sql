-- Seconds of each hour in which anybody saw a machine: its cluster, its scheduler, or samples of its GPUs, which count
-- from the first to the last of the hour.
with told as (
    select
        cluster,
        hostname,
        cast(epoch(date_trunc('second', seen_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', seen_to)) as bigint) as to_second
    from node_sightings
    union all
    select
        cluster,
        hostname,
        start_second as from_second,
        end_second as to_second
    from gpu_holdings
    union all
    select
        cluster,
        hostname,
        min(start_second) as from_second,
        max(end_second) as to_second
    from gpu_run_ends
    group by cluster, hostname, start_second // 3600
),

hourly as (
    select
        told.cluster,
        told.hostname,
        step.hour_number,
        greatest(told.from_second, step.hour_number * 3600) as from_second,
        least(told.to_second, (step.hour_number + 1) * 3600) as to_second
    from told
    cross join
        unnest(generate_series(told.from_second // 3600, (told.to_second - 1) // 3600)) as step (hour_number)
    where told.to_second > told.from_second
),

reached as (
    select
        *,
        coalesce(
            max(to_second) over (
                partition by cluster, hostname, hour_number
                order by from_second, to_second
                rows between unbounded preceding and 1 preceding
            ),
            from_second
        ) as reached_second
    from hourly
)

select
    cluster,
    hostname,
    hour_number,
    cast(sum(greatest(to_second - greatest(from_second, reached_second), 0)) as bigint) as alive_seconds
from reached
group by cluster, hostname, hour_number
