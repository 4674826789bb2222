-- Whom samples name as holders: exporters name a batch job by its id, the scheduler knows whose account it is.
with jobs as (
    select
        allocation_date as usage_date,
        cluster,
        pod,
        min(namespace) as account
    from gpu_allocations
    where holder_kind = 'job'
    group by allocation_date, cluster, pod
),

labels as (
    select distinct
        usage_date,
        cluster,
        holders
    from gpu_pieces
    where holders <> ''
),

split_labels as (
    select
        labels.usage_date,
        labels.cluster,
        labels.holders,
        split_part(step.holder, '/', 1) as namespace,
        substr(step.holder, length(split_part(step.holder, '/', 1)) + 2) as pod
    from labels
    cross join unnest(str_split_regex(labels.holders, ',')) as step (holder)
)

select
    split_labels.usage_date,
    split_labels.cluster,
    split_labels.holders,
    coalesce(jobs.account, split_labels.namespace) as namespace,
    split_labels.pod
from split_labels
left join jobs
    on
        split_labels.usage_date = jobs.usage_date
        and split_labels.cluster = jobs.cluster
        and split_labels.pod = jobs.pod
