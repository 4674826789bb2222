-- A node that became another machine within a day counts as the larger one.
with billed as (
    select
        usage_date,
        cluster,
        hostname,
        max(gpu_count) as gpu_count
    from gpu_billed_hours
    group by usage_date, cluster, hostname
),

registered as (
    select
        billed.usage_date,
        billed.cluster,
        billed.hostname,
        max(host_identity.vcpu_count) as vcpu_count,
        max(host_identity.memory_gib) as memory_gib
    from billed
    inner join host_identity
        on
            billed.cluster = host_identity.cluster
            and billed.hostname = host_identity.hostname
            and cast(billed.usage_date as timestamp) < host_identity.valid_to
            and cast(billed.usage_date as timestamp) + interval '1 day' > host_identity.valid_from
    group by billed.usage_date, billed.cluster, billed.hostname
),

sighted as (
    select
        sighting_date as usage_date,
        cluster,
        hostname,
        max(vcpu_count) as vcpu_count,
        max(memory_gib) as memory_gib
    from node_sightings
    group by sighting_date, cluster, hostname
)

select
    billed.usage_date,
    billed.cluster,
    billed.hostname,
    billed.gpu_count,
    coalesce(registered.vcpu_count, sighted.vcpu_count) as vcpu_count,
    coalesce(registered.memory_gib, sighted.memory_gib) as memory_gib
from billed
left join registered
    on
        billed.usage_date = registered.usage_date
        and billed.cluster = registered.cluster
        and billed.hostname = registered.hostname
left join sighted
    on
        billed.usage_date = sighted.usage_date
        and billed.cluster = sighted.cluster
        and billed.hostname = sighted.hostname
