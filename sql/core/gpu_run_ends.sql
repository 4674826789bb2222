-- Runs of samples, of which what the last sample before a silence holds ends where something else is known: where the
-- GPU goes (gpu_lives), where it is cut into other MIG instances, where the scheduler says that all whom the sample
-- names let go. What it holds reaches into the next hour at most, as a run of its own; of a GPU that reports nothing
-- on the next day it ends at midnight, because that day is the scheduler's to speak of (gpu_unobserved).
with spans as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        holders,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as silent_second,
        lead(cast(epoch(started_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, usage_date, mig_profile
        ) as next_second
    from gpu_runs
),

tails as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        holders,
        start_second,
        silent_second
    from spans
    where next_second is null or next_second > silent_second
),

instances as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        cast(epoch(min(started_at)) as bigint) as first_second
    from gpu_runs
    where gpu_instance_id <> '' and cast(started_at as date) = usage_date
    group by usage_date, cluster, hostname, gpu_uuid, gpu_instance_id
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

-- one whom the scheduler does not know has not let go; who comes again under one name lets go each time
let_go as (
    select
        named.cluster,
        named.hostname,
        named.gpu_uuid,
        named.gpu_instance_id,
        named.start_second,
        named.silent_second,
        max(coalesce(gpu_holdings.end_second, named.silent_second)) as cut_second
    from named
    left join gpu_holdings
        on
            named.usage_date = gpu_holdings.usage_date
            and named.cluster = gpu_holdings.cluster
            and named.pod = gpu_holdings.pod
            and (named.namespace = gpu_holdings.namespace or gpu_holdings.holder_kind = 'job')
            and named.silent_second > gpu_holdings.start_second
            and named.silent_second - 300 <= gpu_holdings.end_second
            and gpu_holdings.end_second % 86400 > 0
    group by
        named.cluster,
        named.hostname,
        named.gpu_uuid,
        named.gpu_instance_id,
        named.start_second,
        named.silent_second
),

known as (
    select
        tails.cluster,
        tails.hostname,
        tails.gpu_uuid,
        tails.gpu_instance_id,
        tails.start_second,
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

-- what a sample holds beyond the full hour is a run of its own
cuts as (
    select
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        silent_second,
        min(cut_second) as cut_second
    from known
    where
        cut_second < silent_second
        and cut_second >= silent_second - 300
        and (cut_second > start_second or start_second % 3600 = 0)
    group by cluster, hostname, gpu_uuid, gpu_instance_id, silent_second
),

runs as (
    select
        *,
        cast(epoch(started_at) as bigint) as start_second,
        cast(epoch(ended_at) as bigint) as run_end_second,
        lead(cast(epoch(started_at) as bigint)) over (
            partition by cluster, hostname, gpu_uuid, gpu_instance_id order by started_at, usage_date, mig_profile
        ) as next_second
    from gpu_runs
),

ended as (
    select
        runs.*,
        least(
            runs.run_end_second,
            coalesce(runs.next_second, runs.run_end_second),
            gpu_lives.to_second,
            coalesce(cuts.cut_second, runs.run_end_second)
        ) as end_second
    from runs
    inner join gpu_lives
        on
            cast(runs.started_at as date) = gpu_lives.usage_date
            and runs.cluster = gpu_lives.cluster
            and runs.hostname = gpu_lives.hostname
            and runs.gpu_uuid = gpu_lives.gpu_uuid
    left join cuts
        on
            runs.cluster = cuts.cluster
            and runs.hostname = cuts.hostname
            and runs.gpu_uuid = cuts.gpu_uuid
            and runs.gpu_instance_id = cuts.gpu_instance_id
            and runs.run_end_second > cuts.cut_second
            and runs.start_second < cuts.silent_second
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
