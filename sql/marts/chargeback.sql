-- Only accounts in which money rests: the moves in between would count it twice. A period is open until a
-- source is asked after its end (a fee may cover all of it on its first day, a month may end without a charge) and from
-- then on final for a provider when every group of its charges is on an invoice.
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

latest as (
    select max(attempted_at) as asked_at from deliveries
),

invoicing as (
    select
        billing_period,
        provider_name,
        count(*) filter (where invoice_id is null) as uninvoiced_count
    from charge_groups
    group by billing_period, provider_name
),

states as (
    select
        invoicing.billing_period,
        invoicing.provider_name,
        case
            when latest.asked_at < cast(invoicing.billing_period + interval 1 month as timestamp) then 'open'
            when invoicing.uninvoiced_count = 0 then 'final'
            else 'provisional'
        end as period_state
    from invoicing
    cross join latest
)

select
    resting.billing_period,
    resting.charge_date,
    resting.account,
    resting.team_id,
    teams.team_name,
    teams.business_unit,
    teams.cost_centre,
    resting.provider_name,
    resting.service_name,
    resting.model_id,
    resting.feature,
    resting.cost_kind,
    resting.rule_kind,
    resting.billing_currency,
    resting.effective_cost,
    resting.billed_cost,
    states.period_state
from resting
left join teams on resting.team_id = teams.team_id
left join states
    on
        resting.billing_period = states.billing_period
        and resting.provider_name = states.provider_name
