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
        lead(at_second) over (partition by usage_date, cluster, hostname order by at_second) as next_second,
        row_number() over (order by usage_date, cluster, hostname, at_second) as spell_number
    from edges
),

-- holders by a number: by their names rows are grouped and put in order many times as slowly
holders as (
    select
        *,
        dense_rank() over (order by mig_profile, namespace, pod) as holder_number
    from gpu_given
)

select
    spells.spell_number,
    holders.holder_number,
    spells.usage_date,
    spells.cluster,
    spells.hostname,
    spells.at_second,
    spells.next_second,
    holders.mig_profile,
    max(holders.holder_kind) as holder_kind,
    holders.namespace,
    holders.pod,
    min(case when holders.is_shared then 1 else 0 end) = 1 as is_shared,
    cast(sum(holders.asked_ppm) as bigint) as asked_ppm
from spells
inner join holders
    on
        spells.usage_date = holders.usage_date
        and spells.cluster = holders.cluster
        and spells.hostname = holders.hostname
        and spells.at_second >= holders.start_second
        and spells.at_second < holders.end_second
where spells.next_second is not null
group by
    spells.spell_number,
    holders.holder_number,
    spells.usage_date,
    spells.cluster,
    spells.hostname,
    spells.at_second,
    spells.next_second,
    holders.mig_profile,
    holders.namespace,
    holders.pod
