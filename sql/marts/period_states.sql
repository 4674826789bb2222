-- A period is open for a provider until each source that bills it is asked after the period's end (a fee may
-- cover all of it on its first day, a month may end without a charge), and from then on final when every one of
-- them says so of what it delivered, all of which could be read, and no invoice differs from the total that was
-- stated. A source bills a provider in a period when the period has lines of it. One that was asked for the
-- period and has nothing in place for it (it failed and never delivered, or was withdrawn) may yet bill: it
-- counts for the providers that it was ever seen to bill, and for all of the period's while it has billed none,
-- as long as the configuration names it. One that was renamed or removed is not in bill_sources and holds
-- nothing back. A provider may be in a period by adjustments of locked months alone: then its configured sources say
-- whether the period is over, and none of them has to deliver a bill that nobody expects.
with asked as (
    select
        x_source,
        max(attempted_at) as asked_at
    from deliveries
    group by x_source
),

ranked_deliveries as (
    select
        x_source,
        slice_date,
        status,
        is_final,
        reject_count,
        row_number() over (partition by x_source, slice_date order by attempted_at desc, attempt_id desc) as age
    from deliveries
    where status in ('committed', 'empty', 'unchanged', 'withdrawn')
),

seen_sources as (
    select distinct
        billing_period,
        provider_name,
        x_source,
        1 as is_awaited
    from charge_groups
    union distinct
    select
        adjustments.billing_period,
        adjustments.provider_name,
        bill_sources.x_source,
        0 as is_awaited
    from adjustments
    inner join bill_sources on adjustments.provider_name = bill_sources.provider_name
),

silent_sources as (
    select distinct
        deliveries.slice_date as billing_period,
        bill_sources.provider_name,
        bill_sources.x_source
    from deliveries
    inner join bill_sources on deliveries.x_source = bill_sources.x_source
    left join ranked_deliveries
        on
            deliveries.x_source = ranked_deliveries.x_source
            and deliveries.slice_date = ranked_deliveries.slice_date
            and ranked_deliveries.age = 1
    where deliveries.fact = 'charges' and coalesce(ranked_deliveries.status, 'withdrawn') = 'withdrawn'
),

possible_sources as (
    select
        billing_period,
        provider_name,
        x_source,
        is_awaited
    from seen_sources
    union distinct
    select
        seen_sources.billing_period,
        seen_sources.provider_name,
        silent_sources.x_source,
        1 as is_awaited
    from seen_sources
    inner join silent_sources
        on
            seen_sources.billing_period = silent_sources.billing_period
            and silent_sources.provider_name in ('', seen_sources.provider_name)
),

billing_sources as (
    select
        billing_period,
        provider_name,
        x_source,
        max(is_awaited) as is_awaited
    from possible_sources
    group by billing_period, provider_name, x_source
),

signals as (
    select
        billing_sources.billing_period,
        billing_sources.provider_name,
        case
            when asked.asked_at < cast(billing_sources.billing_period + interval 1 month as timestamp) then 1
            else 0
        end as is_open,
        case when ranked_deliveries.is_final or billing_sources.is_awaited = 0 then 0 else 1 end as is_provisional,
        case when ranked_deliveries.reject_count > 0 then 1 else 0 end as has_refused
    from billing_sources
    left join asked on billing_sources.x_source = asked.x_source
    left join ranked_deliveries
        on
            billing_sources.x_source = ranked_deliveries.x_source
            and billing_sources.billing_period = ranked_deliveries.slice_date
            and ranked_deliveries.age = 1
),

settled as (
    select
        billing_period,
        provider_name,
        count(*) as source_count,
        sum(is_open) as open_source_count,
        sum(is_provisional) as provisional_source_count,
        sum(has_refused) as refused_source_count
    from signals
    group by billing_period, provider_name
),

tied as (
    select
        billing_period,
        provider_name,
        sum(case when tie_out = 'tied_out' then 1 else 0 end) as tied_out_invoice_count,
        sum(case when tie_out in ('differs', 'no_lines') then 1 else 0 end) as differing_invoice_count,
        sum(case when tie_out = 'no_stated_total' then 1 else 0 end) as unproven_invoice_count
    from invoice_tie_out
    group by billing_period, provider_name
)

select
    settled.billing_period,
    settled.provider_name,
    case
        when period_closings.billing_period is not null then 'locked'
        when settled.open_source_count > 0 then 'open'
        when
            settled.provisional_source_count + settled.refused_source_count
            + coalesce(tied.differing_invoice_count, 0) > 0
            then 'provisional'
        else 'final'
    end as period_state,
    cast(settled.source_count as bigint) as source_count,
    cast(settled.open_source_count as bigint) as open_source_count,
    cast(settled.provisional_source_count as bigint) as provisional_source_count,
    cast(settled.refused_source_count as bigint) as refused_source_count,
    cast(coalesce(tied.tied_out_invoice_count, 0) as bigint) as tied_out_invoice_count,
    cast(coalesce(tied.differing_invoice_count, 0) as bigint) as differing_invoice_count,
    cast(coalesce(tied.unproven_invoice_count, 0) as bigint) as unproven_invoice_count
from settled
left join tied
    on
        settled.billing_period = tied.billing_period
        and settled.provider_name = tied.provider_name
left join period_closings on settled.billing_period = period_closings.billing_period
