-- Bills, clouds and clusters name one machine in several ways: an ARN or its last part, a path in other case. The key
-- is the lower-case name, and its last part besides; of two paths with one last part one ends with all of the other, or
-- they are two machines (path_key). The register wins from its first row of a machine until its last one ends; what
-- nodes say of themselves fills the rest: a machine is the node that it was last seen as, also before it was first
-- seen, as bills begin before nodes do, with as many GPUs as its labels tell at the time.
-- GPUs have one name for each type, whoever names them.
-- A bill may name only the scale set that a machine is one of: its lines are those of all its machines, each for the
-- time that it was seen.
with configured as (
    select
        host_identity.resource_id,
        host_identity.cluster,
        host_identity.hostname,
        host_identity.gpu_count,
        host_identity.valid_from,
        host_identity.valid_to,
        coalesce(gpu_types.gpu_type, replace(host_identity.gpu_model_name, '-', ' ')) as gpu_model_name,
        lower(host_identity.resource_id) as whole_key,
        lower(regexp_extract(host_identity.resource_id, '([^/]+)/?$', 1)) as last_key,
        concat('/', regexp_extract(lower(host_identity.resource_id), '^/*(.*?)/*$', 1)) as path_key
    from host_identity
    left join gpu_types
        on lower(replace(replace(host_identity.gpu_model_name, '-', ' '), '_', ' ')) = gpu_types.name_key
),

registered as (
    select
        whole_key as machine_key,
        path_key,
        cluster,
        hostname,
        gpu_count,
        gpu_model_name,
        valid_from,
        valid_to
    from configured
    union
    select
        last_key as machine_key,
        path_key,
        cluster,
        hostname,
        gpu_count,
        gpu_model_name,
        valid_from,
        valid_to
    from configured
),

-- names on Google Cloud are unique within a project and zone
placed as (
    select
        node_sightings.*,
        coalesce(gpu_types.gpu_type, replace(node_sightings.gpu_model_name, '-', ' ')) as gpu_type,
        case
            when node_sightings.provider_id like 'gce://%' then split_part(node_sightings.provider_id, '/', 3)
        end as project_id,
        case
            when node_sightings.provider_id like 'gce://%' then split_part(node_sightings.provider_id, '/', 4)
        end as zone
    from node_sightings
    left join gpu_types
        on lower(replace(replace(node_sightings.gpu_model_name, '-', ' '), '_', ' ')) = gpu_types.name_key
    where node_sightings.instance_id is not null
),

sighted as (
    select
        lower(instance_id) as machine_key,
        cluster,
        hostname,
        project_id,
        zone,
        seen_from,
        seen_to,
        gpu_type as gpu_model_name,
        coalesce(
            gpu_count, cast(floor(cast(gpu_capacity as double) / cast(coalesce(gpu_replicas, 1) as double)) as integer)
        ) as gpu_count,
        lag(hostname) over (
            partition by lower(instance_id), project_id, zone order by seen_from, seen_to
        ) as previous_hostname,
        gpu_count as told_count,
        lag(gpu_count) over (
            partition by lower(instance_id), project_id, zone order by seen_from, seen_to
        ) as previous_count
    from placed
),

numbered as (
    select
        *,
        sum(
            case when hostname = previous_hostname and coalesce(told_count = previous_count, true) then 0 else 1 end
        ) over (
            partition by machine_key, project_id, zone
            order by seen_from, seen_to
            rows between unbounded preceding and current row
        ) as stay_number
    from sighted
),

stays as (
    select
        machine_key,
        hostname,
        stay_number,
        min(cluster) as cluster,
        project_id,
        zone,
        max(gpu_count) as gpu_count,
        max(gpu_model_name) as gpu_model_name,
        min(seen_from) as seen_from,
        max(seen_to) as seen_to
    from numbered
    group by machine_key, project_id, zone, hostname, stay_number
),

registered_span as (
    select
        machine_key,
        min(valid_from) as first_instant,
        max(valid_to) as last_instant
    from registered
    group by machine_key
),

stayed as (
    select
        *,
        case when stay_number = 1 then timestamp '1970-01-01 00:00:00' else seen_from end as valid_from,
        coalesce(
            lead(seen_from) over (partition by machine_key, project_id, zone order by stay_number),
            timestamp '9999-12-31 00:00:00'
        ) as valid_to
    from stays
),

dated as (
    select
        stayed.machine_key,
        stayed.cluster,
        stayed.hostname,
        stayed.project_id,
        stayed.zone,
        stayed.gpu_count,
        stayed.gpu_model_name,
        stayed.seen_from,
        stayed.seen_to,
        greatest(stayed.valid_from, coalesce(registered_span.last_instant, stayed.valid_from)) as valid_from,
        stayed.valid_to
    from stayed
    left join registered_span on stayed.machine_key = registered_span.machine_key
    where registered_span.last_instant is null or stayed.valid_to > registered_span.last_instant
    union all
    select
        stayed.machine_key,
        stayed.cluster,
        stayed.hostname,
        stayed.project_id,
        stayed.zone,
        stayed.gpu_count,
        stayed.gpu_model_name,
        stayed.seen_from,
        stayed.seen_to,
        stayed.valid_from,
        least(stayed.valid_to, registered_span.first_instant) as valid_to
    from stayed
    inner join registered_span
        on
            stayed.machine_key = registered_span.machine_key
            and stayed.seen_from < registered_span.first_instant
)

select
    machine_key,
    path_key,
    cluster,
    hostname,
    cast(null as varchar) as project_id,
    cast(null as varchar) as zone,
    gpu_count,
    gpu_model_name,
    valid_from,
    valid_to,
    'configuration' as identity_source,
    false as is_one_of_many
from registered
union all
select
    machine_key,
    concat('/', regexp_extract(machine_key, '^/*(.*?)/*$', 1)) as path_key,
    cluster,
    hostname,
    project_id,
    zone,
    gpu_count,
    gpu_model_name,
    valid_from,
    valid_to,
    'sighting' as identity_source,
    false as is_one_of_many
from dated
where gpu_count > 0
union all
select
    split_part(machine_key, '/virtualmachines/', 1) as machine_key,
    concat('/', regexp_extract(split_part(machine_key, '/virtualmachines/', 1), '^/*(.*?)/*$', 1)) as path_key,
    cluster,
    hostname,
    project_id,
    zone,
    gpu_count,
    gpu_model_name,
    seen_from as valid_from,
    seen_to as valid_to,
    'sighting' as identity_source,
    true as is_one_of_many
from dated
where gpu_count > 0 and machine_key like '%/virtualmachinescalesets/%/virtualmachines/%'
