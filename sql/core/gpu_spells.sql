-- What each holder had been given on a node, spell by spell: a spell ends where the scheduler gives or takes anything
-- of the node, where samples begin or cease to name somebody on one of its GPUs, and where a GPU is exchanged.
with edges as (
    select
        usage_date,
        cluster,
        hostname,
        start_second as at_second
    from gpu_given
    union
    select
        usage_date,
        cluster,
        hostname,
        end_second as at_second
    from gpu_given
    union
    select
        usage_date,
        cluster,
        hostname,
        start_second as at_second
    from gpu_named
    union
    select
        usage_date,
        cluster,
        hostname,
        end_second as at_second
    from gpu_named
    union
    select
        usage_date,
        cluster,
        hostname,
        from_second as at_second
    from gpu_lives
    where from_second % 86400 > 0
    union
    select
        usage_date,
        cluster,
        hostname,
        to_second as at_second
    from gpu_lives
    where to_second % 86400 > 0
),

spells as (
    select
        *,
        lead(at_second) over (partition by usage_date, cluster, hostname order by at_second) as next_second
    from edges
)

select
    spells.usage_date,
    spells.cluster,
    spells.hostname,
    spells.at_second,
    spells.next_second,
    gpu_given.mig_profile,
    max(gpu_given.holder_kind) as holder_kind,
    gpu_given.namespace,
    gpu_given.pod,
    min(case when gpu_given.is_shared then 1 else 0 end) = 1 as is_shared,
    cast(sum(gpu_given.asked_ppm) as bigint) as asked_ppm
from spells
inner join gpu_given
    on
        spells.usage_date = gpu_given.usage_date
        and spells.cluster = gpu_given.cluster
        and spells.hostname = gpu_given.hostname
        and spells.at_second >= gpu_given.start_second
        and spells.at_second < gpu_given.end_second
where spells.next_second is not null
group by
    spells.usage_date,
    spells.cluster,
    spells.hostname,
    spells.at_second,
    spells.next_second,
    gpu_given.mig_profile,
    gpu_given.namespace,
    gpu_given.pod
