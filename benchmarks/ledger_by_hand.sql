-- The reference of benchmarks/ledger.py: proportions in double precision, as people write them by hand.
with used as (
    select
        usage_date,
        model_id,
        team_id,
        feature,
        sum(output_text_tokens) as tokens
    from usage
    group by usage_date, model_id, team_id, feature
),

direct as (
    select
        charges.charge_group_id,
        used.team_id,
        used.feature,
        cast(charges.effective_cost as double) * used.tokens
        / sum(used.tokens) over (partition by charges.charge_group_id) as effective_cost
    from charges
    inner join used on charges.charge_date = used.usage_date and charges.model_id = used.model_id
),

teams as (
    select
        team_id,
        sum(effective_cost) as effective_cost
    from direct
    group by team_id
),

pooled as (
    select
        charges.charge_group_id,
        teams.team_id,
        '' as feature,
        cast(charges.effective_cost as double) * teams.effective_cost
        / sum(teams.effective_cost) over (partition by charges.charge_group_id) as effective_cost
    from charges
    cross join teams
    where charges.model_id is null
)

select * from direct
union all
select * from pooled
