select distinct
    usage_date,
    gateway_team_id,
    key_id,
    key_alias,
    feature,
    team_id
from usage_by_team_daily
