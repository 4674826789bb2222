-- Usage alone has a price to compare, and the lines by which a provider applies a commitment or an agreed discount to
-- it. Those buy nothing and have no list cost, nor has what nobody used of a commitment, nor its fee beside lines that
-- state their price: all of that counts against what the commitment, or agreement, saved. A cost that the standard's
-- rule took from the billed cost, for want of a price, is no list price; as a contracted cost it holds where no
-- commitment is.
-- The standard's names are kept as it writes them.
-- noqa: disable=CP02
with lines as (
    select
        x_BillingPeriod as billing_period,
        x_AccountId as account,
        x_TeamId as team_id,
        ProviderName as provider_name,
        ServiceName as service_name,
        coalesce(x_ModelId, '') as model_id,
        PricingCategory as stated_category,
        BillingCurrency as billing_currency,
        EffectiveCost as effective_cost,
        ListCost as list_cost,
        ContractedCost as contracted_cost,
        CommitmentDiscountId is not null as is_committed,
        x_ListCostBasis <> 'billed_cost' as is_listed,
        x_ContractedCostBasis <> 'billed_cost' as is_contracted,
        case
            when x_CorrectedPeriod is not null then 'other'
            when ChargeCategory = 'Usage' and CommitmentDiscountStatus = 'Unused' then 'commitment'
            when ChargeCategory = 'Usage' then 'usage'
            when
                ChargeCategory = 'Credit'
                and (
                    CommitmentDiscountId is not null
                    or x_PurchaseOption in ('reserved', 'savings_plan', 'committed_use', 'provisioned')
                )
                then 'commitment'
            when ChargeCategory in ('Credit', 'Adjustment') and lower(x_ChargeType) like '%discount%' then 'discount'
            else 'other'
        end as charged_for
    from focus_cost_and_usage
),

compared as (
    select
        *,
        case when charged_for = 'commitment' then 'Committed' else coalesce(stated_category, '') end
            as pricing_category,
        case
            when charged_for <> 'usage' then charged_for
            when not is_listed and is_committed and is_contracted then 'contracted'
            when not is_listed then 'unlisted'
            when is_contracted or not is_committed then 'divided'
            when list_cost = 0 then 'commitment'
            else 'undivided'
        end as compared_as
    from lines
)

select
    billing_period,
    account,
    team_id,
    provider_name,
    service_name,
    model_id,
    pricing_category,
    billing_currency,
    sum(effective_cost) as effective_cost,
    sum(
        case
            when compared_as in ('divided', 'undivided') then list_cost
            when compared_as in ('commitment', 'discount') then 0
        end
    ) as list_cost,
    sum(
        case
            when compared_as = 'divided' then contracted_cost - list_cost
            when compared_as = 'discount' then effective_cost
            when compared_as in ('undivided', 'commitment') then 0
        end
    ) as negotiated_variance,
    sum(
        case
            when compared_as in ('divided', 'contracted') then effective_cost - contracted_cost
            when compared_as = 'commitment' then effective_cost
            when compared_as in ('undivided', 'discount') then 0
        end
    ) as commitment_variance,
    sum(
        case
            when compared_as = 'undivided' then effective_cost - list_cost
            when compared_as in ('divided', 'contracted', 'commitment', 'discount') then 0
        end
    ) as undivided_variance,
    sum(
        case
            when compared_as in ('divided', 'undivided') then effective_cost - list_cost
            when compared_as = 'contracted' then effective_cost - contracted_cost
            when compared_as in ('commitment', 'discount') then effective_cost
        end
    ) as rate_variance,
    sum(
        case
            when compared_as = 'unlisted' then effective_cost
            when compared_as = 'contracted' then contracted_cost
            else 0
        end
    ) as unlisted_cost,
    sum(case when compared_as = 'other' then effective_cost else 0 end) as other_cost
from compared
group by
    billing_period,
    account,
    team_id,
    provider_name,
    service_name,
    model_id,
    pricing_category,
    billing_currency
