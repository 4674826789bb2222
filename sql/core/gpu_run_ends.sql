-- Runs of samples, of which what the last sample before a silence holds ends where something else is known: where the
-- GPU goes (gpu_lives), where it is cut into other MIG instances, where the scheduler says that all whom the sample
-- names let go. What it holds reaches into the next hour at most, as a run of its own.
with runs as (
    select
        *,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as run_end_second,
        lead(cast(epoch(started_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, usage_date, mig_profile
        ) as next_second,
        lead(cast(epoch(ended_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, usage_date, mig_profile
        ) as next_end_second,
        lead(cast(epoch(started_at) as bigint), 2) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, usage_date, mig_profile
        ) as after_second
    from gpu_runs
),

placed as (
    select
        *,
        case
            when coalesce(next_second > run_end_second, true) then run_end_second
            when
                next_second = run_end_second
                and next_second % 3600 = 0
                and next_end_second <= next_second + 300
                and coalesce(after_second > next_end_second, true)
                then next_end_second
        end as silent_second
    from runs
),

tails as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        holders,
        silent_second
    from placed
    where silent_second is not null
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id, holders, silent_second
),

instances as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        min(start_second) as first_second
    from runs
    where gpu_instance_id <> '' and cast(started_at as date) = usage_date
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id
),

last_held as (
    select
        usage_date,
        cluster,
        namespace,
        pod,
        holder_kind,
        max(end_second) as let_go_second
    from gpu_holdings
    group by usage_date, cluster, namespace, pod, holder_kind
),

named as (
    select
        tails.*,
        split_part(step.holder, '/', 1) as namespace,
        substr(step.holder, length(split_part(step.holder, '/', 1)) + 2) as pod
    from tails
    cross join unnest(str_split_regex(tails.holders, ',')) as step (holder)
    where tails.holders <> ''
),

-- one whom the scheduler does not know has not let go
let_go as (
    select
        named.cluster,
        named.hostname,
        named.gpu_uuid,
        named.gpu_instance_id,
        named.silent_second,
        max(coalesce(last_held.let_go_second, named.silent_second)) as cut_second
    from named
    left join last_held
        on
            named.usage_date = last_held.usage_date
            and named.cluster = last_held.cluster
            and named.pod = last_held.pod
            and (named.namespace = last_held.namespace or last_held.holder_kind = 'job')
            and last_held.let_go_second % 86400 > 0
    group by named.cluster, named.hostname, named.gpu_uuid, named.gpu_instance_id, named.silent_second
),

known as (
    select
        tails.cluster,
        tails.hostname,
        tails.gpu_uuid,
        tails.gpu_instance_id,
        tails.silent_second,
        instances.first_second as cut_second
    from tails
    inner join instances
        on
            tails.gpu_instance_id <> ''
            and tails.cluster = instances.cluster
            and tails.hostname = instances.hostname
            and tails.gpu_uuid = instances.gpu_uuid
            and tails.gpu_instance_id <> instances.gpu_instance_id
    union all
    select *
    from let_go
),

cuts as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        silent_second,
        min(cut_second) as cut_second
    from known
    where cut_second < silent_second and cut_second >= silent_second - 300
    group by cluster, hostname, gpu_uuid, gpu_instance_id, silent_second
),

ended as (
    select
        placed.*,
        least(
            placed.run_end_second,
            coalesce(placed.next_second, placed.run_end_second),
            coalesce(gpu_lives.to_second, placed.run_end_second),
            coalesce(cuts.cut_second, placed.run_end_second)
        ) as end_second
    from placed
    left join gpu_lives
        on
            cast(placed.started_at as date) = gpu_lives.usage_date
            and placed.cluster = gpu_lives.cluster
            and placed.hostname = gpu_lives.hostname
            and placed.gpu_uuid = gpu_lives.gpu_uuid
    left join cuts
        on
            placed.cluster = cuts.cluster
            and placed.hostname = cuts.hostname
            and placed.gpu_uuid = cuts.gpu_uuid
            and placed.gpu_instance_id = cuts.gpu_instance_id
            and placed.silent_second = cuts.silent_second
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    gpu_model_name,
    tells_holders,
    holders,
    activity_state,
    metric_used,
    xid_code,
    shows_rest,
    cast(started_at as date) as start_date,
    start_second,
    end_second,
    run_end_second - start_second as run_seconds,
    unfilled_seconds,
    unfilled_ppm_seconds
from ended
where end_second > start_second
