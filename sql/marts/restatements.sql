select
    attempt_id,
    x_source,
    x_account,
    fact,
    slice_date,
    attempted_at as restated_at,
    attempted_at >= window_end as period_had_ended,
    previous_total_cost,
    total_cost,
    cast(total_cost - previous_total_cost as decimal(38, 12)) as difference,
    previous_total_effective_cost,
    total_effective_cost,
    cast(total_effective_cost - previous_total_effective_cost as decimal(38, 12)) as effective_difference
from deliveries
where status in ('committed', 'empty', 'withdrawn') and total_cost is not null and previous_total_cost is not null
