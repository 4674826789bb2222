-- Whether two calls that are alike are one is known where the provider counted: if the log has as many tokens as the
-- provider with them, they are two calls, and if it has as many without them, they are one. Input and output have to
-- agree to a fiftieth of what they are, in one of the provider's accounts or in all together. Where neither agrees,
-- as rows are missing, too, or nobody counted, what an attempt shows by itself counts: a short answer shows nothing.
-- What an id shows is shown whatever is counted.
with repeats as (
    select
        repeated_requests.*,
        suspect_requests.provider_id,
        suspect_requests.model_id,
        suspect_requests.input_total_tokens,
        suspect_requests.output_total_tokens
    from repeated_requests
    inner join suspect_requests
        on
            repeated_requests.x_source = suspect_requests.x_source
            and repeated_requests.x_page = suspect_requests.x_page
            and repeated_requests.x_row = suspect_requests.x_row
),

alike as (
    select
        usage_date,
        provider_id,
        model_id,
        coalesce(sum(input_total_tokens) filter (where proof = 'same_id'), 0) as repeated_input_tokens,
        coalesce(sum(output_total_tokens) filter (where proof = 'same_id'), 0) as repeated_output_tokens,
        sum(input_total_tokens) filter (where proof <> 'same_id') as input_tokens,
        sum(output_total_tokens) filter (where proof <> 'same_id') as output_tokens
    from repeats
    where defect = 'duplicate'
    group by usage_date, provider_id, model_id
    having count(*) filter (where proof <> 'same_id') > 0
),

logged as (
    select
        usage_date,
        provider_id,
        model_id,
        sum(
            input_uncached_tokens
            + cache_read_tokens
            + cache_write_5m_tokens
            + cache_write_1h_tokens
            + input_audio_tokens
        ) as input_tokens,
        sum(output_text_tokens + output_reasoning_tokens + output_audio_tokens) as output_tokens
    from usage_daily
    where not is_self_hosted
    group by usage_date, provider_id, model_id
),

counted as (
    select
        provider_usage.usage_date,
        model_identity.provider_id,
        model_identity.model_id,
        coalesce(provider_usage.sub_account_id, '') as account_id,
        sum(
            coalesce(
                provider_usage.input_total_tokens,
                coalesce(provider_usage.input_uncached_tokens, 0)
                + coalesce(provider_usage.cache_read_tokens, 0)
                + coalesce(provider_usage.cache_write_5m_tokens, 0)
                + coalesce(provider_usage.cache_write_1h_tokens, 0)
                + coalesce(provider_usage.input_audio_tokens, 0)
            )
        ) as input_tokens,
        sum(
            coalesce(
                provider_usage.output_total_tokens,
                coalesce(provider_usage.output_text_tokens, 0)
                + coalesce(provider_usage.output_reasoning_tokens, 0)
                + coalesce(provider_usage.output_audio_tokens, 0)
            )
        ) as output_tokens
    from provider_usage
    inner join model_identity
        on
            provider_usage.provider_name = model_identity.source_provider
            and provider_usage.model = model_identity.source_model
    group by
        provider_usage.usage_date,
        model_identity.provider_id,
        model_identity.model_id,
        coalesce(provider_usage.sub_account_id, '')
),

accounts as (
    select
        usage_date,
        provider_id,
        model_id,
        input_tokens,
        output_tokens
    from counted
    union all
    select
        usage_date,
        provider_id,
        model_id,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens
    from counted
    group by usage_date, provider_id, model_id
),

lacking as (
    select
        alike.usage_date,
        alike.provider_id,
        alike.model_id,
        alike.input_tokens,
        alike.output_tokens,
        accounts.input_tokens - logged.input_tokens + alike.repeated_input_tokens as lacking_input_tokens,
        accounts.output_tokens - logged.output_tokens + alike.repeated_output_tokens as lacking_output_tokens
    from alike
    inner join logged
        on
            alike.usage_date = logged.usage_date
            and alike.provider_id = logged.provider_id
            and alike.model_id = logged.model_id
    inner join accounts
        on
            alike.usage_date = accounts.usage_date
            and alike.provider_id = accounts.provider_id
            and alike.model_id = accounts.model_id
),

verdicts as (
    select
        usage_date,
        provider_id,
        model_id,
        max(
            case
                when
                    abs(lacking_input_tokens) * 50 <= input_tokens
                    and abs(lacking_output_tokens) * 50 <= output_tokens
                    then 1
                else 0
            end
        ) = 1 as are_two_calls,
        max(
            case
                when
                    abs(lacking_input_tokens + input_tokens) * 50 <= input_tokens
                    and abs(lacking_output_tokens + output_tokens) * 50 <= output_tokens
                    then 1
                else 0
            end
        ) = 1 as are_one_call
    from lacking
    group by usage_date, provider_id, model_id
)

select
    repeats.usage_date,
    repeats.x_source,
    repeats.x_page,
    repeats.x_row,
    case
        when repeats.defect <> 'duplicate' or repeats.proof = 'same_id' then repeats.defect
        when coalesce(verdicts.are_two_calls, false) then 'possible_duplicate'
        when repeats.proof = 'short_answer' and not coalesce(verdicts.are_one_call, false) then 'possible_duplicate'
        else 'duplicate'
    end as defect,
    repeats.other_request_id
from repeats
left join verdicts
    on
        repeats.usage_date = verdicts.usage_date
        and repeats.provider_id = verdicts.provider_id
        and repeats.model_id = verdicts.model_id
