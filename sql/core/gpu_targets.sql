-- The seconds that each GPU of a billed node-hour answers for. More GPUs seen than billed (one was exchanged, say):
-- each keeps what is known of it, and what is unknown is shared out; fewer: the rest of the node is unobserved. A GPU
-- is known on the days beside one on which it reported, too.
with billed as (
    select
        *,
        cast(epoch(hour_start) as bigint) // 3600 as hour_number
    from gpu_billed_hours
),

seen_gpus as (
    select
        cluster,
        hostname,
        gpu_uuid,
        hour_number,
        max(seen_seconds) as seen_seconds,
        max(stranded_second_shares) as stranded_second_shares,
        max(stranded_observed_shares) as stranded_observed_shares
    from gpu_shares
    group by cluster, hostname, gpu_uuid, hour_number
),

gpu_days as (
    select distinct
        cluster,
        hostname,
        gpu_uuid,
        usage_date
    from gpu_shares
),

day_offsets as (
    select unnest([-1, 0, 1]) as day_offset
),

known_days as (
    select distinct
        gpu_days.cluster,
        gpu_days.hostname,
        gpu_days.gpu_uuid,
        gpu_days.usage_date + cast(day_offsets.day_offset as integer) as usage_date
    from gpu_days
    cross join day_offsets
),

candidates as (
    select
        billed.resource_id,
        billed.hour_number,
        billed.usage_date,
        billed.cluster,
        billed.hostname,
        billed.billed_seconds,
        billed.gpu_count,
        known_days.gpu_uuid,
        least(coalesce(seen_gpus.seen_seconds, 0), billed.billed_seconds) as seen_seconds,
        coalesce(seen_gpus.stranded_second_shares, 0) as stranded_second_shares,
        coalesce(seen_gpus.stranded_observed_shares, 0) as stranded_observed_shares,
        case when seen_gpus.gpu_uuid is null then 0 else 1 end as is_seen
    from billed
    inner join known_days
        on
            billed.cluster = known_days.cluster
            and billed.hostname = known_days.hostname
            and billed.usage_date = known_days.usage_date
    left join seen_gpus
        on
            known_days.cluster = seen_gpus.cluster
            and known_days.hostname = seen_gpus.hostname
            and known_days.gpu_uuid = seen_gpus.gpu_uuid
            and billed.hour_number = seen_gpus.hour_number
),

ordered_candidates as (
    select
        *,
        row_number() over (
            partition by resource_id, cluster, hostname, hour_number order by is_seen desc, gpu_uuid asc
        ) as gpu_order,
        sum(is_seen) over (partition by resource_id, cluster, hostname, hour_number) as seen_count,
        sum(seen_seconds) over (partition by resource_id, cluster, hostname, hour_number) as all_seen_seconds
    from candidates
),

kept as (
    select
        *,
        billed_seconds * gpu_count - all_seen_seconds as spare_seconds,
        billed_seconds * seen_count - all_seen_seconds as room_seconds
    from ordered_candidates
    where gpu_order <= greatest(gpu_count, seen_count)
),

-- what is to be given to each beyond what it has, in parts of a whole
divided as (
    select
        *,
        case
            when seen_count <= gpu_count then billed_seconds
            when spare_seconds >= 0 then seen_seconds
            else 0
        end as own_seconds,
        case
            when seen_count <= gpu_count then 0
            when spare_seconds >= 0 then spare_seconds * (billed_seconds - seen_seconds)
            else billed_seconds * gpu_count * seen_seconds
        end as part,
        greatest(case when spare_seconds >= 0 then room_seconds else all_seen_seconds end, 1) as whole
    from kept
),

floored as (
    select
        *,
        own_seconds + part // whole as floor_seconds,
        row_number() over (
            partition by resource_id, cluster, hostname, hour_number order by part % whole desc, gpu_order
        ) as remainder_order
    from divided
),

known_counts as (
    select
        cluster,
        hostname,
        usage_date,
        count(*) as known_count
    from known_days
    group by cluster, hostname, usage_date
)

select
    usage_date,
    resource_id,
    cluster,
    hostname,
    hour_number,
    gpu_uuid,
    1 as gpus,
    stranded_second_shares,
    stranded_observed_shares,
    cast(seen_seconds as bigint) as seen_seconds,
    cast(
        floor_seconds + case
            when
                seen_count > gpu_count
                and remainder_order <= billed_seconds * gpu_count - sum(floor_seconds) over (
                    partition by resource_id, cluster, hostname, hour_number
                )
                then 1
            else 0
        end as bigint
    ) as target_seconds
from floored
union all
select
    billed.usage_date,
    billed.resource_id,
    billed.cluster,
    billed.hostname,
    billed.hour_number,
    'unobserved' as gpu_uuid,
    billed.gpu_count - coalesce(known_counts.known_count, 0) as gpus,
    0 as stranded_second_shares,
    0 as stranded_observed_shares,
    0 as seen_seconds,
    billed.billed_seconds * (billed.gpu_count - coalesce(known_counts.known_count, 0)) as target_seconds
from billed
left join known_counts
    on
        billed.cluster = known_counts.cluster
        and billed.hostname = known_counts.hostname
        and billed.usage_date = known_counts.usage_date
where billed.gpu_count > coalesce(known_counts.known_count, 0)
