-- The latest attempt says how things stand; what the lake serves is the latest delivery that it took in, which a failed
-- attempt after it does not change.
with ranked as (
    select
        *,
        row_number() over (
            partition by x_source, x_account, slice_date order by attempted_at desc, attempt_id desc
        ) as attempt_order
    from deliveries
),

ranked_served as (
    select
        *,
        row_number() over (
            partition by x_source, x_account, slice_date order by attempted_at desc, attempt_id desc
        ) as served_order
    from deliveries
    where status in ('committed', 'empty', 'withdrawn')
),

ranked_confirmed as (
    select
        *,
        row_number() over (
            partition by x_source, x_account, slice_date order by attempted_at desc, attempt_id desc
        ) as confirmed_order
    from deliveries
    where status in ('committed', 'empty', 'unchanged', 'withdrawn')
)

select
    ranked.x_source,
    ranked.x_account,
    ranked.fact,
    ranked.slice_date,
    ranked_served.delivery_id,
    ranked.status,
    ranked.attempted_at,
    coalesce(ranked_served.row_count, 0) as row_count,
    coalesce(ranked_served.reject_count, 0) as reject_count,
    coalesce(ranked_served.duplicate_count, 0) as duplicate_count,
    ranked_served.rejected_cost,
    ranked_served.total_cost,
    ranked_served.currency,
    ranked.message,
    coalesce(ranked_confirmed.is_final, false) as is_final,
    ranked_served.not_covered,
    ranked_served.repeated
from ranked
left join ranked_served
    on
        ranked.x_source = ranked_served.x_source
        and ranked.x_account = ranked_served.x_account
        and ranked.slice_date = ranked_served.slice_date
        and ranked_served.served_order = 1
left join ranked_confirmed
    on
        ranked.x_source = ranked_confirmed.x_source
        and ranked.x_account = ranked_confirmed.x_account
        and ranked.slice_date = ranked_confirmed.slice_date
        and ranked_confirmed.confirmed_order = 1
where ranked.attempt_order = 1
