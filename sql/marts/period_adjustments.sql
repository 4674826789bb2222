select
    billing_period,
    corrected_period,
    account,
    team_id,
    team_name,
    provider_name,
    cause,
    case cause
        when 'bill_restated' then provider_name || ' restated its bill'
        when 'correction' then 'a known error on the bill of ' || provider_name || ' was corrected'
        else
            'the bill of ' || provider_name
            || ' is allocated otherwise: the token log, the owner rules, the pools or what they are weighed by changed'
    end as because,
    billing_currency,
    sum(effective_cost) as effective_cost,
    sum(billed_cost) as billed_cost,
    reporting_currency,
    sum(reporting_effective_cost) as reporting_effective_cost,
    sum(reporting_billed_cost) as reporting_billed_cost
from chargeback
where corrected_period is not null
group by
    billing_period,
    corrected_period,
    account,
    team_id,
    team_name,
    provider_name,
    cause,
    billing_currency,
    reporting_currency
