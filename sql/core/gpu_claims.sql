-- Whose each GPU is by samples, spell by spell: those whom they name on it now, and, where they name nobody, a holder
-- of the spell whom they name on it at another time of the day, as far as it was given more than it is named on and
-- the GPU is there.
-- Exporters name a batch job by its id alone, whatever namespace they put before it. They may have the profile of an
-- instance wrong: of a holder that was given one profile only, whatever they say is that. One whom the scheduler does
-- not know has the whole GPU.
with holders as (
    select
        *,
        min(mig_profile) over (partition by usage_date, cluster, hostname, namespace, pod) = max(mig_profile) over (
            partition by usage_date, cluster, hostname, namespace, pod
        ) as has_one_profile
    from gpu_spells
),

days as (
    select distinct
        usage_date,
        cluster,
        hostname,
        holder_kind,
        namespace,
        pod,
        mig_profile,
        has_one_profile
    from holders
),

known as (
    select
        gpu_named.usage_date,
        gpu_named.cluster,
        gpu_named.hostname,
        gpu_named.gpu_uuid,
        gpu_named.gpu_instance_id,
        gpu_named.mig_profile as gpu_mig_profile,
        gpu_named.start_second,
        gpu_named.end_second,
        gpu_named.namespace as named_namespace,
        days.namespace,
        days.pod,
        days.mig_profile
    from gpu_named
    inner join days
        on
            gpu_named.usage_date = days.usage_date
            and gpu_named.cluster = days.cluster
            and gpu_named.hostname = days.hostname
            and gpu_named.pod = days.pod
            and (gpu_named.namespace = days.namespace or days.holder_kind = 'job')
            and (gpu_named.mig_profile = days.mig_profile or days.has_one_profile)
),

gpus as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        gpu_mig_profile,
        namespace,
        pod,
        mig_profile,
        sum(end_second - start_second) as named_seconds
    from known
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, gpu_mig_profile, namespace, pod, mig_profile
),

spells as (
    select distinct
        spell_number,
        usage_date,
        cluster,
        hostname,
        at_second,
        next_second
    from gpu_spells
),

named_now as (
    select
        spells.spell_number,
        spells.usage_date,
        spells.cluster,
        spells.hostname,
        spells.at_second,
        spells.next_second,
        gpu_named.gpu_uuid,
        gpu_named.gpu_instance_id,
        gpu_named.mig_profile,
        gpu_named.namespace,
        gpu_named.pod
    from spells
    inner join gpu_named
        on
            spells.usage_date = gpu_named.usage_date
            and spells.cluster = gpu_named.cluster
            and spells.hostname = gpu_named.hostname
            and spells.at_second >= gpu_named.start_second
            and spells.at_second < gpu_named.end_second
),

named_counts as (
    select
        spell_number,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        count(*) as named_count
    from named_now
    group by spell_number, gpu_uuid, gpu_instance_id, mig_profile
),

found as (
    select
        holders.spell_number,
        holders.holder_number,
        holders.usage_date,
        holders.cluster,
        holders.hostname,
        holders.at_second,
        holders.next_second,
        holders.mig_profile,
        holders.namespace,
        holders.pod,
        holders.is_shared,
        holders.asked_ppm,
        gpus.gpu_uuid,
        gpus.gpu_instance_id,
        gpus.gpu_mig_profile,
        gpus.named_seconds,
        holders.at_second >= coalesce(gpu_lives.from_second, holders.at_second)
        and holders.at_second < coalesce(gpu_lives.to_second, holders.next_second) as is_there,
        max(known.named_namespace) as named_namespace,
        case when max(known.start_second) is null then 0 else 1 end as is_now
    from holders
    inner join gpus
        on
            holders.usage_date = gpus.usage_date
            and holders.cluster = gpus.cluster
            and holders.hostname = gpus.hostname
            and holders.namespace = gpus.namespace
            and holders.pod = gpus.pod
            and holders.mig_profile = gpus.mig_profile
    left join gpu_lives
        on
            gpus.usage_date = gpu_lives.usage_date
            and gpus.cluster = gpu_lives.cluster
            and gpus.hostname = gpu_lives.hostname
            and gpus.gpu_uuid = gpu_lives.gpu_uuid
    left join known
        on
            gpus.usage_date = known.usage_date
            and gpus.cluster = known.cluster
            and gpus.hostname = known.hostname
            and gpus.gpu_uuid = known.gpu_uuid
            and gpus.gpu_instance_id = known.gpu_instance_id
            and gpus.gpu_mig_profile = known.gpu_mig_profile
            and gpus.namespace = known.namespace
            and gpus.pod = known.pod
            and gpus.mig_profile = known.mig_profile
            and holders.at_second >= known.start_second
            and holders.at_second < known.end_second
    group by
        holders.spell_number,
        holders.holder_number,
        holders.usage_date,
        holders.cluster,
        holders.hostname,
        holders.at_second,
        holders.next_second,
        holders.mig_profile,
        holders.namespace,
        holders.pod,
        holders.is_shared,
        holders.asked_ppm,
        gpus.gpu_uuid,
        gpus.gpu_instance_id,
        gpus.gpu_mig_profile,
        gpus.named_seconds,
        gpu_lives.from_second,
        gpu_lives.to_second
),

