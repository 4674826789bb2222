-- The time of every GPU or MIG instance, cut wherever something may change: at full hours, where a run ends, where the
-- scheduler gives or takes or falls silent, where a serving engine begins or ceases to have requests, where a node is
-- seen or lost. Time without samples stands here too, as unseen. What a run left unfilled is shared among its pieces by
-- running totals, each rounded down: they sum to the run's, however often it is cut.
with held as (
    select
        *,
        cast(epoch(held_from) as bigint) as from_second,
        cast(epoch(held_to) as bigint) as to_second
    from gpu_held
),

sighted as (
    select
        cluster,
        hostname,
        cast(epoch(date_trunc('second', seen_from)) as bigint) as from_second,
        cast(epoch(date_trunc('second', seen_to)) as bigint) as to_second
    from node_sightings
),

lived as (
    select *
    from gpu_observed
    union all
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_model_name,
        true as tells_holders,
        '' as holders,
        'unseen' as activity_state,
        '' as metric_used,
        start_second,
        end_second,
        end_second - start_second as run_seconds,
        0 as unfilled_seconds,
        0 as unfilled_ppm_seconds
    from gpu_unseen
),

instances as (
    select distinct
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile
    from lived
),

numbered_instances as (
    select
        *,
        row_number() over (order by cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile) as instance_number
    from instances
),

-- what has a number is found by it: names of GPUs are long, and a month has millions of runs
timeline as (
    select
        lived.*,
        numbered_instances.instance_number * 100000000000 + lived.start_second as run_number
    from lived
    inner join numbered_instances
        on
            lived.cluster = numbered_instances.cluster
            and lived.hostname = numbered_instances.hostname
            and lived.gpu_uuid = numbered_instances.gpu_uuid
            and lived.gpu_instance_id = numbered_instances.gpu_instance_id
            and lived.mig_profile = numbered_instances.mig_profile
),

named as (
    select distinct
        cluster,
        hostname,
        holders
    from gpu_runs
),

hosts_of_pods as (
    select distinct
        cluster,
        hostname,
        concat(namespace, '/', pod) as holder
    from gpu_held
    union
    select distinct
        named.cluster,
        named.hostname,
        step.holder
    from named
    cross join unnest(str_split_regex(named.holders, ',')) as step (holder)
),

-- what the scheduler gave on a node that it does not name may be any GPU of its cluster
unplaced as (
    select
        cluster,
        cast(epoch(date_trunc('second', started_at)) as bigint) as from_second,
        cast(epoch(date_trunc('second', ended_at)) as bigint) as to_second
    from gpu_allocations
    where hostname = ''
),

-- and what it says of nobody, or does not say, is of all GPUs of its cluster
said as (
    select
        cluster,
        from_second as at_second
    from gpu_spoken
    union
    select
        cluster,
        to_second as at_second
    from gpu_spoken
    union
    select
        cluster,
        from_second as at_second
    from unplaced
    union
    select
        cluster,
        to_second as at_second
    from unplaced
),

-- of all GPUs of a node
changes as (
    select
        named.cluster,
        named.hostname,
        said.at_second
    from named
    inner join said on named.cluster = said.cluster
    union
    select
        cluster,
        hostname,
        from_second as at_second
    from sighted
    union
    select
        cluster,
        hostname,
        to_second as at_second
    from sighted
    union
    select
        hosts_of_pods.cluster,
        hosts_of_pods.hostname,
        cast(epoch(date_trunc('second', gpu_serving.busy_from)) as bigint) as at_second
    from gpu_serving
    inner join hosts_of_pods
        on
            gpu_serving.cluster = hosts_of_pods.cluster
            and concat(gpu_serving.namespace, '/', gpu_serving.pod) = hosts_of_pods.holder
    union
    select
        hosts_of_pods.cluster,
        hosts_of_pods.hostname,
        cast(epoch(date_trunc('second', gpu_serving.busy_to)) as bigint) as at_second
    from gpu_serving
    inner join hosts_of_pods
        on
            gpu_serving.cluster = hosts_of_pods.cluster
            and concat(gpu_serving.namespace, '/', gpu_serving.pod) = hosts_of_pods.holder
),

held_changes as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        from_second as at_second
    from held
    union
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        to_second as at_second
    from held
),

-- of one GPU, where its whole node is not cut at that instant
own_changes as (
    select held_changes.*
    from held_changes
    left join changes
        on
            held_changes.cluster = changes.cluster
            and held_changes.hostname = changes.hostname
            and held_changes.at_second = changes.at_second
    where changes.at_second is null
),

-- instants within runs, of which few have any
inside as (
    select
        timeline.run_number,
        changes.at_second
    from timeline
    inner join changes
        on
            timeline.cluster = changes.cluster
            and timeline.hostname = changes.hostname
            and timeline.start_second // 3600 = changes.at_second // 3600
            and timeline.start_second < changes.at_second
            and timeline.end_second > changes.at_second
    union all
    select
        timeline.run_number,
        own_changes.at_second
    from timeline
    inner join own_changes
        on
            timeline.cluster = own_changes.cluster
            and timeline.hostname = own_changes.hostname
            and timeline.gpu_uuid = own_changes.gpu_uuid
            and timeline.gpu_instance_id = own_changes.gpu_instance_id
            and timeline.mig_profile = own_changes.mig_profile
            and timeline.start_second // 3600 = own_changes.at_second // 3600
            and timeline.start_second < own_changes.at_second
            and timeline.end_second > own_changes.at_second
),

starts as (
    select
        run_number,
        at_second
    from inside
    union all
    select distinct
        run_number,
        run_number % 100000000000 as at_second
    from inside
),

cuts as (
    select
        run_number,
        at_second,
        lead(at_second) over (partition by run_number order by at_second) as next_second
    from starts
),

cut as (
    select
        timeline.*,
        coalesce(cuts.at_second, timeline.start_second) as at_second,
        coalesce(cuts.next_second, timeline.end_second) as until_second
    from timeline
    left join cuts on timeline.run_number = cuts.run_number
)

select
    run_number - start_second + at_second as piece_number,
    cast(timestamp '1970-01-01 00:00:00' + at_second * interval '1 second' as date) as usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    gpu_model_name,
    tells_holders,
    holders,
    activity_state,
    metric_used,
    at_second as start_second,
    until_second as end_second,
    (unfilled_seconds * (until_second - start_second)) // run_seconds
    - (unfilled_seconds * (at_second - start_second)) // run_seconds as unfilled_seconds,
    (unfilled_ppm_seconds * (until_second - start_second)) // run_seconds
    - (unfilled_ppm_seconds * (at_second - start_second)) // run_seconds as unfilled_ppm_seconds
from cut
