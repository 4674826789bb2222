-- Whom samples name on which GPU, and from when to when without a break. What a GPU whose MIG instances report shows as
-- a whole is no GPU besides; the end of the day before belongs to that day.
with runs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        holders,
        start_second,
        end_second,
        max(case when gpu_instance_id <> '' then 1 else 0 end) over (
            partition by usage_date, cluster, hostname, gpu_uuid, start_second // 3600
        ) as is_partitioned
    from gpu_run_ends
    where start_date = usage_date
),

beside as (
    select
        *,
        lag(end_second) over (
            partition by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, holders
            order by start_second
        ) as previous_second
    from runs
    where holders <> '' and (is_partitioned = 0 or gpu_instance_id <> '')
),

numbered as (
    select
        *,
        sum(case when previous_second = start_second then 0 else 1 end) over (
            partition by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, holders
            order by start_second
            rows between unbounded preceding and current row
        ) as spell_number
    from beside
),

together as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        holders,
        min(start_second) as start_second,
        max(end_second) as end_second
    from numbered
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, mig_profile, holders, spell_number
)

select
    together.usage_date,
    together.cluster,
    together.hostname,
    together.gpu_uuid,
    together.gpu_instance_id,
    together.mig_profile,
    together.start_second,
    together.end_second,
    split_part(step.holder, '/', 1) as namespace,
    substr(step.holder, length(split_part(step.holder, '/', 1)) + 2) as pod
from together
cross join unnest(str_split_regex(together.holders, ',')) as step (holder)
