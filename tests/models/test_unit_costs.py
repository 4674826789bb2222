"""Cost per outcome by hand: levels that add up, what is too young, too few or too dark, and what people add."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from models.outcome_kinds import OutcomeKind
from models.unit_costs import unit_costs
from tests.sql.golden import filled

KIND = OutcomeKind("ticket", maturity_days=2, least_successes=2)
AS_OF = date(2026, 10, 31)
DAY = {"usage_date": "2026-10-05", "outcome_kind": "ticket", "team_id": "support", "feature": "reply"}
API: dict[str, Any] = {
    **DAY,
    "route": "api",
    "model_id": "gpt",
    "trace_count": 4,
    "kind_trace_count": 4,
    "team_trace_count": 4,
    "feature_trace_count": 4,
    "request_count": 6,
    "failure_count": 2,
    "priced_cost_usd": "0.48",
    "attributed_cost_usd": "0.40",
    "unattributed_cost_usd": "0.08",
    "outcome_count": "4",
    "success_count": "4",
    "cost_squares": "0.06",
    "success_squares": "4",
    "cost_success_products": "0.48",
}
OWN: dict[str, Any] = {
    **API,
    "route": "self_hosted",
    "model_id": "llama",
    "failure_count": 0,
    "priced_cost_usd": "0.16",
    "attributed_cost_usd": "0.16",
    "unattributed_cost_usd": "0",
    "cost_squares": "0.0064",
    "cost_success_products": "0.16",
}
UNMET = {**DAY, "team_id": "", "feature": "", "route": "none", "model_id": "", "unmatched_count": 2}
SAME_DAY = [("ticket", date(2026, 10, 5), 0, Decimal(8))]


def told(
    *cohorts: dict[str, Any], kind: OutcomeKind = KIND, delays: list[tuple[str, date, int, Decimal]] = SAME_DAY
) -> list[dict[str, Any]]:
    names = {"outcome_kind": pl.String, "cohort_date": pl.Date, "age_days": pl.Int64, "share": pl.Decimal(38, 12)}
    rows = pl.DataFrame(pl.from_arrow(filled("outcome_cohorts", list(cohorts))))
    return unit_costs(rows, pl.DataFrame(delays, schema=names, orient="row"), [kind], AS_OF).to_dicts()


def one(rows: list[dict[str, Any]], level: str, period: str = "month", **names: str) -> dict[str, Any]:
    found = [row for row in rows if (row["level"], row["period_kind"]) == (level, period)]
    (row,) = [row for row in found if all(row[name] == value for name, value in names.items())]
    return row


def test_twelve_cents_by_api_and_four_by_the_own_model_stand_side_by_side() -> None:
    rows = told(API, OWN)
    assert one(rows, "route", route="api")["cost_per_success_usd"] == Decimal("0.12")
    assert one(rows, "route", route="self_hosted")["cost_per_success_usd"] == Decimal("0.04")
    assert one(rows, "kind")["cost_per_success_usd"] == Decimal("0.08")
    assert one(rows, "route", "day", route="api")["cost_per_success_usd"] == Decimal("0.12")
    assert one(rows, "model", model_id="llama")["route"] == "self_hosted"


def test_every_level_has_all_of_the_money() -> None:
    rows = told(API, OWN, {**OWN, "team_id": "mobile", "feature": "chat"}, {**API, "usage_date": "2026-10-06"})
    for level in ("kind", "team", "feature", "route", "model", "all"):
        costs = [row["priced_cost_usd"] for row in rows if (row["level"], row["period_kind"]) == (level, "month")]
        assert sum(costs) == Decimal("1.28")


def test_the_interval_is_that_of_its_traces_by_hand() -> None:
    # R = 0.12, residual squares 0.06 - 2 x 0.12 x 0.48 + 0.0144 x 4 = 0.0024, times 4/3, over 4 successes
    row = one(told(API), "kind")
    half = 1.959963984540054 * (0.0024 * 4 / 3) ** 0.5 / 4
    assert float(row["cost_per_success_low_usd"]) == pytest.approx(0.12 - half)
    assert float(row["cost_per_success_high_usd"]) == pytest.approx(0.12 + half)
    assert row["interval_method"] == "delta"


def test_outcomes_that_meet_nothing_lower_the_match_ratio_of_the_kind_alone() -> None:
    rows = told(API, UNMET)
    assert one(rows, "kind")["match_ratio"] == pytest.approx(4 / 6)
    assert one(rows, "kind")["unmatched_count"] == 2
    assert (one(rows, "route")["match_ratio"], one(rows, "route")["unmatched_count"]) == (None, None)
    assert one(rows, "kind")["cost_per_success_usd"] == Decimal("0.12")


def test_what_was_taken_back_lowers_the_success_ratio_and_raises_the_cost() -> None:
    row = one(told({**API, "outcome_count": "3", "success_count": "3", "reversed_count": "1"}), "kind")
    assert row["success_ratio"] == 0.75
    assert row["cost_per_success_usd"] == Decimal("0.16")


def test_a_young_period_is_a_nowcast_over_what_is_expected_in_the_end() -> None:
    # of older days half came by age 0, three quarters by age 1
    delays = [("ticket", date(2026, 10, 5), age, Decimal(count)) for age, count in ((0, 4), (1, 2), (2, 2))]
    young = {**API, "usage_date": "2026-10-30"}
    row = one(told(young, delays=delays), "kind")
    assert (row["maturity_ratio"], row["is_nowcast"]) == (0.75, True)
    assert row["cost_per_success_usd"] == Decimal("0.09")  # 0.48 over 4 / 0.75
    assert float(row["cost_per_success_high_usd"]) == pytest.approx(
        0.75 * float(one(told(API), "kind")["cost_per_success_high_usd"])
    )
    # days count by their cases: an old one with as many makes the mean of 1 and 0.75
    both = one(told(API, young, delays=delays), "kind")
    assert (both["maturity_ratio"], both["cost_per_success_usd"]) == (0.875, Decimal("0.105"))


def test_cohorts_whose_early_outcomes_are_held_no_longer_do_not_make_the_young_look_younger() -> None:
    # every day's requests have one outcome on their own day and one 30 days later; outcomes of 100 days are held
    told_back = {0: range(101), 30: range(30, 131)}
    delays = [("ticket", AS_OF - timedelta(days=n), age, Decimal(1)) for age, days in told_back.items() for n in days]
    slow = replace(KIND, maturity_days=35)
    row = one(told({**API, "usage_date": str(AS_OF)}, kind=slow, delays=delays), "kind")
    assert row["maturity_ratio"] == 0.5  # with the 30 days before the hundred it would be 71 / 172


def test_a_period_that_nobody_can_judge_yet_says_so() -> None:
    row = one(told({**API, "usage_date": "2026-10-30"}, delays=[]), "kind")
    assert (row["maturity_ratio"], row["cost_per_success_usd"], row["reason"]) == (None, None, "immature")
    assert one(told(API, delays=[]), "kind")["reason"] is None  # older than the kind's maturity: nothing more comes


@pytest.mark.parametrize(
    ("over", "reason", "per_outcome"),
    [
        ({"success_count": "2"}, None, "0.12"),
        ({"success_count": "1"}, "few_successes", "0.12"),
        ({"success_count": "1", "outcome_count": "1"}, "few_outcomes", None),
        ({"success_count": "0", "outcome_count": "0"}, "no_outcomes", None),
        ({"unpriced_count": 1}, "unpriced", None),
        ({"unpriced_count": 1, "request_count": 20}, None, "0.12"),
        ({"unpriced_count": 1, "request_count": 19}, "unpriced", None),
    ],
)
def test_a_figure_that_would_mislead_is_left_out_with_its_reason(
    over: dict[str, Any], reason: str | None, per_outcome: str | None
) -> None:
    row = one(told({**API, **over}), "kind")
    assert row["reason"] == reason
    assert (row["cost_per_success_usd"] is None) is (reason is not None)
    assert row["cost_per_outcome_usd"] == (None if per_outcome is None else Decimal(per_outcome))
    assert row["priced_cost_usd"] == Decimal("0.48")
    assert (row["cost_per_request_usd"] is None, row["cost_per_trace_usd"] is None) == (reason == "unpriced",) * 2


def test_quality_counts_where_nearly_all_outcomes_have_one() -> None:
    rated = {**API, "rated_count": "4", "quality_sum": "3"}
    row = one(told(rated), "kind")
    assert (row["quality_mean"], row["cost_per_quality_usd"]) == (0.75, Decimal("0.16"))
    assert one(told({**rated, "rated_count": "3"}), "kind")["cost_per_quality_usd"] is None


def test_people_finish_what_did_not_succeed() -> None:
    given = {**API, "success_count": "3", "success_squares": "3", "cost_success_products": "0.36"}
    row = one(told(given, kind=replace(KIND, human_cost_usd=Decimal(6))), "kind")
    assert row["cost_with_people_usd"] == Decimal("1.62")  # (0.48 + one case at 6) over four
    assert row["break_even_success_ratio"] == pytest.approx(0.02)
    assert one(told(given), "kind")["cost_with_people_usd"] is None


def test_a_case_of_two_features_is_one_case_of_the_kind_and_one_of_each_feature() -> None:
    # 50 tickets, each with a request of 1 dollar of either feature; all are resolved, half of each by either feature
    reply: dict[str, Any] = {
        **API,
        **dict.fromkeys(("trace_count", "kind_trace_count", "team_trace_count", "feature_trace_count"), 50),
        "request_count": 50,
        "failure_count": 0,
        "priced_cost_usd": "50",
        "attributed_cost_usd": "50",
        "unattributed_cost_usd": "0",
        "outcome_count": "25",
        "success_count": "25",
        "cost_squares": "100",
        "success_squares": "25",
        "cost_success_products": "50",
    }
    triage = {**reply, "feature": "triage", "kind_trace_count": 0, "team_trace_count": 0}
    rows = told(reply, triage, kind=replace(KIND, human_cost_usd=Decimal("6.50")))
    for level in ("kind", "team", "route", "model"):
        row = one(rows, level)
        assert (row["trace_count"], row["cost_per_trace_usd"], row["maturity_ratio"]) == (50, 2, 1)
        assert row["cost_with_people_usd"] == 2  # all 50 succeed: nobody is left to finish
        assert row["break_even_success_ratio"] == pytest.approx(2 / 6.5)
    half = one(rows, "feature", feature="triage")
    assert (half["trace_count"], half["cost_per_trace_usd"]) == (50, 1)
    assert one(rows, "kind")["interval_method"] == "delta"


def test_days_from_before_cases_were_counted_once_keep_the_count_that_they_have() -> None:
    rows = pl.DataFrame(pl.from_arrow(filled("outcome_cohorts", [API])))
    old = rows.with_columns(kind_trace_count=pl.lit(None, pl.Int64))
    delays = pl.DataFrame(
        schema={"outcome_kind": pl.String, "cohort_date": pl.Date, "age_days": pl.Int64, "share": pl.Decimal(38, 12)}
    )
    assert one(unit_costs(old, delays, [KIND], AS_OF).to_dicts(), "kind")["trace_count"] == 4


def test_days_are_told_as_far_as_they_are_looked_at_and_of_kind_and_route_alone() -> None:
    rows = told(API, {**API, "usage_date": str(AS_OF - timedelta(days=100))})
    assert {(row["level"], str(row["period_start"])) for row in rows if row["period_kind"] == "day"} == {
        ("kind", "2026-10-05"),
        ("route", "2026-10-05"),
    }


def test_kinds_that_are_declared_no_longer_are_left_out() -> None:
    assert told({**API, "outcome_kind": "old"}) == []
