"""Pools by a metric of the company's own: month by month, day by day, and never evenly for want of a measure."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from models.ledger import check_conservation, post
from models.policy import Policy
from models.pools import Pool, Split

D = Decimal
DAY = datetime(2026, 10, 5)
PLATFORM = {"cost": "100", "tags": '{"team":"platform"}'}
OWNER = {"rule_id": "shared", "match_value": "platform", "pool_id": "platform"}
SEATS = Pool("platform", split=Split.METRIC, metric_id="seats")


def month(team, weight, number=10, metric="seats"):
    after = date(2026 + number // 12, number % 12 + 1, 1)
    return (metric, team, date(2026, number, 1), after, D(weight), "seats.csv:2")


def day(team, weight, number=5):
    return ("seats", team, date(2026, 10, number), date(2026, 10, number + 1), D(weight), "seats.csv:2")


def rests(rows, metrics, charges=(PLATFORM,), pool=SEATS):
    bill = rows.charges(*charges)
    postings = post(
        charge_groups=bill,
        usage=rows.usage(),
        gpu_states=rows.states(),
        pod_models=rows.pod_models(),
        gpu_labels=rows.labels(),
        owners=rows.owners(OWNER),
        pools=[pool],
        policy=Policy(metrics=rows.frame("pool_metrics", metrics)),
    )
    assert check_conservation(bill, postings).is_empty()
    final = postings.filter("is_final_account").sort("charge_group_id", "to_account")
    return final.select("to_account", "effective_cost", "rule_id").rows()


def test_a_month_s_seats_split_its_charges(rows):
    metrics = [month("a", "7.5"), month("b", "2.5"), month("b", "999", 11), month("c", "999", metric="tickets")]
    by = "pool:platform"
    assert rests(rows, metrics) == [("team:a", D(75), by), ("team:b", D(25), by)]


def test_each_month_has_its_own(rows):
    metrics = [month("a", 1), month("b", 1, 11)]
    november = PLATFORM | {"charge_start": datetime(2026, 11, 2)}
    assert [row[0] for row in rests(rows, metrics, [PLATFORM, november])] == ["team:a", "team:b"]


def test_a_charge_over_two_months_goes_by_the_days_of_each(rows):
    metrics = [month("a", 1), month("b", 3, 11)]
    start = datetime(2026, 10, 31)
    both = PLATFORM | {"charge_start": start, "charge_end": start + timedelta(days=2)}
    assert [row[:2] for row in rests(rows, metrics, [both])] == [("team:a", D(25)), ("team:b", D(75))]


def test_a_month_without_weights_stays_with_the_pool_s_own_residual(rows):
    over = PLATFORM | {"charge_start": datetime(2026, 10, 31), "charge_end": datetime(2026, 11, 2)}
    left = ("residual:pool:platform", D(100), "pool:unmeasured")
    assert rests(rows, [month("a", 1, 9), month("a", 0)], [PLATFORM, over]) == [left, left]
    # what reaches into a month that nobody measured is not split by the other month alone
    assert rests(rows, [month("a", 1)], [over]) == [left]


def test_days_are_measured_day_by_day(rows):
    long = PLATFORM | {"charge_end": DAY + timedelta(days=2)}
    metrics = [day("a", 1), day("b", 1), day("b", 2, 6), day("a", 9, 7)]
    assert [row[:2] for row in rests(rows, metrics, [long])] == [("team:a", D(25)), ("team:b", D(75))]
    assert rests(rows, [day("a", 1, 7)])[0][0] == "residual:pool:platform"


@pytest.mark.parametrize("teams", [("b",), ("c",)])
def test_only_the_teams_that_the_pool_names_carry_it(rows, teams):
    pool = Pool("platform", split=Split.METRIC, metric_id="seats", team_ids=teams)
    found = rests(rows, [month("a", 9), month("b", 1)], pool=pool)
    assert [row[:2] for row in found] == [("team:b" if teams == ("b",) else "residual:pool:platform", D(100))]
