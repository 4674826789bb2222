-- What the scheduler gave to whom on which node. Which GPU it was no scheduler keeps: samples tell, or nobody.
-- A host that the scheduler names in short is the one that the cluster, or else its samples, know in full.
-- A pod's share of a time-sliced GPU is one of as many as the node offers of each GPU; where nobody tells how many, all
-- that share on the node have one. Shares of a batch job are parts of a GPU already.
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
    where is_shared and holder_kind = 'pod'
    group by usage_date, cluster, hostname
)

select
    holdings.usage_date,
    holdings.cluster,
    holdings.hostname,
    holdings.mig_profile,
    holdings.start_second,
    holdings.end_second,
    holdings.holder_kind,
    holdings.namespace,
    holdings.pod,
    holdings.is_shared,
    cast(sum(holdings.allocated_ppm) as bigint)
    // max(
        case
            when holdings.is_shared and holdings.holder_kind = 'pod'
                then coalesce(replicas.gpu_replicas, sharers.sharer_count)
            else 1
        end
    ) as asked_ppm
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
    holdings.mig_profile,
    holdings.start_second,
    holdings.end_second,
    holdings.holder_kind,
    holdings.namespace,
    holdings.pod,
    holdings.is_shared
