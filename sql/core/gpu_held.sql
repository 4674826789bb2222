-- Holders whom samples do not name on a GPU and who had it, and those who share one and are named: what each asked for.
-- Spells that follow one another and say the same are one.
with placed as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        gpu_mig_profile as mig_profile,
        at_second as start_second,
        next_second as end_second,
        namespace,
        pod,
        'exporter_label' as holder_source,
        is_shared,
        taken_ppm as asked_ppm
    from gpu_claims
    where is_shared or not is_named
    union all
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
        holder_source,
        is_shared,
        asked_ppm
    from gpu_slots
),

-- one who is given GPUs of several profiles may have one of them for two reasons
once as (
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
        max(holder_source) as holder_source,
        min(case when is_shared then 1 else 0 end) as shared_rank,
        cast(sum(asked_ppm) as bigint) as asked_ppm
    from placed
    where asked_ppm > 0
    group by
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        start_second,
        end_second,
        namespace,
        pod
),

-- spells that say the same, by a number: by eleven columns rows are put in order many times as slowly
same as (
    select
        *,
        dense_rank() over (
            order by
                usage_date,
                cluster,
                hostname,
                gpu_uuid,
                gpu_instance_id,
                mig_profile,
                namespace,
                pod,
                holder_source,
                shared_rank,
                asked_ppm
        ) as same_number
    from once
),

-- one order of all rows: parts of a window are made one by one, which takes longer than putting the rows in order
beside as (
    select
        *,
        case
            when lag(same_number) over (order by same_number, start_second) = same_number
                then lag(end_second) over (order by same_number, start_second)
        end as previous_second
    from same
),

numbered as (
    select
        *,
        sum(case when previous_second = start_second then 0 else 1 end) over (
            order by same_number, start_second rows between unbounded preceding and current row
        ) as spell_number
    from beside
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    timestamp '1970-01-01 00:00:00' + min(start_second) * interval '1 second' as held_from,
    timestamp '1970-01-01 00:00:00' + max(end_second) * interval '1 second' as held_to,
    namespace,
    pod,
    holder_source,
    shared_rank = 1 as is_shared,
    asked_ppm
from numbered
group by
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    namespace,
    pod,
    holder_source,
    shared_rank,
    asked_ppm,
    spell_number
