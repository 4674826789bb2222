-- A GPU is there all day, whatever it reports, but for one that was exchanged: of those that come one after the other
-- at one place of the node each is there until its successor reports, which is there from then on. The last sample of
-- one may hold for five minutes beyond that. Two that report side by side under one index are no such pair. So is one
-- that moves: it is there until it reports from elsewhere.
with signs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        cast(epoch(cast(usage_date as timestamp)) as bigint) as midnight_second,
        max(gpu_index) as gpu_index,
        min(cast(epoch(started_at) as bigint)) as first_second,
        max(cast(epoch(ended_at) as bigint)) as last_second
    from gpu_runs
    where cast(started_at as date) = usage_date
    group by usage_date, cluster, hostname, gpu_uuid
),

followed as (
    select
        *,
        max(last_second) over (
            partition by usage_date, cluster, hostname, gpu_index order by first_second, gpu_uuid
            rows between unbounded preceding and 1 preceding
        ) as before_second,
        min(first_second) over (
            partition by usage_date, cluster, hostname, gpu_index order by first_second, gpu_uuid
            rows between 1 following and unbounded following
        ) as next_second,
        lag(last_second) over (
            partition by usage_date, gpu_uuid order by first_second, cluster, hostname
        ) as left_elsewhere_second,
        lead(first_second) over (
            partition by usage_date, gpu_uuid order by first_second, cluster, hostname
        ) as next_elsewhere_second
    from signs
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    coalesce(
        case when gpu_index >= 0 and before_second - 300 <= first_second then first_second end,
        case when left_elsewhere_second - 300 <= first_second then first_second end,
        midnight_second
    ) as from_second,
    coalesce(
        case when gpu_index >= 0 and next_second >= last_second - 300 then next_second end,
        case when next_elsewhere_second >= last_second - 300 then next_elsewhere_second end,
        midnight_second + 86400
    ) as to_second
from followed
