-- Batch schedulers name a host in short (gpu01), exporters in full (gpu01.hpc.example.com): one host, where a cluster
-- knows just one by that short name. An address has no short name.
with told as (
    select
        cluster,
        hostname
    from gpu_hosts
    union
    select
        cluster,
        hostname
    from node_sightings
)

select
    cluster,
    split_part(hostname, '.', 1) as short_name,
    min(hostname) as hostname
from told
where regexp_extract(hostname, '^([0-9]+)([.]|$)', 1) = '' and hostname <> ''
group by cluster, split_part(hostname, '.', 1)
having count(*) = 1
