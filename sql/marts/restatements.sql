select
    attempt_id,
    x_source,
    x_account,
    fact,
    slice_date,
    attempted_at as restated_at,
    previous_total_cost,
    total_cost,
    cast(total_cost - previous_total_cost as decimal(38, 12)) as difference
from deliveries
where status in ('committed', 'empty') and total_cost <> previous_total_cost
