-- Only accounts in which money rests: the moves in between would count it twice.
-- An adjustment is converted at the rate of the month that it corrects, so that it is what that month differs by. Its
-- provider may have no bill in the month that carries it: then nothing of it can change.
-- A cost is converted in two parts, whole units and the fraction, so that no engine runs out of digits; the fraction is
-- rounded half away from zero to 12 places, and the whole units need no rounding, so that neither does the sum.
-- Each row stands in one place of the hierarchy, that of the day on which its charge starts: a re-organisation moves
-- rows and no money.
-- An empty feature is one of the log's where the log split the money, also by way of a pool; a correction is of what it
-- corrects.
with featured_pools as (
    select distinct
        billing_period,
        rule_id
    from postings
    where rule_kind = 'pool' and feature is not null
),

told as (
    select
        postings.*,
        case
            when postings.feature is not null or postings.rule_kind = 'priced_tokens' then 1
            when postings.rule_kind = 'pool' and featured_pools.rule_id is not null then 1
            else 0
        end as is_told
    from postings
    left join featured_pools
        on
            postings.billing_period = featured_pools.billing_period
            and postings.rule_id = featured_pools.rule_id
),

corrected as (
    select
        billing_period,
        charge_group_id,
        to_account,
        min(is_told) as is_told
    from told
    where
        is_final_account
        and feature is null
        and rule_kind <> 'correction'
    group by billing_period, charge_group_id, to_account
),

moved as (
    select
        told.billing_period,
        cast(null as date) as corrected_period,
        cast(null as varchar) as cause,
        told.charge_date,
        told.to_account,
        told.team_id,
        told.provider_name,
        told.service_name,
        told.model_id,
        told.feature,
        told.cost_kind,
        told.rule_kind,
        told.billing_currency,
        told.effective_cost,
        told.billed_cost,
        told.is_final_account,
        coalesce(corrected.is_told, told.is_told) as is_told
    from told
    left join corrected
        on
            told.rule_kind = 'correction'
            and told.feature is null
            and told.billing_period = corrected.billing_period
            and told.charge_group_id = corrected.charge_group_id
            and told.to_account = corrected.to_account
    union all
    select
        billing_period,
        corrected_period,
        cause,
        charge_date,
        to_account,
        team_id,
        provider_name,
        service_name,
        model_id,
        feature,
        cost_kind,
        'adjustment' as rule_kind,
        billing_currency,
        effective_cost,
        billed_cost,
        is_final_account,
        case when coalesce(is_feature_told, feature is not null) then 1 else 0 end as is_told
    from adjustments
),

resting as (
    select
        billing_period,
        corrected_period,
        cause,
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
        sum(billed_cost) as billed_cost,
        min(is_told) as is_told
    from moved
    where is_final_account
    group by
        billing_period,
        corrected_period,
        cause,
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
),

-- rules are matched once for each distinct case, not once for each row
places as (
    select distinct
        account,
        team_id,
        provider_name,
        feature,
        cost_kind,
        charge_date
    from resting
),

products as (
    select
        places.account,
        places.feature,
        places.charge_date,
        min_by(feature_products.product, feature_products.priority) as product
    from places
    inner join feature_products
        on
            places.feature = feature_products.feature
            and places.charge_date >= feature_products.valid_from
            and places.charge_date < feature_products.valid_to
    where coalesce(places.team_id = feature_products.team_id, feature_products.team_id is null)
    group by places.account, places.feature, places.charge_date
),

booked as (
    select
        places.account,
        places.provider_name,
        places.cost_kind,
        places.charge_date,
        min_by(ledger_accounts.ledger_account, ledger_accounts.priority) as ledger_account
    from places
    inner join ledger_accounts
        on
            places.charge_date >= ledger_accounts.valid_from
            and places.charge_date < ledger_accounts.valid_to
    where
        coalesce(places.team_id = ledger_accounts.team_id, ledger_accounts.team_id is null)
        and coalesce(places.cost_kind = ledger_accounts.cost_kind, true)
        and coalesce(places.provider_name = ledger_accounts.provider_name, true)
    group by places.account, places.provider_name, places.cost_kind, places.charge_date
)

select
    parts.billing_period,
    parts.charge_date,
    parts.account,
    parts.team_id,
    teams.team_name,
    team_hierarchy.organisation,
    team_hierarchy.business_unit,
    team_hierarchy.cost_centre,
    parts.provider_name,
    parts.service_name,
    parts.model_id,
    parts.feature,
    parts.is_told = 1 as is_feature_told,
    products.product,
    booked.ledger_account,
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
    coalesce(period_states.period_state, 'final') as period_state,
    parts.corrected_period,
    parts.cause
from parts
cross join reporting
left join teams on parts.team_id = teams.team_id
left join team_hierarchy
    on
        parts.team_id = team_hierarchy.team_id
        and parts.charge_date >= team_hierarchy.valid_from
        and parts.charge_date < team_hierarchy.valid_to
left join products
    on
        parts.account = products.account
        and parts.feature = products.feature
        and parts.charge_date = products.charge_date
left join booked
    on
        parts.account = booked.account
        and parts.provider_name = booked.provider_name
        and parts.cost_kind = booked.cost_kind
        and parts.charge_date = booked.charge_date
left join period_states
    on
        parts.billing_period = period_states.billing_period
        and parts.provider_name = period_states.provider_name
left join rates
    on
        parts.billing_currency = rates.from_currency
        and coalesce(parts.corrected_period, parts.billing_period) = rates.rate_month
