-- Only accounts in which money rests: the moves in between would count it twice. A period is open for a
-- provider until each source that bills it is asked after the period's end (a fee may cover all of it on its first day,
-- a month may end without a charge), and from then on final when every one of them says so of what it delivered, all of
-- which could be read. A source bills a provider in a period when the period has lines of it. One that was asked for
-- the period and has nothing in place for it (it failed and never delivered, or was withdrawn) may yet bill: it counts
-- for the providers that it was ever seen to bill, and for all of the period's while it has billed none, as long as the
-- configuration names it. One that was renamed or removed is not in bill_sources and holds nothing back.
-- A cost is converted in two parts, whole units and the fraction, so that no engine runs out of digits; the fraction is
-- rounded half away from zero to 12 places, and the whole units need no rounding, so that neither does the sum.
with resting as (
    select
        billing_period,
        charge_date,
        to_account as account,
        team_id,
        provider_name,
        service_name,
        coalesce(model_id, '') as model_id,
        coalesce(feature, '') as feature,
        cost_kind,
        rule_kind,
        billing_currency,
        sum(effective_cost) as effective_cost,
        sum(billed_cost) as billed_cost
    from postings
    where is_final_account
    group by
        billing_period,
        charge_date,
        to_account,
        team_id,
        provider_name,
        service_name,
        coalesce(model_id, ''),
        coalesce(feature, ''),
        cost_kind,
        rule_kind,
        billing_currency
),

asked as (
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
        x_source
    from charge_groups
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

billing_sources as (
    select
        billing_period,
        provider_name,
        x_source
    from seen_sources
    union distinct
    select
        seen_sources.billing_period,
        seen_sources.provider_name,
        silent_sources.x_source
    from seen_sources
    inner join silent_sources
        on
            seen_sources.billing_period = silent_sources.billing_period
            and silent_sources.provider_name in ('', seen_sources.provider_name)
),

signals as (
    select
        billing_sources.billing_period,
        billing_sources.provider_name,
        case
            when asked.asked_at < cast(billing_sources.billing_period + interval 1 month as timestamp) then 1
            else 0
        end as is_open,
        case when ranked_deliveries.is_final and ranked_deliveries.reject_count = 0 then 1 else 0 end as is_final
    from billing_sources
    left join asked on billing_sources.x_source = asked.x_source
    left join ranked_deliveries
        on
            billing_sources.x_source = ranked_deliveries.x_source
            and billing_sources.billing_period = ranked_deliveries.slice_date
            and ranked_deliveries.age = 1
),

states as (
    select
        billing_period,
        provider_name,
        case
            when max(is_open) = 1 then 'open'
            when min(is_final) = 1 then 'final'
            else 'provisional'
        end as period_state
    from signals
    group by billing_period, provider_name
),

ranked_rates as (
    select
        fx_rates.from_currency,
        fx_rates.rate_month,
        fx_rates.rate,
        fx_rates.rate_source,
        row_number() over (
            partition by fx_rates.from_currency, fx_rates.rate_month order by fx_rates.known_from desc
        ) as age
    from fx_rates
    inner join reporting on fx_rates.to_currency = reporting.reporting_currency
),

rates as (
    select
        from_currency,
        rate_month,
        rate,
        rate_source
    from ranked_rates
    where age = 1
),

parts as (
    select
        *,
        effective_cost % 1 as effective_fraction,
        billed_cost % 1 as billed_fraction
    from resting
)

select
    parts.billing_period,
    parts.charge_date,
    parts.account,
    parts.team_id,
    teams.team_name,
    teams.business_unit,
    teams.cost_centre,
    parts.provider_name,
    parts.service_name,
    parts.model_id,
    parts.feature,
    parts.cost_kind,
    parts.rule_kind,
    parts.billing_currency,
    parts.effective_cost,
    parts.billed_cost,
    reporting.reporting_currency,
    case
        when parts.billing_currency = reporting.reporting_currency then parts.effective_cost
        else cast(
            cast(parts.effective_cost - parts.effective_fraction as decimal(19, 0)) * rates.rate as decimal(37, 12)
        ) + cast(cast(parts.effective_fraction as decimal(12, 12)) * rates.rate as decimal(31, 12))
    end as reporting_effective_cost,
    case
        when parts.billing_currency = reporting.reporting_currency then parts.billed_cost
        else cast(
            cast(parts.billed_cost - parts.billed_fraction as decimal(19, 0)) * rates.rate as decimal(37, 12)
        ) + cast(cast(parts.billed_fraction as decimal(12, 12)) * rates.rate as decimal(31, 12))
    end as reporting_billed_cost,
    case
        when parts.billing_currency = reporting.reporting_currency then cast(1 as decimal(18, 9))
        else rates.rate
    end as exchange_rate,
    case when parts.billing_currency <> reporting.reporting_currency then rates.rate_source end as exchange_rate_source,
    states.period_state
from parts
cross join reporting
left join teams on parts.team_id = teams.team_id
left join states
    on
        parts.billing_period = states.billing_period
        and parts.provider_name = states.provider_name
left join rates
    on
        parts.billing_currency = rates.from_currency
        and parts.billing_period = rates.rate_month
