with delivered as (
    select
        *,
        -- what stood before had been confirmed after the window's end: it was no part of a period
        coalesce(
            max(case when status in ('committed', 'empty', 'unchanged') then attempted_at end) over (
                partition by x_source, slice_date
                order by attempted_at, attempt_id
                rows between unbounded preceding and 1 preceding
            ) >= window_end,
            false
        ) as was_whole_period
    from deliveries
)

select
    attempt_id,
    x_source,
    x_account,
    fact,
    slice_date,
    attempted_at as restated_at,
    attempted_at >= window_end as period_had_ended,
    was_whole_period,
    currency,
    previous_row_count,
    row_count,
    previous_total_tokens,
    total_tokens,
    total_tokens - previous_total_tokens as token_difference,
    previous_total_cost,
    total_cost,
    cast(total_cost - previous_total_cost as decimal(38, 12)) as difference,
    previous_total_effective_cost,
    total_effective_cost,
    cast(total_effective_cost - previous_total_effective_cost as decimal(38, 12)) as effective_difference
from delivered
where
    status in ('committed', 'empty', 'withdrawn')
    and (
        (total_cost is not null and previous_total_cost is not null)
        -- a log that lost all of its tokens, or has them at last, says something else, too: by how much nobody knows
        or (previous_row_count is not null and coalesce(total_tokens, previous_total_tokens) is not null)
    )
    -- the same charges in files, or under a manifest, that were written anew are no restatement
    and coalesce(lines_changed, true)
