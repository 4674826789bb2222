-- A node has usually several bill lines for one stretch (compute, licence, storage, a commitment's share), so hours
-- come from the union of the lines' periods, never from their sum. The hosts say which resources are GPU nodes.
-- A line that states the hours that a machine ran bills these, and no more: they lie where the machine was seen, what
-- is stated beyond that in the rest of the line's period, evenly; so do all of them where nobody saw the machine. Lines
-- of one period that bill the same unit, some of them by a commitment, state their hours together; of several units
-- (a machine, its licence) the longest counts. What is stated in cores' or GPUs' hours is more than the period has.
-- Google Cloud's detailed export bills a machine by its number, which clusters do not know, and names it beside: name,
-- project and zone together are that machine.
-- Lines of a scale set are those of its machines that have no lines of their own, each for as long as it was seen.
with named as (
    select distinct
        resource_id,
        lower(resource_name) as resource_name,
        coalesce(sub_account_id, '') as project_id,
        coalesce(availability_zone, regexp_extract(resource_id, '/zones/([^/]+)/', 1)) as zone
    from charges
    where charge_category = 'Usage' and resource_id is not null
),

-- a disk may bear its machine's name: what is no machine is none by the last part of its name
machines as (
    select
        *,
        case
            when resource_id like '//compute.googleapis.com/%'
                then regexp_extract(lower(resource_id), '/(instances?)/', 1) <> ''
            when lower(resource_id) like '/subscriptions/%' then lower(resource_id) like '%/virtualmachine%'
            else true
        end as is_machine,
        concat('/', regexp_extract(lower(resource_id), '^/*(.*?)/*$', 1)) as path_key
    from named
),

keys as (
    select
        resource_id,
        lower(resource_id) as machine_key,
        path_key,
        project_id,
        zone
    from machines
    union
    select
        resource_id,
        lower(regexp_extract(resource_id, '([^/]+)/?$', 1)) as machine_key,
        path_key,
        project_id,
        zone
    from machines
    where is_machine
    union
    select
        resource_id,
        resource_name as machine_key,
        concat('/', resource_name) as path_key,
        project_id,
        zone
    from machines
    where
        is_machine
        and resource_id like '//compute.googleapis.com/%'
        and resource_name is not null
        and project_id <> ''
        and zone <> ''
),

matches as (
    select distinct
        keys.resource_id,
        gpu_hosts.cluster,
        gpu_hosts.hostname,
        gpu_hosts.gpu_count,
        gpu_hosts.gpu_model_name,
        gpu_hosts.valid_from,
        gpu_hosts.valid_to,
        gpu_hosts.is_one_of_many,
        case when gpu_hosts.identity_source = 'configuration' then 0 else 1 end as source_order
    from keys
    inner join gpu_hosts
        on
            keys.machine_key = gpu_hosts.machine_key
            and (
                right(keys.path_key, length(gpu_hosts.path_key)) = gpu_hosts.path_key
                or right(gpu_hosts.path_key, length(keys.path_key)) = keys.path_key
            )
            and (gpu_hosts.project_id is null or keys.project_id in ('', gpu_hosts.project_id))
            and (gpu_hosts.zone is null or keys.zone in ('', gpu_hosts.zone))
),

lines as (
    select
        resource_id,
        cast(epoch(date_trunc('second', charge_period_start)) as bigint) as start_second,
        cast(epoch(date_trunc('second', charge_period_end)) as bigint) as end_second,
        coalesce(sku_id, sku_meter, charge_description, '') as billed_unit,
        case
            when lower(consumed_unit) in ('h', 'hr', 'hrs', 'hour', 'hours') and consumed_quantity > 0
                then cast(consumed_quantity as double)
        end as stated_hours
    from charges
    where
        charge_category = 'Usage'
        -- a correction is money for hours that were billed before: it makes none
        and charge_class is null
        and resource_id in (select matches.resource_id from matches)
),

stated as (
    select
        resource_id,
        start_second,
        end_second,
        sum(stated_hours) as stated_hours
    from lines
    group by resource_id, start_second, end_second, billed_unit
),

periods as (
    select
        resource_id,
        start_second,
        end_second,
        coalesce(
            least(cast(round(max(stated_hours) * 3600) as bigint), end_second - start_second),
            end_second - start_second
        ) as used_seconds,
        max(case when stated_hours is null then 0 else 1 end) as states_hours
    from stated
    group by resource_id, start_second, end_second
),

shortest as (
    select
        resource_id,
        min(end_second - start_second) as shortest_seconds
    from periods
    where states_hours = 1
    group by resource_id
),

longer as (
    select periods.*
    from periods
    inner join shortest
        on
            periods.resource_id = shortest.resource_id
            and periods.end_second - periods.start_second > shortest.shortest_seconds
),

told_within as (
    select
        longer.resource_id,
        longer.start_second,
        longer.end_second,
        sum(periods.used_seconds) as told_seconds
    from longer
    inner join periods
        on
            longer.resource_id = periods.resource_id
            and longer.start_second <= periods.start_second
            and longer.end_second >= periods.end_second
            and longer.end_second - longer.start_second > periods.end_second - periods.start_second
            and periods.states_hours = 1
    group by longer.resource_id, longer.start_second, longer.end_second
),

-- a fee of a day or a month says nothing of when a machine ran, where lines of hours within it say so
telling as (
    select periods.*
    from periods
    left join told_within
        on
            periods.resource_id = told_within.resource_id
            and periods.start_second = told_within.start_second
            and periods.end_second = told_within.end_second
    where
        told_within.told_seconds is null
        or (periods.states_hours = 1 and periods.used_seconds > told_within.told_seconds)
),

reached as (
    select
        resource_id,
        start_second,
        end_second,
        used_seconds,
        end_second - start_second as period_seconds,
        max(end_second) over (
            partition by resource_id
            order by start_second, end_second
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from telling
    where end_second > start_second
),

uncovered as (
    select
        resource_id,
        greatest(start_second, coalesce(covered_until, start_second)) as start_second,
        end_second,
        used_seconds,
        period_seconds
    from reached
    where covered_until is null or end_second > covered_until
),

alive as (
    select
        matches.resource_id,
        gpu_alive_hours.hour_number,
        max(gpu_alive_hours.alive_seconds) as alive_seconds
    from gpu_alive_hours
    inner join matches
        on
            gpu_alive_hours.cluster = matches.cluster
            and gpu_alive_hours.hostname = matches.hostname
            and not matches.is_one_of_many
    where
        matches.resource_id in (
            select reached.resource_id from reached
            where reached.period_seconds > reached.used_seconds
        )
    group by matches.resource_id, gpu_alive_hours.hour_number
),

hours as (
    select
        uncovered.resource_id,
        uncovered.start_second as segment_second,
        step.hour_number,
        (uncovered.used_seconds * (uncovered.end_second - uncovered.start_second) + uncovered.period_seconds // 2)
        // uncovered.period_seconds as used_seconds,
        uncovered.end_second - uncovered.start_second as segment_seconds,
        least(uncovered.end_second, (step.hour_number + 1) * 3600)
        - greatest(uncovered.start_second, step.hour_number * 3600) as hour_seconds
    from uncovered
    cross join
        unnest(generate_series(uncovered.start_second // 3600, (uncovered.end_second - 1) // 3600))
            as step (hour_number)
),

seen as (
    select
        hours.*,
        least(coalesce(alive.alive_seconds, 0), hours.hour_seconds) as alive_seconds
    from hours
    left join alive
        on
            hours.resource_id = alive.resource_id
            and hours.hour_number = alive.hour_number
),

summed as (
    select
        *,
        sum(alive_seconds) over (partition by resource_id, segment_second) as all_alive_seconds
    from seen
),

-- what is to be given to each hour beyond what it has, in parts of a whole
divided as (
    select
        *,
        case
            when used_seconds >= segment_seconds then hour_seconds
            when used_seconds > all_alive_seconds then alive_seconds
            else 0
        end as own_seconds,
        case
            when used_seconds >= segment_seconds then 0
            when used_seconds > all_alive_seconds
                then (used_seconds - all_alive_seconds) * (hour_seconds - alive_seconds)
            else used_seconds * alive_seconds
        end as part,
        case
            when used_seconds > all_alive_seconds then greatest(segment_seconds - all_alive_seconds, 1)
            else all_alive_seconds
        end as whole
    from summed
),

floored as (
    select
        *,
        own_seconds + part // whole as floor_seconds,
        row_number() over (
            partition by resource_id, segment_second order by part % whole desc, hour_number
        ) as remainder_order
    from divided
),

spread as (
    select
        *,
        floor_seconds + case
            when
                remainder_order
                <= used_seconds - sum(floor_seconds) over (partition by resource_id, segment_second)
                then 1
            else 0
        end as billed_seconds
    from floored
),

covered as (
    select
        resource_id,
        hour_number,
        cast(sum(hour_seconds) as bigint) as covered_seconds,
        cast(sum(billed_seconds) as bigint) as billed_seconds
    from spread
    group by resource_id, hour_number
),

dated as (
    select
        resource_id,
        covered_seconds,
        billed_seconds,
        timestamp '1970-01-01 00:00:00' + hour_number * interval '1 hour' as hour_start
    from covered
),

hosted as (
    select
        dated.resource_id,
        matches.hostname,
        matches.cluster,
        matches.gpu_count,
        matches.gpu_model_name,
        matches.is_one_of_many,
        dated.hour_start,
        case
            when matches.is_one_of_many
                then least(
                    dated.covered_seconds,
                    cast(epoch(least(matches.valid_to, dated.hour_start + interval '1 hour')) as bigint)
                    - cast(epoch(greatest(matches.valid_from, dated.hour_start)) as bigint)
                )
            else dated.billed_seconds
        end as billed_seconds,
        row_number() over (
            partition by dated.resource_id, dated.hour_start, matches.is_one_of_many
            order by
                matches.source_order,
                matches.cluster,
                matches.hostname,
                matches.gpu_count,
                matches.gpu_model_name
        ) as host_order,
        max(case when matches.is_one_of_many then 0 else 1 end) over (
            partition by matches.cluster, matches.hostname, dated.hour_start
        ) as has_own_lines
    from dated
    inner join matches
        on
            dated.resource_id = matches.resource_id
            and dated.hour_start < matches.valid_to
            and (
                dated.hour_start >= matches.valid_from
                or (matches.is_one_of_many and dated.hour_start + interval '1 hour' > matches.valid_from)
            )
)

select
    resource_id,
    hostname,
    cluster,
    max(gpu_count) as gpu_count,
    max(gpu_model_name) as gpu_model_name,
    hour_start,
    cast(hour_start as date) as usage_date,
    cast(sum(billed_seconds) as bigint) as billed_seconds
from hosted
where
    ((is_one_of_many and has_own_lines = 0) or (not is_one_of_many and host_order = 1))
    and billed_seconds > 0
group by resource_id, hostname, cluster, hour_start
