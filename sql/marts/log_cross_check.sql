-- Every call is in both logs: a side that does not state tokens or a cost adds nothing to its own sum.
select
    usage_date,
    cast(date_trunc('month', usage_date) as date) as billing_period,
    counted_x_source,
    x_source as seen_x_source,
    coalesce(provider, 'unknown') as provider,
    coalesce(billed_model, 'unknown') as billed_model,
    count(*) as request_count,
    cast(coalesce(sum(
        case
            when
                counted_input_tokens <> seen_input_tokens or counted_output_tokens <> seen_output_tokens
                then 1
            else 0
        end
    ), 0) as bigint) as differing_count,
    cast(sum(counted_input_tokens) as bigint) as counted_input_tokens,
    cast(sum(counted_output_tokens) as bigint) as counted_output_tokens,
    cast(sum(seen_input_tokens) as bigint) as seen_input_tokens,
    cast(sum(seen_output_tokens) as bigint) as seen_output_tokens,
    cast(sum(counted_reported_cost_usd) as decimal(38, 12)) as counted_reported_cost_usd,
    cast(sum(seen_reported_cost_usd) as decimal(38, 12)) as seen_reported_cost_usd
from second_sightings
group by
    usage_date,
    counted_x_source,
    x_source,
    coalesce(provider, 'unknown'),
    coalesce(billed_model, 'unknown')
