-- Two sources may tell of one holding: replicas of a Prometheus server, two exporters. Each scrapes at instants of its
-- own, so that their intervals never meet exactly: a holding that several sources know is cut wherever one of them
-- begins or ends, and stands once between the cuts. Where one source is silent the others stand.
with told as (
    select
        allocation_date as usage_date,
        cluster,
        hostname,
        holder_kind,
        namespace,
        pod,
        container,
        resource_name,
        gpu_uuid,
        gpu_index,
        gpu_instance_id,
        x_source,
        coalesce(mig_profile, '') as mig_profile,
        case when is_shared then 1 else 0 end as shared_rank,
        cast(allocated_gpus * 1000000 as bigint) as allocated_ppm,
        cast(epoch(date_trunc('second', started_at)) as bigint) as start_second,
        cast(epoch(date_trunc('second', ended_at)) as bigint) as end_second,
        dense_rank() over (
            order by
                allocation_date,
                cluster,
                hostname,
                holder_kind,
                namespace,
                pod,
                container,
                resource_name,
                gpu_uuid,
                gpu_index,
                gpu_instance_id
        ) as holding_number
    from gpu_allocations
    where hostname <> ''
),

holdings as (
    select
        *,
        max(mig_profile) over (partition by holding_number) as any_mig_profile,
        max(shared_rank) over (partition by holding_number) as any_shared_rank,
        row_number() over (partition by holding_number order by start_second, end_second, x_source) as told_order
    from told
),

edges as (
    select
        holding_number,
        start_second as at_second
    from told
    union
    select
        holding_number,
        end_second as at_second
    from told
),

spells as (
    select
        holding_number,
        at_second as start_second,
        lead(at_second) over (partition by holding_number order by at_second) as end_second
    from edges
),

by_source as (
    select
        spells.holding_number,
        spells.start_second,
        spells.end_second,
        told.x_source,
        sum(told.allocated_ppm) as allocated_ppm
    from spells
    inner join told
        on
            spells.holding_number = told.holding_number
            and spells.start_second >= told.start_second
            and spells.start_second < told.end_second
    group by spells.holding_number, spells.start_second, spells.end_second, told.x_source
),

once as (
    select
        holding_number,
        start_second,
        end_second,
        cast(max(allocated_ppm) as bigint) as allocated_ppm,
        max(allocated_ppm) <> min(allocated_ppm) as is_contradicted
    from by_source
    group by holding_number, start_second, end_second
)

select
    holdings.usage_date,
    holdings.cluster,
    holdings.hostname,
    holdings.holder_kind,
    holdings.namespace,
    holdings.pod,
    holdings.container,
    holdings.resource_name,
    holdings.gpu_uuid,
    holdings.gpu_index,
    holdings.gpu_instance_id,
    holdings.any_mig_profile as mig_profile,
    holdings.any_shared_rank = 1 as is_shared,
    once.start_second,
    once.end_second,
    once.allocated_ppm,
    once.is_contradicted
from once
inner join holdings on once.holding_number = holdings.holding_number and holdings.told_order = 1
