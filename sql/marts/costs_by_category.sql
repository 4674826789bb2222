-- Only accounts in which money rests: the moves in between would count it twice.
-- A locked month keeps its postings, also of what its bill no longer has: they say what they were, but for those of
-- months that were locked before that was kept.
select
    postings.billing_period,
    postings.charge_date,
    postings.to_account as account,
    postings.team_id,
    postings.provider_name,
    postings.service_name,
    coalesce(postings.model_id, '') as model_id,
    coalesce(postings.feature, '') as feature,
    postings.cost_kind,
    coalesce(postings.charge_category, charge_groups.charge_category, 'Unknown') as charge_category,
    case
        when postings.charge_category is null then charge_groups.charge_class
        else postings.charge_class
    end is not null as is_correction,
    postings.billing_currency,
    sum(postings.effective_cost) as effective_cost,
    sum(postings.billed_cost) as billed_cost
from postings
left join charge_groups
    on
        postings.billing_period = charge_groups.billing_period
        and postings.charge_group_id = charge_groups.charge_group_id
where postings.is_final_account
group by
    postings.billing_period,
    postings.charge_date,
    postings.to_account,
    postings.team_id,
    postings.provider_name,
    postings.service_name,
    coalesce(postings.model_id, ''),
    coalesce(postings.feature, ''),
    postings.cost_kind,
    coalesce(postings.charge_category, charge_groups.charge_category, 'Unknown'),
    case
        when postings.charge_category is null then charge_groups.charge_class
        else postings.charge_class
    end is not null,
    postings.billing_currency
