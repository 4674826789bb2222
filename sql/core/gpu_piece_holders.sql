-- Who has each piece of a GPU's time: whom samples name, else whom the scheduler names; nobody is number 0.
with held as (
    select
        gpu_held.*,
        gpu_pods.holder_number,
        cast(epoch(gpu_held.held_from) as bigint) as from_second,
        cast(epoch(gpu_held.held_to) as bigint) as to_second
    from gpu_held
    inner join gpu_pods
        on
            gpu_held.usage_date = gpu_pods.usage_date
            and gpu_held.cluster = gpu_pods.cluster
            and gpu_held.namespace = gpu_pods.namespace
            and gpu_held.pod = gpu_pods.pod
),

-- of a GPU that is shared samples may name one holder only: the scheduler names the others
named as (
    select
        gpu_pieces.piece_number,
        gpu_pods.holder_number,
        'exporter_label' as holder_source,
        cast(null as bigint) as held_ppm
    from gpu_pieces
    inner join gpu_label_holders
        on
            gpu_pieces.usage_date = gpu_label_holders.usage_date
            and gpu_pieces.cluster = gpu_label_holders.cluster
            and gpu_pieces.holders = gpu_label_holders.holders
    inner join gpu_pods
        on
            gpu_label_holders.usage_date = gpu_pods.usage_date
            and gpu_label_holders.cluster = gpu_pods.cluster
            and gpu_label_holders.namespace = gpu_pods.namespace
            and gpu_label_holders.pod = gpu_pods.pod
    union all
    select
        gpu_pieces.piece_number,
        coalesce(held.holder_number, 0) as holder_number,
        coalesce(held.holder_source, 'none') as holder_source,
        held.asked_ppm as held_ppm
    from gpu_pieces
    left join held
        on
            (gpu_pieces.holders = '' or held.is_shared)
            and gpu_pieces.usage_date = held.usage_date
            and gpu_pieces.cluster = held.cluster
            and gpu_pieces.hostname = held.hostname
            and gpu_pieces.gpu_uuid = held.gpu_uuid
            and gpu_pieces.gpu_instance_id = held.gpu_instance_id
            and gpu_pieces.mig_profile = held.mig_profile
            and gpu_pieces.start_second >= held.from_second
            and gpu_pieces.start_second < held.to_second
    where gpu_pieces.holders = '' or held.holder_number is not null
)

-- whom samples name may stand in the schedule, too
select
    piece_number,
    holder_number,
    max(holder_source) as holder_source,
    case
        when max(holder_source) = 'exporter_label'
            then min(case when holder_source = 'exporter_label' then held_ppm end)
        else min(held_ppm)
    end as held_ppm
from named
group by piece_number, holder_number
