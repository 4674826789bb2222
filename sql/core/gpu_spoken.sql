-- When the scheduler of a cluster spoke: what it gave to nobody then, nobody had. Of its silence nobody knows.
--   nodes and pods are asked again and again: their intervals end where the answers do, and say nothing beyond. That a
--   node answers says nothing of its pods on a day on which nobody delivered who holds GPUs;
--   accounting of batch jobs tells of a day from its midnight, up to the last instant that it knows of any job.
-- Silences of up to five minutes are bridged, as those of samples are.
with delivered as (
    select distinct
        cluster,
        usage_date
    from holder_days
),

told as (
    select
        node_sightings.cluster,
        cast(epoch(date_trunc('second', node_sightings.seen_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', node_sightings.seen_to)) as bigint) as to_second
    from node_sightings
    inner join delivered
        on
            node_sightings.cluster = delivered.cluster
            and node_sightings.sighting_date = delivered.usage_date
    union all
    select
        cluster,
        cast(epoch(date_trunc('second', started_at)) as bigint) as from_second,
        cast(epoch(date_trunc('second', ended_at)) as bigint) as to_second
    from gpu_allocations
    where holder_kind = 'pod'
    union all
    select
        cluster,
        cast(epoch(cast(allocation_date as timestamp)) as bigint) as from_second,
        max(cast(epoch(date_trunc('second', ended_at)) as bigint)) as to_second
    from gpu_allocations
    where holder_kind = 'job'
    group by cluster, allocation_date
),

beside as (
    select
        *,
        max(to_second) over (
            partition by cluster
            order by from_second, to_second
            rows between unbounded preceding and 1 preceding
        ) as reached_second
    from told
),

numbered as (
    select
        *,
        sum(case when from_second <= reached_second + 300 then 0 else 1 end) over (
            partition by cluster
            order by from_second, to_second
            rows between unbounded preceding and current row
        ) as spell_number
    from beside
)

select
    cluster,
    min(from_second) as from_second,
    max(to_second) as to_second
from numbered
group by cluster, spell_number
