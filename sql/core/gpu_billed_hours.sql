-- A node has usually several bill lines for one stretch (compute, licence, storage, a commitment's share), so hours
-- come from the union of the lines' periods, never from their sum. The host register says which resources are nodes.
-- A line that covers a day covers its 24 hours: where in the day fewer hours fell, a daily bill does not say.
with periods as (
    select distinct
        resource_id,
        cast(epoch(date_trunc('second', charge_period_start)) as bigint) as start_second,
        cast(epoch(date_trunc('second', charge_period_end)) as bigint) as end_second
    from charges
    where
        charge_category = 'Usage'
        and resource_id in (select host_identity.resource_id from host_identity)
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
)

select
    dated.resource_id,
    host_identity.hostname,
    host_identity.cluster,
    host_identity.gpu_count,
    host_identity.gpu_model_name,
    dated.hour_start,
    cast(dated.hour_start as date) as usage_date,
    dated.billed_seconds
from dated
inner join host_identity
    on
        dated.resource_id = host_identity.resource_id
        and dated.hour_start >= host_identity.valid_from
        and dated.hour_start < host_identity.valid_to
