"""What an outcome costs, watched: injected into a kind without noise, told once and by its name."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from models.anomalies import anomalies
from tests.models.test_anomalies import LOOP, ONSET, START, company

PICO = 10**12
SUCCESSES = 40


def came(*, days: int = 78, kind: str = "ticket", **after: Any) -> list[dict[str, Any]]:
    """Forty successes a day for 200; from the onset on as is said."""
    usual: dict[str, Any] = {
        "outcome_kind": kind,
        "request_count": 1000,
        "unpriced_count": 0,
        "success_count": Decimal(SUCCESSES),
        "cost_units": 200 * PICO,
    }
    each = [START + timedelta(days=number) for number in range(days)]
    return [usual | {"day": day} | (after if day >= ONSET else {}) for day in each]


def told(outcomes: list[dict[str, Any]], change: Any = lambda row: row) -> list[dict[str, Any]]:
    found = anomalies(*company(change), pl.DataFrame(outcomes), currency="USD")
    return found.filter(pl.col("level") == "outcome").to_dicts()


def test_money_that_flows_on_while_nothing_comes_of_it_is_named_so() -> None:
    (alert,) = told([*came(success_count=Decimal(0)), *came(kind="draft")])
    assert (alert["metric"], alert["outcome_kind"], alert["model_id"]) == ("cost_per_outcome", "ticket", "")
    assert (alert["onset_date"], alert["direction"], alert["is_alert"]) == (ONSET, "rise", True)
    assert alert["cause"] == "burn_without_outcomes"
    assert alert["evidence"] == (
        "Requests for 'ticket' cost 200.00 a day, 200.00 were usual; 0.0 successes a day came of them, 40.0 were usual."
    )
    assert alert["runbook"].startswith("Ask who serves the outcome")
    # a success cost 5, and now 200 at least: of eight days each 195 beyond expectation
    assert (alert["expected_mean"], alert["observed_mean"]) == (Decimal(5), Decimal(200))
    assert alert["excess_cost"] == 195 * 8


@pytest.mark.parametrize("unknown", [{"unpriced_count": 51, "cost_units": 0}, {"cost_units": None}])
@pytest.mark.parametrize("weeks", [-1, 1])
def test_a_day_of_unknown_cost_makes_neither_what_was_usual_nor_what_came_cheaper(
    unknown: dict[str, Any], weeks: int
) -> None:
    """A day whose attempts have no price, a week before the onset or after it, is no day that cost nothing."""
    at = ONSET + timedelta(weeks=weeks)
    rows = [row | (unknown if row["day"] == at else {}) for row in came(success_count=Decimal(0))]
    (alert,) = told(rows)
    assert alert["cause"] == "burn_without_outcomes"
    assert "cost 200.00 a day, 200.00 were usual; 0.0 successes a day came" in alert["evidence"]


def test_without_a_usual_day_of_known_cost_no_burn_is_named() -> None:
    """Of the onset's weekday none of four weeks has a price."""
    before = {ONSET - timedelta(weeks=week) for week in (1, 2, 3, 4)}
    rows = [row | ({"cost_units": None} if row["day"] in before else {}) for row in came(success_count=Decimal(0))]
    (alert,) = told(rows)
    assert (alert["cause"], alert["evidence"]) == (None, None)


def test_an_outcome_that_is_dearer_as_more_is_paid_is_no_burn() -> None:
    (alert,) = told(came(cost_units=600 * PICO))
    assert (alert["is_alert"], alert["cause"], alert["evidence"]) == (True, None, None)
    # forty successes that cost 10 more each, on eight days
    assert alert["excess_cost"] == 400 * 8


def test_what_the_organisation_s_rise_explains_is_folded_under_it() -> None:
    """A loop costs 800 a day more, and what it serves 400 of them: one story, told of the organisation."""
    (child,) = told(came(cost_units=600 * PICO), LOOP)
    assert (child["is_alert"], child["cause"]) == (False, None)
    assert child["parent_id"] is not None
    assert child["story_id"] != child["anomaly_id"]


def test_what_is_not_known_or_never_came_is_no_alarm() -> None:
    assert told(came()) == []
    assert told(came(success_count=Decimal(0), unpriced_count=51)) == []
    never = [row | {"success_count": Decimal(0)} for row in came(cost_units=900 * PICO)]
    assert told(never) == []
    (cheaper,) = told(came(success_count=Decimal(80)))
    assert (cheaper["direction"], cheaper["is_alert"]) == ("drop", False)


def test_the_days_of_a_kind_end_where_its_outcomes_have_not_come_yet() -> None:
    (alert,) = told([*came(days=75, success_count=Decimal(0)), *came(days=80, kind="draft")])
    assert alert["settled_date"] == START + timedelta(days=74)
