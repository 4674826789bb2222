-- Small, and built once a day: so that names are resolved, and a corrected price finds the days it touches, without
-- reading the log again.
select distinct
    usage_date,
    coalesce(provider, '') as source_provider,
    billed_model as source_model
from gateway_requests
where billed_model is not null
