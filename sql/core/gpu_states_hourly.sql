-- Stretches become the seconds of billed hours. Each billed GPU-hour is split by largest remainder, so that its states
-- sum to its billed seconds exactly, and once more to the microsecond, by which money is split: whole seconds are too
-- coarse for a seventh of a GPU. Of an unobserved GPU the scheduler may still say who held it.
-- What decided stands apart: the weak metric of an hour hides behind no better one.
-- Only the days beside a day can touch it: a day built alone or in a month is the same.
with stretches as (
    select
        *,
        cast(epoch(started_at) as bigint) // 3600 as hour_number,
        cast(epoch(ended_at) as bigint) - cast(epoch(started_at) as bigint) as seconds
    from gpu_stretches
),

-- a billed GPU and hour by a number: by names that are long, rows are put together many times as slowly
targets as (
    select
        *,
        row_number() over (order by hour_number, gpu_uuid, resource_id, hostname, cluster) as target_number
    from gpu_targets
),

billed_shares as (
    select
        targets.target_number,
        gpu_shares.cluster,
        gpu_shares.hostname,
        gpu_shares.gpu_uuid,
        gpu_shares.gpu_instance_id,
        gpu_shares.mig_profile,
        gpu_shares.hour_number,
        gpu_shares.instance_shares
    from gpu_shares
    inner join targets
        on
            gpu_shares.cluster = targets.cluster
            and gpu_shares.hostname = targets.hostname
            and gpu_shares.gpu_uuid = targets.gpu_uuid
            and gpu_shares.hour_number = targets.hour_number
),

known_shares as (
    select
        billed_shares.target_number,
        stretches.gpu_instance_id,
        stretches.namespace,
        stretches.pod,
        stretches.state,
        coalesce(stretches.metric_used, '') as metric_used,
        case stretches.holder_source
            when 'assumed' then 3 when 'allocation_node' then 2 when 'exporter_label' then 1 else 0
        end as source_rank,
        case stretches.share_basis when 'equal' then 2 when 'requested' then 1 else 0 end as basis_rank,
        case when gpu_standby.pod is not null then 1 else 0 end as standby_rank,
        stretches.is_observed,
        stretches.seconds,
        stretches.unfilled_seconds,
        stretches.unfilled_ppm_seconds,
        (billed_shares.instance_shares * stretches.share_weight) // stretches.share_total as holder_shares
    from stretches
    inner join billed_shares
        on
            stretches.cluster = billed_shares.cluster
            and stretches.hostname = billed_shares.hostname
            and stretches.gpu_uuid = billed_shares.gpu_uuid
            and stretches.gpu_instance_id = billed_shares.gpu_instance_id
            and stretches.mig_profile = billed_shares.mig_profile
            and stretches.hour_number = billed_shares.hour_number
    left join gpu_standby
        on
            stretches.state = 'allocated_idle'
            and stretches.cluster = gpu_standby.cluster
            and stretches.namespace = gpu_standby.namespace
            and stretches.pod = gpu_standby.pod
            and stretches.hour_number = gpu_standby.hour_number
),

silent as (
    select *
    from gpu_silences
    union all
    select *
    from gpu_unobserved
),

-- time in use is effective where activity was full, and under-used where it was not
all_shares as (
    select
        target_number,
        gpu_instance_id,
        namespace,
        pod,
        case when state = 'in_use' then 'effective' else state end as state,
        metric_used,
        source_rank,
        basis_rank,
        standby_rank,
        (seconds - unfilled_seconds) * holder_shares as second_shares,
        case when is_observed then (seconds - unfilled_seconds) * holder_shares else 0 end as observed_shares,
        0 as unfilled_shares,
        0 as unfilled_ppm_shares
    from known_shares
    where seconds > unfilled_seconds
    union all
    select
        target_number,
        gpu_instance_id,
        namespace,
        pod,
        'under_used' as state,
        metric_used,
        source_rank,
        basis_rank,
        standby_rank,
        unfilled_seconds * holder_shares as second_shares,
        case when is_observed then unfilled_seconds * holder_shares else 0 end as observed_shares,
        unfilled_seconds * holder_shares as unfilled_shares,
        unfilled_ppm_seconds * holder_shares as unfilled_ppm_shares
    from known_shares
    where unfilled_seconds > 0
    union all
    select
        targets.target_number,
        silent.gpu_instance_id,
        silent.namespace,
        silent.pod,
        silent.state,
        coalesce(silent.metric_used, '') as metric_used,
        case when silent.holder_source = 'allocation_node' then 2 else 0 end as source_rank,
        0 as basis_rank,
        0 as standby_rank,
        silent.second_shares,
        silent.observed_shares,
        0 as unfilled_shares,
        0 as unfilled_ppm_shares
    from silent
    inner join targets
        on
            silent.resource_id = targets.resource_id
            and silent.cluster = targets.cluster
            and silent.hostname = targets.hostname
            and silent.gpu_uuid = targets.gpu_uuid
            and silent.hour_number = targets.hour_number
),

