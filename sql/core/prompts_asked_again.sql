-- The gateway's own cache answers no repeat of these, or it would not be in the log as paid.
-- Only what may be a repeat is put in order of time: a hash, eight bytes for each attempt, tells which prompts the log
-- has twice. What only happens to have the same hash is told apart afterwards.
with repeated as (
    select
        hash(
            usage_date, x_source, coalesce(gateway_team_id, ''), coalesce(key_id, ''), coalesce(feature, ''),
            coalesce(provider, ''), coalesce(billed_model, ''), prompt_hash
        ) as asked_hash
    from gateway_requests
    where prompt_hash is not null and status = 'success' and not is_cache_hit
    group by
        hash(
            usage_date, x_source, coalesce(gateway_team_id, ''), coalesce(key_id, ''), coalesce(feature, ''),
            coalesce(provider, ''), coalesce(billed_model, ''), prompt_hash
        )
    having count(*) > 1
),

asked as (
    select
        gateway_requests.usage_date,
        gateway_requests.x_source,
        gateway_requests.x_page,
        gateway_requests.x_row,
        gateway_requests.started_at - interval 60 minute <= lag(gateway_requests.started_at) over (
            partition by
                gateway_requests.usage_date,
                gateway_requests.x_source,
                coalesce(gateway_requests.gateway_team_id, ''),
                coalesce(gateway_requests.key_id, ''),
                coalesce(gateway_requests.feature, ''),
                coalesce(gateway_requests.provider, ''),
                coalesce(gateway_requests.billed_model, ''),
                gateway_requests.prompt_hash
            order by gateway_requests.started_at, gateway_requests.x_page, gateway_requests.x_row
        ) as is_repeat
    from gateway_requests
    inner join repeated
        on
            hash(
                gateway_requests.usage_date, gateway_requests.x_source, coalesce(gateway_requests.gateway_team_id, ''),
                coalesce(gateway_requests.key_id, ''), coalesce(gateway_requests.feature, ''),
                coalesce(gateway_requests.provider, ''), coalesce(gateway_requests.billed_model, ''),
                gateway_requests.prompt_hash
            ) = repeated.asked_hash
    where
        gateway_requests.prompt_hash is not null
        and gateway_requests.status = 'success'
        and not gateway_requests.is_cache_hit
)

select
    usage_date,
    x_source,
    x_page,
    x_row
from asked
where is_repeat
