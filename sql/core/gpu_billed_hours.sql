-- A node has usually several bill lines for one stretch (compute, licence, storage, a commitment's share), so hours
-- come from the union of the lines' periods, never from their sum. The hosts say which resources are GPU nodes.
-- A line that covers a day covers its 24 hours: where in the day fewer hours fell, a daily bill does not say.
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

keys as (
    select
        resource_id,
        lower(resource_id) as machine_key,
        project_id,
        zone
    from named
    union
    select
        resource_id,
        lower(regexp_extract(resource_id, '([^/]+)/?$', 1)) as machine_key,
        project_id,
        zone
    from named
    union
    select
        resource_id,
        resource_name as machine_key,
        project_id,
        zone
    from named
    where
        resource_id like '//compute.googleapis.com/%'
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
        gpu_hosts.is_one_of_many
    from keys
    inner join gpu_hosts
        on
            keys.machine_key = gpu_hosts.machine_key
            and (gpu_hosts.project_id is null or keys.project_id in ('', gpu_hosts.project_id))
            and (gpu_hosts.zone is null or keys.zone in ('', gpu_hosts.zone))
),

periods as (
    select distinct
        resource_id,
        cast(epoch(date_trunc('second', charge_period_start)) as bigint) as start_second,
        cast(epoch(date_trunc('second', charge_period_end)) as bigint) as end_second
    from charges
    where
        charge_category = 'Usage'
        and resource_id in (select matches.resource_id from matches)
),

reached as (
    select
        resource_id,
        start_second,
        end_second,
        max(end_second) over (
            partition by resource_id
            order by start_second, end_second
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from periods
    where end_second > start_second
),

uncovered as (
    select
        resource_id,
        greatest(start_second, coalesce(covered_until, start_second)) as start_second,
        end_second
    from reached
    where covered_until is null or end_second > covered_until
),

hours as (
    select
        uncovered.resource_id,
        uncovered.start_second,
        uncovered.end_second,
        step.hour_number
    from uncovered
    cross join
        unnest(generate_series(uncovered.start_second // 3600, (uncovered.end_second - 1) // 3600))
            as step (hour_number)
),

covered as (
    select
        resource_id,
        hour_number,
        cast(sum(
            least(end_second, (hour_number + 1) * 3600) - greatest(start_second, hour_number * 3600)
        ) as bigint) as billed_seconds
    from hours
    group by resource_id, hour_number
),

dated as (
    select
        resource_id,
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
                    dated.billed_seconds,
                    cast(epoch(least(matches.valid_to, dated.hour_start + interval '1 hour')) as bigint)
                    - cast(epoch(greatest(matches.valid_from, dated.hour_start)) as bigint)
                )
            else dated.billed_seconds
        end as billed_seconds,
        row_number() over (
            partition by dated.resource_id, dated.hour_start, matches.is_one_of_many
            order by matches.cluster, matches.hostname
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
where (is_one_of_many and has_own_lines = 0) or (not is_one_of_many and host_order = 1)
group by resource_id, hostname, cluster, hour_start
