-- What the scheduler gave to whom, and how the GPU is found:
--   by its UUID or its index on the node, where the scheduler knows it (allocation_gpu);
--   by the exporter, where it names the holder on some GPU of the node that day: the scheduler's interval then says who
--   held that GPU while no sample does (exporter_label);
--   not yet, where it is known to be one of the node's (allocation_node).
-- A host that the scheduler names in short is the one that the cluster, or else its samples, know in full.
-- Exporters name a batch job by its id alone, whatever namespace they put before it. A share of a time-sliced GPU is
-- one of as many as the node offers of each GPU; where nobody tells how many, all that share on the node have one.
with replicas as (
    select
        sighting_date as usage_date,
        cluster,
        hostname,
        max(gpu_replicas) as gpu_replicas
    from node_sightings
    group by sighting_date, cluster, hostname
),

known_names as (
    select
        cluster,
        short_name,
        hostname
    from gpu_host_names
    union
    select
        cluster,
        split_part(hostname, '.', 1) as short_name,
        hostname
    from gpu_runs
),

full_names as (
    select
        cluster,
        short_name,
        min(hostname) as hostname
    from known_names
    group by cluster, short_name
    having count(*) = 1
),

holdings as (
    select
        gpu_holdings.usage_date,
        gpu_holdings.cluster,
        coalesce(full_names.hostname, gpu_holdings.hostname) as hostname,
        gpu_holdings.holder_kind,
        gpu_holdings.namespace,
        gpu_holdings.pod,
        gpu_holdings.gpu_uuid,
        gpu_holdings.gpu_index,
        gpu_holdings.gpu_instance_id,
        gpu_holdings.mig_profile,
        gpu_holdings.is_shared,
        gpu_holdings.start_second,
        gpu_holdings.end_second,
        gpu_holdings.allocated_ppm
    from gpu_holdings
    left join full_names
        on
            gpu_holdings.cluster = full_names.cluster
            and split_part(gpu_holdings.hostname, '.', 1) = full_names.short_name
            and full_names.short_name in (gpu_holdings.hostname, full_names.hostname)
),

sharers as (
    select
        usage_date,
        cluster,
        hostname,
        count(distinct concat(namespace, '/', pod)) as sharer_count
    from holdings
    where is_shared
    group by usage_date, cluster, hostname
),

given as (
    select
        holdings.usage_date,
        holdings.cluster,
        holdings.hostname,
        holdings.holder_kind,
        holdings.namespace,
        holdings.pod,
        holdings.gpu_uuid,
        holdings.gpu_index,
        holdings.gpu_instance_id,
        holdings.mig_profile,
        holdings.start_second,
        holdings.end_second,
        cast(sum(holdings.allocated_ppm) as bigint)
        // max(case when holdings.is_shared then coalesce(replicas.gpu_replicas, sharers.sharer_count) else 1 end)
            as asked_ppm
    from holdings
    left join replicas
        on
            holdings.usage_date = replicas.usage_date
            and holdings.cluster = replicas.cluster
            and holdings.hostname = replicas.hostname
    left join sharers
        on
            holdings.usage_date = sharers.usage_date
            and holdings.cluster = sharers.cluster
            and holdings.hostname = sharers.hostname
    group by
        holdings.usage_date,
        holdings.cluster,
        holdings.hostname,
        holdings.holder_kind,
        holdings.namespace,
        holdings.pod,
        holdings.gpu_uuid,
        holdings.gpu_index,
        holdings.gpu_instance_id,
        holdings.mig_profile,
        holdings.start_second,
        holdings.end_second
),

runs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_index,
        holders,
        activity_state,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as end_second
    from gpu_runs
),

indexed as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_index,
        gpu_uuid,
        min(start_second) as first_second
    from runs
    where gpu_index is not null
    group by usage_date, cluster, hostname, gpu_index, gpu_uuid
),

-- a GPU that was exchanged leaves its index to its successor
seats as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_index,
        gpu_uuid,
        case
            when row_number() over (partition by usage_date, cluster, hostname, gpu_index order by first_second) = 1
                then 0
            else first_second
        end as from_second,
        coalesce(
            lead(first_second) over (partition by usage_date, cluster, hostname, gpu_index order by first_second),
            1000000000000
        ) as to_second
    from indexed
),

by_gpu as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        start_second,
        end_second,
        namespace,
        pod,
        asked_ppm
    from given
    where gpu_uuid <> ''
    union all
    select
        given.usage_date,
        given.cluster,
        given.hostname,
        seats.gpu_uuid,
        given.gpu_instance_id,
        given.mig_profile,
        greatest(given.start_second, seats.from_second) as start_second,
        least(given.end_second, seats.to_second) as end_second,
        given.namespace,
        given.pod,
        given.asked_ppm
    from given
    inner join seats
        on
            given.usage_date = seats.usage_date
            and given.cluster = seats.cluster
            and given.hostname = seats.hostname
            and given.gpu_index = seats.gpu_index
            and given.start_second < seats.to_second
            and given.end_second > seats.from_second
    where given.gpu_uuid = ''
),

held_runs as (
    select distinct
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        holders
    from runs
    where holders <> ''
),

labels as (
    select distinct
        held_runs.usage_date,
        held_runs.cluster,
        held_runs.hostname,
        held_runs.gpu_uuid,
        held_runs.gpu_instance_id,
        held_runs.mig_profile,
        split_part(step.holder, '/', 1) as namespace,
        substr(step.holder, length(split_part(step.holder, '/', 1)) + 2) as pod
    from held_runs
    cross join unnest(str_split_regex(held_runs.holders, ',')) as step (holder)
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    start_second,
    end_second,
    namespace,
    pod,
    'allocation_gpu' as holder_source,
    asked_ppm
from by_gpu
union all
select
    given.usage_date,
    given.cluster,
    given.hostname,
    labels.gpu_uuid,
    labels.gpu_instance_id,
    labels.mig_profile,
    given.start_second,
    given.end_second,
    given.namespace,
    given.pod,
    'exporter_label' as holder_source,
    given.asked_ppm
from given
inner join labels
    on
        given.usage_date = labels.usage_date
        and given.cluster = labels.cluster
        and given.hostname = labels.hostname
        and given.pod = labels.pod
        and (given.namespace = labels.namespace or given.holder_kind = 'job')
where given.gpu_uuid = ''
union all
select
    given.usage_date,
    given.cluster,
    given.hostname,
    '' as gpu_uuid,
    given.gpu_instance_id,
    given.mig_profile,
    given.start_second,
    given.end_second,
    given.namespace,
    given.pod,
    'allocation_node' as holder_source,
    given.asked_ppm
from given
left join labels
    on
        given.usage_date = labels.usage_date
        and given.cluster = labels.cluster
        and given.hostname = labels.hostname
        and given.pod = labels.pod
        and (given.namespace = labels.namespace or given.holder_kind = 'job')
left join seats
    on
        given.usage_date = seats.usage_date
        and given.cluster = seats.cluster
        and given.hostname = seats.hostname
        and given.gpu_index = seats.gpu_index
where given.gpu_uuid = '' and labels.pod is null and seats.gpu_uuid is null
