-- Which lines pay for GPUs. AWS says it by machine type (families p, g and gr), in a column of its own or only within
-- the usage type, also of what it rents as a part of another service (ml.p4d.24xlarge of SageMaker), and of hosts and
-- reservations. Google Cloud says GPU in the SKU, Azure by the machine's size, in a column or as the meter (N but
-- NP, which has none), or GPU. Everybody else says it in the words of a line: GPU, NVIDIA, or a type that nothing
-- else is named like (h100, 8xh100ib); a short name (l4, a10) counts with the number of GPUs before it, or as the
-- beginning of the machine type. Lines of tokens, and what the bill calls storage, network, database or observation,
-- are of no GPU however they are worded. Of such a machine all lines count, credits among them. Of commitments neither
-- what was bought nor what nobody used is of a machine; what was used, and is said to be of none, stands under their
-- own id.
with worded as (
    select
        *,
        lower(
            concat_ws(
                ' ',
                service_name,
                case when length(sku_id) < 36 then sku_id end,
                sku_meter,
                charge_description,
                resource_type,
                x_instance_type
            )
        ) as words
    from charges
    where charge_category <> 'Purchase' and coalesce(commitment_discount_status, 'Used') <> 'Unused'
),

typed as (
    select
        *,
        case
            when provider_name = 'AWS'
                then nullif(
                    regexp_extract(
                        words,
                        '(^|[^a-z0-9])((ml[.])?(p|gr?)[0-9]+[a-z]*(-[a-z]+[0-9]+)?[.][0-9]*(x?large|metal)'
                        || '|(ml[.])?u-p[0-9]+[a-z]*-[a-z0-9]+|[a-z]*hostusage:(p|gr?)[0-9][a-z0-9-]*)([^a-z0-9]|$)',
                        2
                    ),
                    ''
                )
            when provider_name = 'Microsoft' and x_instance_type is null
                then nullif(
                    regexp_extract(sku_meter, '^(N[CDGV][0-9]+[a-z]*( [A-Z][0-9]+)?( v[0-9]+)?)( |/|$)', 1), ''
                )
        end as worded_type
    from worded
),

lines as (
    select
        x_slice_date as billing_period,
        cast(charge_period_start as date) as usage_date,
        cast(charge_period_end - interval '1 second' as date) as last_date,
        provider_name,
        coalesce(sub_account_id, '') as sub_account_id,
        coalesce(resource_id, commitment_discount_id, '') as resource_id,
        coalesce(resource_name, '') as resource_name,
        coalesce(x_instance_type, worded_type, '') as instance_type,
        effective_cost,
        billing_currency,
        case
            when provider_name = 'AWS' and worded_type is not null then 1
            when
                provider_name = 'Google Cloud'
                and regexp_extract(lower(sku_meter), '(^|[^a-z])((high|mega|ultra|edge)?gpus?)([^a-z]|$)', 2) <> ''
                then 1
            when
                provider_name = 'Microsoft'
                and lower(x_instance_type) like 'standard_n%'
                and lower(x_instance_type) not like 'standard_np%'
                then 1
            when
                provider_name in ('Google Cloud', 'AWS')
                or x_token_class is not null
                or coalesce(x_cost_class, 'other') <> 'other'
                or coalesce(service_category, 'Other') not in ('Compute', 'AI and Machine Learning', 'Other')
                then 0
            when
                provider_name = 'Microsoft'
                then case
                    when
                        worded_type is not null
                        or regexp_extract(words, '(^|[^a-z])(v?gpus?)([^a-z]|$)', 2) <> ''
                        then 1
                    else 0
                end
            when
                regexp_extract(words, '(^|[^a-z0-9])([0-9]+x?)?(gpus?|nvidia|geforce|rtx)([^a-z]|$)', 3) <> ''
                or regexp_extract(
                    words,
                    '(^|[^a-z0-9])([0-9]+x?)?([apv]100|[ah]800|g?h[12]00|g?b[23]00|a[456]000)([^0-9]|$)',
                    3
                ) <> ''
                or regexp_extract(
                    words, '(^|[^a-z0-9])[0-9]+x(a2|a10g?|a16|a[34]0|h20|l4|l40s?|t4)([^a-z0-9]|$)', 2
                ) <> ''
                or regexp_extract(
                    lower(x_instance_type), '^(a2|a10g?|a16|a[34]0|h20|l4|l40s?|t4)([^a-z0-9]|$)', 1
                ) <> ''
                then 1
            else 0
        end as is_of_gpu
    from typed
),

machines as (
    select distinct resource_id
    from lines
    where is_of_gpu = 1 and resource_id <> ''
),

-- a line is joined where a machine has an hour on any day of its period: its money lies there, to the last unit
joined as (
    select distinct
        lines.resource_id,
        lines.usage_date,
        lines.last_date
    from lines
    inner join gpu_billed_hours
        on
            lines.resource_id = gpu_billed_hours.resource_id
            and lines.usage_date <= gpu_billed_hours.usage_date
            and greatest(lines.usage_date, lines.last_date) >= gpu_billed_hours.usage_date
)

select
    lines.billing_period,
    lines.usage_date,
    lines.provider_name,
    lines.sub_account_id,
    lines.resource_id,
    lines.resource_name,
    lines.instance_type,
    count(*) as line_count,
    sum(lines.effective_cost) as effective_cost,
    lines.billing_currency
from lines
left join machines on lines.resource_id = machines.resource_id
left join joined
    on
        lines.resource_id = joined.resource_id
        and lines.usage_date = joined.usage_date
        and lines.last_date = joined.last_date
where (lines.is_of_gpu = 1 or machines.resource_id is not null) and joined.resource_id is null
group by
    lines.billing_period,
    lines.usage_date,
    lines.provider_name,
    lines.sub_account_id,
    lines.resource_id,
    lines.resource_name,
    lines.instance_type,
    lines.billing_currency
