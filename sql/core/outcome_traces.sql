-- One streaming pass: requests are brought together by trace before anything is compared. What is proven to be logged
-- again is left out. A trace serves a kind when one of its requests of the day does; then all of them are its cost.
-- A failed attempt that no model answered has no say in who served the trace, whatever model it was meant for.
with kinds as (
    select distinct
        outcome_kind,
        trace_by,
        trace_name,
        key_by,
        key_name
    from outcome_kinds
),

named as (
    select
        owned_requests.usage_date,
        owned_requests.started_at,
        owned_requests.team_id,
        owned_requests.feature,
        case when owned_requests.is_answered then owned_requests.model_id end as model_id,
        owned_requests.is_answered and owned_requests.is_self_hosted as is_self_hosted,
        owned_requests.status,
        owned_requests.is_unpriced,
        owned_requests.priced_cost_usd,
        coalesce(owned_requests.attempt_group_id, owned_requests.request_id) as own_key,
        kinds.outcome_kind,
        nullif(
            case kinds.trace_by
                when 'trace_id' then owned_requests.trace_id
                when 'operation' then owned_requests.attempt_group_id
                else json_extract_string(owned_requests.outcome_ids, '$.' || kinds.trace_name)
            end,
            ''
        ) as trace_id,
        nullif(
            case kinds.key_by
                when 'customer' then owned_requests.customer_hash
                when 'user' then owned_requests.user_hash
                when 'metadata' then json_extract_string(owned_requests.outcome_ids, '$.' || kinds.key_name)
            end,
            ''
        ) as key_value
    from owned_requests
    cross join kinds
),

-- a kind without features is served by whatever carries its id
served as (
    select
        named.*,
        case
            when outcome_kinds.feature is null then 0
            when outcome_kinds.feature = '' and named.trace_id is null then 0
            else 1
        end as is_serving
    from named
    left join outcome_kinds
        on
            named.outcome_kind = outcome_kinds.outcome_kind
            and (outcome_kinds.feature = '' or named.feature = outcome_kinds.feature)
),

parts as (
    select
        usage_date,
        outcome_kind,
        coalesce(trace_id, own_key) as trace_key,
        trace_id is not null as has_id,
        team_id,
        feature,
        max(key_value) as key_value,
        max(is_serving) as is_serving,
        min(model_id) as first_model,
        max(model_id) as last_model,
        sum(case when model_id is null and status = 'success' then 1 else 0 end) as unknown_count,
        sum(case when model_id is not null or status = 'success' then 1 else 0 end) as routed_count,
        sum(case when is_self_hosted then 1 else 0 end) as self_hosted_count,
        min(started_at) as started_at,
        max(started_at) as last_started_at,
        count(*) as request_count,
        sum(case when status = 'failure' then 1 else 0 end) as failure_count,
        sum(case when is_unpriced then 1 else 0 end) as unpriced_count,
        sum(priced_cost_usd) as priced_cost_usd
    from served
    where is_serving = 1 or trace_id is not null
    group by
        usage_date,
        outcome_kind,
        coalesce(trace_id, own_key),
        trace_id is not null,
        team_id,
        feature
),

traces as (
    select
        usage_date,
        outcome_kind,
        trace_key,
        has_id,
        team_id,
        feature,
        request_count,
        failure_count,
        unpriced_count,
        priced_cost_usd,
        max(key_value) over trace as key_value,
        max(is_serving) over trace as is_serving,
        min(first_model) over trace as first_model,
        max(last_model) over trace as last_model,
        sum(unknown_count) over trace as unknown_count,
        sum(routed_count) over trace as routed_count,
        sum(self_hosted_count) over trace as self_hosted_count,
        sum(request_count) over trace as trace_request_count,
        sum(failure_count) over trace as trace_failure_count,
        min(started_at) over trace as started_at,
        max(last_started_at) over trace as last_started_at
    from parts
    window trace as (partition by usage_date, outcome_kind, trace_key, has_id)
)

select
    usage_date,
    outcome_kind,
    case when has_id then trace_key else 'request:' || trace_key end as trace_key,
    has_id,
    key_value,
    team_id,
    feature,
    case
        when routed_count = 0 then 'unknown'
        when self_hosted_count = 0 then 'api'
        when self_hosted_count = routed_count then 'self_hosted'
        else 'mixed'
    end as route,
    case
        when first_model is null then 'unknown'
        when first_model = last_model and unknown_count = 0 then first_model
        else 'several'
    end as model_id,
    started_at,
    last_started_at,
    trace_failure_count < trace_request_count as has_success,
    request_count,
    failure_count,
    unpriced_count,
    priced_cost_usd
from traces
where is_serving = 1
