"""What was usual before a story: by the weekdays that are known, under names that stay apart."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from models.anomaly_comparison import compared, contributors_of, sums_of
from models.anomaly_events import Event
from models.anomaly_stories import Told

START = date(2026, 1, 5)  # a Monday


def told(first_day: int, end_day: int) -> Told:
    """A story of the organisation's tokens, from one day of the log to another."""
    event = Event(
        series=0,
        is_drop=False,
        first_day=first_day,
        found_day=first_day,
        peak_day=first_day,
        last_alarm_day=end_day,
        end_day=end_day,
        resolved_day=None,
        has_point=True,
        has_level=False,
        is_new_level=False,
        peak_score=5.0,
        observed=200.0,
        expected=100.0,
        daily_excess_costs=(),
        excess_cost=0.0,
        least_cost=0.0,
        is_large=True,
    )
    return Told("id", "organisation", "tokens", "", "", START, end_day + 1, event)


def logged(requests: dict[int, int], *, feature: str = "chat", environment: str = "production") -> pl.DataFrame:
    """Requests by day of the log."""
    return pl.DataFrame(
        {
            "day": [START + timedelta(days=number) for number in requests],
            "feature": feature,
            "environment": environment,
            "request_count": list(requests.values()),
        }
    )


def sides(story: Told, rows: pl.DataFrame) -> dict[tuple[str, ...], tuple[Decimal, Decimal]]:
    return sums_of(compared(story, rows, ["request_count"]), ["feature"], "request_count")


def test_of_a_young_log_the_weekdays_that_are_known_say_what_was_usual() -> None:
    rows = logged({**dict.fromkeys(range(14), 100), 14: 200, 15: 200})
    assert sides(told(14, 15), rows) == {("chat",): (Decimal(200), Decimal(400))}


def test_what_was_usual_is_the_mean_of_a_weekday() -> None:
    # Mondays 28, 14 and 21 days before: 60 + 90 + 120, one is not known; other days are of no account
    rows = logged({**dict.fromkeys(range(1, 28), 5), 0: 60, 14: 90, 21: 120, 28: 500})
    rows = rows.filter(pl.col("day") != START + timedelta(days=7))
    assert sides(told(28, 28), rows) == {("chat",): (Decimal(90), Decimal(500))}


def test_a_day_of_the_log_without_the_thing_counts_as_none_of_it() -> None:
    known = logged({**dict.fromkeys(range(14), 100), 14: 100})
    rows = pl.concat([known, logged({0: 50, 14: 70}, feature="search")])
    assert sides(told(14, 14), rows)["search",] == (Decimal(25), Decimal(70))


def test_a_weekday_that_is_not_known_from_before_leaves_nothing_to_compare() -> None:
    rows = logged({**dict.fromkeys(range(1, 7), 100), 7: 200})
    assert compared(told(7, 7), rows, ["request_count"]).is_empty()


def test_a_day_of_the_story_that_is_not_known_is_not_expected_either() -> None:
    rows = logged({**dict.fromkeys(range(7), 100), 7: 200, 9: 200})
    assert sides(told(7, 9), rows) == {("chat",): (Decimal(200), Decimal(400))}


def test_names_of_different_kinds_stay_apart() -> None:
    days = {0: 10, 7: 20}
    rows = pl.concat([logged(days, feature="", environment="x"), logged(days, feature="x", environment="")])
    found = sums_of(compared(told(7, 7), rows, ["request_count"]), ["feature", "environment"], "request_count")
    each = (Decimal(10), Decimal(20))
    assert found == {("", "x"): each, ("x", ""): each}


def test_what_has_no_name_is_told_so_once() -> None:
    rows = pl.DataFrame({"feature": ["", None], "cost_units_before": [0, 0], "cost_units_after": [12 * 10**12] * 2})
    assert sums_of(rows, ["feature"], "cost_units") == {("",): (Decimal(0), Decimal(2))}
    assert '"element": "(none)", "change_cost": "2.00"' in contributors_of(rows, ["feature"])
