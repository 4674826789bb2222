-- One row for each stretch, however many GPUs, containers and sources tell of it.
select
    allocation_date as usage_date,
    cluster,
    '' as hostname,
    namespace,
    pod,
    started_at as told_from,
    max(ended_at) as told_to,
    labels
from gpu_allocations
where labels is not null
group by allocation_date, cluster, namespace, pod, started_at, labels
union all
select
    sighting_date as usage_date,
    cluster,
    hostname,
    '' as namespace,
    '' as pod,
    seen_from as told_from,
    max(seen_to) as told_to,
    labels
from node_sightings
where labels is not null
group by sighting_date, cluster, hostname, seen_from, labels
