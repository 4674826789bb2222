-- The chain from a bill line to a GPU, as far as each link is known: names, addresses and GPUs move, so every row holds
-- for the part of a day in which it was seen. A GPU that is exchanged, a node that comes back on another machine and a
-- machine that is billed under another resource each begin a new row. What a day's last sample holds beyond midnight is
-- no sight of the day after.
with runs as (
    select
        usage_date,
        cluster,
        hostname,
        gpu_uuid,
        gpu_instance_id,
        mig_profile,
        gpu_index,
        gpu_model_name,
        started_at,
        ended_at,
        date_trunc('hour', started_at) as hour_start
    from gpu_runs
    where cast(started_at as date) = usage_date
),

named as (
    select
        runs.*,
        gpu_billed_hours.resource_id,
        node_sightings.provider_id
    from runs
    left join gpu_billed_hours
        on
            runs.cluster = gpu_billed_hours.cluster
            and runs.hostname = gpu_billed_hours.hostname
            and runs.hour_start = gpu_billed_hours.hour_start
    left join node_sightings
        on
            runs.usage_date = node_sightings.sighting_date
            and runs.cluster = node_sightings.cluster
            and runs.hostname = node_sightings.hostname
            and runs.started_at >= node_sightings.seen_from
            and runs.started_at < node_sightings.seen_to
)

select
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    max(gpu_index) as gpu_index,
    max(gpu_model_name) as gpu_model_name,
    coalesce(resource_id, '') as resource_id,
    coalesce(provider_id, '') as provider_id,
    min(started_at) as seen_from,
    max(ended_at) as seen_to
from named
group by
    usage_date,
    cluster,
    hostname,
    gpu_uuid,
    gpu_instance_id,
    mig_profile,
    coalesce(resource_id, ''),
    coalesce(provider_id, '')
