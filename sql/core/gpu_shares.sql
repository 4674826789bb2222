-- How much of a GPU each MIG instance is, hour by hour. Everything is counted in shares of a second, of which a
-- GPU's second has 720720, so that sevenths and any number of holders up to 16 divide it evenly. Instances weigh by
-- the compute slices that their profiles name, and equally where one of them names none that its GPU can have: of seven
-- slices there are instances of 1, 2, 3, 4 and 7, of four of 1, 2 and 4. That is said, and so is where those
-- there at once are more than the GPU: five minutes of it are samples that hold while it is partitioned anew. Slices
-- without an instance are stranded: free while any instance of the GPU reports. An instance exists from first to
-- last sign of the day, so that a GPU may be partitioned anew within an hour.
with signs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        cast(epoch(started_at) as bigint) // 3600 as hour_number,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as end_second,
        is_observed
    from gpu_stretches
    where holder_order = 1
),

reached as (
    select
        cluster,
        hostname,
        gpu_uuid,
        hour_number,
        is_observed,
        start_second,
        end_second,
        coalesce(
            max(end_second) over (
                partition by cluster, hostname, gpu_uuid, hour_number
                order by start_second, end_second
                rows between unbounded preceding and 1 preceding
            ),
            start_second
        ) as reached_second,
        coalesce(
            max(case when is_observed then end_second else 0 end) over (
                partition by cluster, hostname, gpu_uuid, hour_number
                order by start_second, end_second
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as observed_second
    from signs
),

seen as (
    select
        cluster,
        hostname,
        gpu_uuid,
        hour_number,
        sum(greatest(end_second - greatest(start_second, reached_second), 0)) as seen_seconds,
        sum(
            case when is_observed then greatest(end_second - greatest(start_second, observed_second), 0) else 0 end
        ) as observed_seconds
    from reached
    group by cluster, hostname, gpu_uuid, hour_number
),

lives as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        min(start_second) as first_second,
        max(end_second) as last_second
    from signs
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile
),

covered as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        hour_number,
        try_cast(nullif(regexp_extract(mig_profile, '([0-9]+)g([.]|$)', 1), '') as integer) as told_slices,
        max(case
            when gpu_model_name like '%RTX PRO 5000%' then 2
            when gpu_model_name like '%A30%' or gpu_model_name like '%RTX PRO 6000%' then 4
            else 7
        end) as gpu_slices,
        sum(end_second - start_second) as covered_seconds
    from signs
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, hour_number
),

possible as (
    select
        *,
        case
            when told_slices in (1, 2, 4) and told_slices <= gpu_slices then told_slices
            when told_slices in (3, 7) and gpu_slices = 7 then told_slices
        end as instance_slices
    from covered
),

counted as (
    select
        *,
        count(*) over (partition by cluster, hostname, gpu_uuid, hour_number) as instance_count,
        count(instance_slices) over (partition by cluster, hostname, gpu_uuid, hour_number) as sliced_count
    from possible
),

weighed as (
    select
        counted.cluster,
        counted.hostname,
        counted.gpu_uuid,
        counted.gpu_instance_id,
        counted.mig_profile,
        counted.hour_number,
        counted.covered_seconds,
        seen.seen_seconds,
        seen.observed_seconds,
        counted.mig_profile <> '' and counted.instance_slices is null as is_impossible,
        counted.sliced_count = counted.instance_count as is_sliced,
        case
            when counted.sliced_count = counted.instance_count
                then (720720 * counted.instance_slices) // counted.gpu_slices
            else 720720 // counted.instance_count
        end as instance_shares,
        greatest(
            least(
                least(lives.last_second, (counted.hour_number + 1) * 3600)
                - greatest(lives.first_second, counted.hour_number * 3600),
                seen.seen_seconds
            ) - counted.covered_seconds,
            0
        ) as silent_seconds
    from counted
    inner join seen
        on
            counted.cluster = seen.cluster
            and counted.hostname = seen.hostname
            and counted.gpu_uuid = seen.gpu_uuid
            and counted.hour_number = seen.hour_number
    inner join lives
        on
            counted.usage_date = lives.usage_date
            and counted.cluster = lives.cluster
            and counted.hostname = lives.hostname
            and counted.gpu_uuid = lives.gpu_uuid
            and counted.gpu_instance_id = lives.gpu_instance_id
            and counted.mig_profile = lives.mig_profile
),

summed as (
    select
        cast(timestamp '1970-01-01 00:00:00' + hour_number * interval '1 hour' as date) as usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        hour_number,
        instance_shares,
        cast(seen_seconds as bigint) as seen_seconds,
        cast(observed_seconds as bigint) as observed_seconds,
        cast(silent_seconds as bigint) as silent_seconds,
        cast(
            sum(instance_shares) over (partition by cluster, hostname, gpu_uuid, hour_number) as bigint
        ) as all_shares,
        case
            when is_sliced
                then cast(
                    greatest(
                        720720 * seen_seconds
                        - sum(instance_shares * (covered_seconds + silent_seconds)) over (
                            partition by cluster, hostname, gpu_uuid, hour_number
                        ),
                        0
                    ) as bigint
                )
            else 0
        end as stranded_second_shares,
        case
            when is_impossible then 'impossible_profile'
            when
                mig_profile <> ''
                and sum(instance_shares * covered_seconds) over (
                    partition by cluster, hostname, gpu_uuid, hour_number
                ) > 720720 * (seen_seconds + 300)
                then 'too_many_slices'
        end as mig_doubt
    from weighed
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    hour_number,
    instance_shares,
    seen_seconds,
    silent_seconds,
    all_shares,
    stranded_second_shares,
    (stranded_second_shares * observed_seconds) // seen_seconds as stranded_observed_shares,
    mig_doubt
from summed