sharing_counts as (
    select
        spell_number,
        gpu_uuid,
        gpu_instance_id,
        gpu_mig_profile,
        count(*) as sharing_count
    from found
    where is_shared and is_now = 1
    group by spell_number, gpu_uuid, gpu_instance_id, gpu_mig_profile
),

rivals as (
    select
        found.*,
        coalesce(named_counts.named_count, 0) as named_count,
        coalesce(sharing_counts.sharing_count, 0) as sharing_count
    from found
    left join named_counts
        on
            found.spell_number = named_counts.spell_number
            and found.gpu_uuid = named_counts.gpu_uuid
            and found.gpu_instance_id = named_counts.gpu_instance_id
            and found.gpu_mig_profile = named_counts.mig_profile
    left join sharing_counts
        on
            found.spell_number = sharing_counts.spell_number
            and found.gpu_uuid = sharing_counts.gpu_uuid
            and found.gpu_instance_id = sharing_counts.gpu_instance_id
            and found.gpu_mig_profile = sharing_counts.gpu_mig_profile
),

-- several may share a GPU; of those who had it whole at other times, the one who had it longest
others as (
    select
        *,
        row_number() over (
            partition by spell_number, gpu_uuid, gpu_instance_id, gpu_mig_profile
            order by named_seconds desc, namespace asc, pod asc
        ) as rival_order
    from rivals
    where is_now = 0 and is_there and not is_shared and named_count = 0
),

entitled as (
    select
        *,
        1 as rival_order
    from rivals
    where is_now = 1 or (is_there and is_shared and named_count = sharing_count)
    union all
    select *
    from others
    where rival_order = 1
),

counts as (
    select
        spell_number,
        holder_number,
        sum(is_now) as now_count,
        count(*) as all_count
    from entitled
    group by spell_number, holder_number
),

-- those on which it is named come first: all of these; of the others as many as it was given beyond them
ranked as (
    select
        entitled.*,
        counts.now_count,
        counts.all_count,
        0 as gpu_order
    from entitled
    inner join counts
        on entitled.spell_number = counts.spell_number and entitled.holder_number = counts.holder_number
    where entitled.is_now = 1
    union all
    select
        entitled.*,
        counts.now_count,
        counts.all_count,
        counts.now_count + row_number() over (
            partition by entitled.spell_number, entitled.holder_number
            order by
                entitled.named_seconds desc,
                entitled.gpu_uuid asc,
                entitled.gpu_instance_id asc,
                entitled.gpu_mig_profile asc
        ) as gpu_order
    from entitled
    inner join counts
        on entitled.spell_number = counts.spell_number and entitled.holder_number = counts.holder_number
    where entitled.is_now = 0
),

counted as (
    select
        *,
        cast(greatest(now_count, least(all_count, (asked_ppm + 999999) // 1000000)) as bigint) as gpu_count
    from ranked
    where gpu_order <= (asked_ppm + 999999) // 1000000
)

select
    spell_number,
    holder_number,
    usage_date,
    cluster,
    hostname,
    at_second,
    next_second,
    mig_profile,
    namespace,
    pod,
    is_shared,
    gpu_uuid,
    gpu_instance_id,
    gpu_mig_profile,
    is_now = 1 as is_named,
    least(asked_ppm // gpu_count, 1000000) as taken_ppm
from counted
union all
select
    named_now.spell_number,
    0 as holder_number,
    named_now.usage_date,
    named_now.cluster,
    named_now.hostname,
    named_now.at_second,
    named_now.next_second,
    named_now.mig_profile,
    named_now.namespace,
    named_now.pod,
    false as is_shared,
    named_now.gpu_uuid,
    named_now.gpu_instance_id,
    named_now.mig_profile as gpu_mig_profile,
    true as is_named,
    1000000 as taken_ppm
from named_now
left join found
    on
        found.is_now = 1
        and named_now.spell_number = found.spell_number
        and named_now.gpu_uuid = found.gpu_uuid
        and named_now.gpu_instance_id = found.gpu_instance_id
        and named_now.mig_profile = found.gpu_mig_profile
        and named_now.pod = found.pod
        and named_now.namespace = found.named_namespace
where found.pod is null
