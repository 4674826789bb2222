"""Events: their days, what they come to, and the gates, worked out by hand on series without noise."""

from math import exp

import numpy as np
import pytest

from models.anomaly_events import Event, Gate, find_events
from models.anomaly_scores import SENSITIVITIES, score_days

MEDIUM = SENSITIVITIES["medium"]
USUAL = 1000.0


def events(
    values: np.ndarray, *, unit_cost: float = 1.0, owner_cost: float = 0.0, gate: Gate | None = None
) -> list[Event]:
    return find_events(
        values,
        score_days(values, MEDIUM),
        MEDIUM,
        unit_costs=np.full_like(values, unit_cost),
        owner_costs=np.full_like(values, owner_cost),
        gate=gate or Gate(),
    )


def with_days(changes: dict[int, float], days: int = 80) -> np.ndarray:
    values = np.full((1, days), USUAL)
    for day, value in changes.items():
        values[0, day] = value
    return values


def test_one_day_is_one_event_with_its_money() -> None:
    (event,) = events(with_days({60: 1600.0}), unit_cost=0.5)
    assert (event.first_day, event.found_day, event.peak_day, event.last_alarm_day, event.end_day) == (
        60,
        60,
        60,
        60,
        60,
    )
    assert event.resolved_day == 61
    assert (event.observed, event.expected) == (pytest.approx(1600), pytest.approx(1000))
    assert event.excess_cost == pytest.approx(300)
    assert event.is_large


def test_days_in_a_row_are_one_event_with_one_peak() -> None:
    (event,) = events(with_days({60: 1600.0, 61: 1900.0, 62: 1700.0}))
    assert (event.first_day, event.peak_day, event.end_day, event.resolved_day) == (60, 61, 62, 63)
    assert event.excess_cost == pytest.approx(600 + 900 + 700)


@pytest.mark.parametrize(("quiet_days", "count"), [(2, 1), (3, 2)])
def test_alarms_with_two_quiet_days_between_them_are_one_event(quiet_days: int, count: int) -> None:
    # the second day takes the running sum past its limit, so that it begins anew
    found = events(with_days({60: 1600.0, 61: 1600.0, 62 + quiet_days: 1600.0}))
    assert len(found) == count


def test_an_event_that_lasts_is_not_resolved() -> None:
    (event,) = events(with_days({78: 1600.0, 79: 1600.0}))
    assert (event.first_day, event.end_day, event.resolved_day) == (78, 79, None)


def test_a_slow_rise_begins_where_the_running_sum_left_zero() -> None:
    # (1,010 * e^0.1 - 10) is two deviations: the fourth day is the first alarm
    value = 1010 * exp(0.1) - 10
    (event,) = events(with_days(dict.fromkeys(range(60, 64), value)))
    assert (event.first_day, event.found_day, event.has_point, event.has_level) == (60, 63, False, True)
    assert event.excess_cost == pytest.approx(4 * (value - 1000))


def test_a_new_level_is_held_against_what_was_usual_before_it_and_told_as_one() -> None:
    (event,) = events(with_days(dict.fromkeys(range(60, 110), 1600.0), days=110))
    assert event.first_day == 60
    assert event.resolved_day is not None  # in the end it is usual
    assert event.is_new_level
    days = event.end_day - event.first_day + 1
    assert days >= 13
    assert event.excess_cost == pytest.approx(600.0 * days)
    assert not events(with_days(dict.fromkeys(range(60, 80), 1600.0)))[0].is_drop


def test_two_alarms_with_days_above_the_slack_between_them_are_one_event() -> None:
    # the second day takes the running sum past its limit; then nine days of 0.6 deviations, which are not calm
    raised = 1010 * exp(0.6 * 0.05) - 10
    days = {59: 1600.0, 60: 1600.0, 70: 1600.0, **dict.fromkeys(range(61, 70), raised)}
    (event,) = events(with_days(days))
    assert (event.first_day, event.last_alarm_day, event.end_day, event.resolved_day) == (59, 70, 70, 71)
    assert event.excess_cost == pytest.approx(3 * 600 + 9 * (raised - 1000))


def test_what_a_day_costs_nobody_knows_is_neither_nothing_nor_large() -> None:
    values = with_days({60: 1600.0, 61: 1600.0})
    unit_costs = np.ones_like(values)
    unit_costs[0, 61] = np.nan
    (event,) = find_events(
        values,
        score_days(values, MEDIUM),
        MEDIUM,
        unit_costs=unit_costs,
        owner_costs=np.zeros_like(values),
        gate=Gate(),
    )
    assert (event.excess_cost, event.is_large) == (None, False)
    assert event.daily_excess_costs == pytest.approx((600, np.nan), nan_ok=True)


def test_a_drop_is_told_and_is_never_large() -> None:
    (event,) = events(with_days({60: 100.0}))
    assert (event.is_drop, event.first_day, event.end_day, event.is_large) == (True, 60, 60, False)
    assert event.excess_cost == pytest.approx(-900)


@pytest.mark.parametrize(("unit_cost", "is_large"), [(0.0832, False), (0.0834, True)])
def test_an_event_is_large_from_fifty_on(unit_cost: float, is_large: bool) -> None:
    (event,) = events(with_days({60: 1600.0}), unit_cost=unit_cost)  # 600 x 0.0834 = 50.04
    assert event.is_large is is_large


@pytest.mark.parametrize(("owner_cost", "is_large"), [(1001.0, False), (999.0, True)])
def test_an_event_is_large_from_a_fiftieth_of_its_owner_s_month_on(owner_cost: float, is_large: bool) -> None:
    (event,) = events(with_days({60: 1600.0}), owner_cost=owner_cost)  # 600 of 30 x 1,000
    assert event.least_cost == pytest.approx(0.02 * 30 * owner_cost)
    assert event.is_large is is_large


@pytest.mark.parametrize(("value", "is_large"), [(1199.0, False), (1201.0, True)])
def test_an_event_is_large_from_a_fifth_above_expectation_on(value: float, is_large: bool) -> None:
    (event,) = events(with_days({60: value}))
    assert event.is_large is is_large


def test_of_many_series_on_a_day_only_what_stands_out_of_all_of_them_is_an_alarm() -> None:
    # 3.6 deviations: a chance of 1.6 in 10,000, which among 1,000 series is nothing
    value = 1010 * np.exp(0.05 * 3.6) - 10
    one = with_days({60: value})
    assert len(events(one)) == 1
    assert events(np.vstack([one, np.full((999, 80), USUAL)])) == []
