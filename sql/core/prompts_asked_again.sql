-- The gateway's own cache answers no repeat of these, or it would not be in the log as paid.
with asked as (
    select
        usage_date,
        x_source,
        x_page,
        x_row,
        started_at - interval 60 minute <= lag(started_at) over (
            partition by
                x_source,
                coalesce(gateway_team_id, ''),
                coalesce(key_id, ''),
                coalesce(feature, ''),
                coalesce(provider, ''),
                coalesce(billed_model, ''),
                prompt_hash
            order by started_at, x_page, x_row
        ) as is_repeat
    from gateway_requests
    where prompt_hash is not null and status = 'success' and not is_cache_hit
)

select
    usage_date,
    x_source,
    x_page,
    x_row
from asked
where is_repeat
