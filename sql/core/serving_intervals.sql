-- The one rule for when an engine had requests: in an interval in which one ran, came to an end or was given tokens,
-- and no earlier than an engine that began within it. A sample of what runs misses requests shorter than its distance.
select
    x_source,
    usage_date,
    cluster,
    namespace,
    pod,
    engine_name,
    engine_replica,
    model_name,
    interval_start,
    interval_end,
    prompt_tokens,
    cached_tokens,
    generated_tokens,
    finished_requests,
    prefill_seconds,
    decode_seconds,
    running_requests_max,
    waiting_requests_max,
    covered_seconds,
    reset_count,
    engine_started_at,
    case
        when running_requests_max > 0 or finished_requests > 0 or generated_tokens > 0
            then
                case
                    when reset_count = 0 and engine_started_at > interval_start and engine_started_at < interval_end
                        then engine_started_at
                    else interval_start
                end
    end as busy_from,
    case
        when running_requests_max > 0 or finished_requests > 0 or generated_tokens > 0 then interval_end
    end as busy_to
from serving_counters
