-- A machine is looked for as gpu_hosts and gpu_billed_hours do: by its whole name or the last part of it, capitals
-- aside, on Google Cloud by its name too. A batch scheduler may name a host in short.
with billed as (
    select distinct
        x_slice_date as billing_period,
        lower(resource_id) as whole_key,
        lower(regexp_extract(resource_id, '([^/]+)/?$', 1)) as last_key,
        concat('/', regexp_extract(lower(resource_id), '^/*(.*?)/*$', 1)) as path_key,
        case when resource_id like '//compute.googleapis.com/%' then lower(resource_name) end as name_key,
        case
            when resource_id like '//compute.googleapis.com/%'
                then regexp_extract(lower(resource_id), '/(instances?)/', 1) <> ''
            when lower(resource_id) like '/subscriptions/%' then lower(resource_id) like '%/virtualmachine%'
            else true
        end as is_machine
    from charges
    where charge_category = 'Usage' and resource_id is not null
),

billed_keys as (
    select
        billing_period,
        whole_key as machine_key,
        path_key
    from billed
    union
    select
        billing_period,
        last_key as machine_key,
        path_key
    from billed
    where is_machine
    union
    select
        billing_period,
        name_key as machine_key,
        concat('/', name_key) as path_key
    from billed
    where is_machine and name_key is not null
),

heard as (
    select distinct
        cast(date_trunc('month', usage_date) as date) as billing_period,
        cluster,
        hostname
    from gpu_identity
    union
    select distinct
        cast(date_trunc('month', sighting_date) as date) as billing_period,
        cluster,
        hostname
    from node_sightings
    union
    select distinct
        cast(date_trunc('month', allocation_date) as date) as billing_period,
        cluster,
        hostname
    from gpu_allocations
),

periods as (
    select
        billing_period,
        max(is_billed) as is_billed,
        max(is_heard) as is_heard
    from (
        select
            billing_period,
            1 as is_billed,
            0 as is_heard
        from billed
        union
        select
            billing_period,
            0 as is_billed,
            1 as is_heard
        from heard
    ) as told
    group by billing_period
),

entries as (
    select
        periods.billing_period,
        periods.is_billed,
        periods.is_heard,
        host_identity.resource_id,
        host_identity.cluster,
        host_identity.hostname,
        host_identity.valid_from,
        lower(host_identity.resource_id) as whole_key,
        lower(regexp_extract(host_identity.resource_id, '([^/]+)/?$', 1)) as last_key,
        concat('/', regexp_extract(lower(host_identity.resource_id), '^/*(.*?)/*$', 1)) as path_key,
        split_part(host_identity.hostname, '.', 1) as short_name
    from periods
    inner join host_identity
        on
            periods.billing_period >= cast(date_trunc('month', host_identity.valid_from) as date)
            and periods.billing_period < cast(host_identity.valid_to as date)
),

on_bill as (
    select distinct
        entries.billing_period,
        entries.resource_id
    from entries
    inner join billed_keys
        on
            entries.billing_period = billed_keys.billing_period
            and billed_keys.machine_key in (entries.whole_key, entries.last_key)
            and (
                right(billed_keys.path_key, length(entries.path_key)) = entries.path_key
                or right(entries.path_key, length(billed_keys.path_key)) = billed_keys.path_key
            )
),

seen as (
    select
        entries.billing_period,
        entries.cluster,
        entries.hostname,
        max(case when entries.cluster = heard.cluster then 1 else 0 end) as is_seen,
        min(case when entries.cluster <> heard.cluster then heard.cluster end) as other_cluster
    from entries
    inner join heard
        on
            entries.billing_period = heard.billing_period
            and (entries.hostname = heard.hostname or entries.short_name = heard.hostname)
    group by entries.billing_period, entries.cluster, entries.hostname
),

clusters as (
    select distinct
        billing_period,
        cluster
    from heard
)

select
    entries.billing_period,
    entries.resource_id,
    entries.cluster,
    entries.hostname,
    entries.valid_from,
    case when entries.is_billed = 1 then on_bill.resource_id is not null end as is_on_bill,
    case when entries.is_heard = 1 then coalesce(seen.is_seen, 0) = 1 end as is_seen,
    case when entries.is_heard = 1 then clusters.cluster is not null end as is_cluster_seen,
    seen.other_cluster
from entries
left join on_bill
    on
        entries.billing_period = on_bill.billing_period
        and entries.resource_id = on_bill.resource_id
left join seen
    on
        entries.billing_period = seen.billing_period
        and entries.cluster = seen.cluster
        and entries.hostname = seen.hostname
left join clusters
    on
        entries.billing_period = clusters.billing_period
        and entries.cluster = clusters.cluster