state_shares as (
    select
        target_number,
        gpu_instance_id,
        namespace,
        pod,
        state,
        metric_used,
        max(source_rank) as source_rank,
        max(basis_rank) as basis_rank,
        max(standby_rank) as standby_rank,
        cast(sum(second_shares) as bigint) as second_shares,
        cast(sum(observed_shares) as bigint) as observed_shares,
        cast(sum(unfilled_shares) as bigint) as unfilled_shares,
        cast(sum(unfilled_ppm_shares) as bigint) as unfilled_ppm_shares
    from all_shares
    where second_shares > 0
    group by target_number, gpu_instance_id, namespace, pod, state, metric_used
),

totals as (
    select
        *,
        cast(sum(second_shares) over (partition by target_number) as bigint) as gpu_shares
    from state_shares
),

floored as (
    select
        totals.*,
        targets.target_seconds,
        (targets.target_seconds * totals.second_shares) // totals.gpu_shares as floor_seconds,
        (targets.target_seconds * totals.second_shares) % totals.gpu_shares as rest_shares
    from totals
    inner join targets on totals.target_number = targets.target_number
),

finer as (
    select
        *,
        floor_seconds * 1000000 + (rest_shares * 1000000) // gpu_shares as floor_microseconds
    from floored
),

-- one ordering for all three
given_so_far as (
    select
        *,
        row_number() over (
            partition by target_number
            order by rest_shares desc, gpu_instance_id asc, namespace asc, pod asc, state asc, metric_used asc
        ) as remainder_order,
        sum(floor_seconds) over (partition by target_number) as all_seconds,
        sum(floor_microseconds) over (partition by target_number) as all_microseconds
    from finer
),

-- the last microseconds in the order of the last seconds: each row is within one of its exact share
whole_seconds as (
    select
        *,
        cast(
            floor_seconds + case when remainder_order <= target_seconds - all_seconds then 1 else 0 end as bigint
        ) as state_seconds,
        cast(
            floor_microseconds
            + case when remainder_order <= target_seconds * 1000000 - all_microseconds then 1 else 0 end as bigint
        ) as state_microseconds,
        case when unfilled_shares > 0 then unfilled_ppm_shares // unfilled_shares else 0 end as unfilled_ppm
    from given_so_far
),

-- what GPUs say of themselves, where neither the register nor the node tells their type
gpu_models as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        max(gpu_model_name) as gpu_model_name
    from gpu_runs
    group by usage_date, cluster, hostname, gpu_uuid
),

node_models as (
    select
        usage_date,
        cluster,
        hostname,
        max(gpu_model_name) as gpu_model_name
    from gpu_models
    group by usage_date, cluster, hostname
),

-- distinct, so that an engine looks names up for GPUs and hours, and not for each of their states
described as (
    select distinct
        targets.target_number,
        targets.hour_number,
        targets.cluster,
        targets.hostname,
        targets.resource_id,
        targets.gpu_uuid,
        gpu_billed_hours.usage_date,
        coalesce(
            gpu_billed_hours.gpu_model_name, gpu_models.gpu_model_name, node_models.gpu_model_name
        ) as gpu_model_name
    from targets
    inner join gpu_billed_hours
        on
            targets.resource_id = gpu_billed_hours.resource_id
            and targets.cluster = gpu_billed_hours.cluster
            and targets.hostname = gpu_billed_hours.hostname
            and targets.hour_number = cast(epoch(gpu_billed_hours.hour_start) as bigint) // 3600
    left join gpu_models
        on
            targets.cluster = gpu_models.cluster
            and targets.hostname = gpu_models.hostname
            and targets.gpu_uuid = gpu_models.gpu_uuid
            and gpu_billed_hours.usage_date = gpu_models.usage_date
    left join node_models
        on
            targets.cluster = node_models.cluster
            and targets.hostname = node_models.hostname
            and gpu_billed_hours.usage_date = node_models.usage_date
)

select
    timestamp '1970-01-01 00:00:00' + described.hour_number * interval '1 hour' as hour_start,
    described.usage_date,
    described.cluster,
    described.hostname,
    described.resource_id,
    described.gpu_uuid,
    whole_seconds.gpu_instance_id,
    described.gpu_model_name,
    whole_seconds.namespace,
    whole_seconds.pod,
    case whole_seconds.source_rank
        when 3 then 'assumed' when 2 then 'allocation_node' when 1 then 'exporter_label' else 'none'
    end as holder_source,
    whole_seconds.basis_rank > 0 and whole_seconds.source_rank < 3 as is_time_sliced,
    case whole_seconds.basis_rank when 2 then 'equal' when 1 then 'requested' else 'whole' end as share_basis,
    whole_seconds.state,
    whole_seconds.standby_rank = 1 as is_warm_standby,
    nullif(whole_seconds.metric_used, '') as metric_used,
    whole_seconds.state_seconds,
    (whole_seconds.state_seconds * whole_seconds.unfilled_ppm + 500000) // 1000000 as under_used_seconds,
    (whole_seconds.state_seconds * whole_seconds.observed_shares) // whole_seconds.second_shares as observed_seconds,
    whole_seconds.state_microseconds,
    (whole_seconds.state_microseconds * whole_seconds.unfilled_ppm + 500000) // 1000000 as under_used_microseconds
from whole_seconds
inner join described on whole_seconds.target_number = described.target_number
where whole_seconds.state_microseconds > 0
