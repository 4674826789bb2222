"""Alarms of many series become events: one for each stretch of alarms, with its days and what it came to in money.

Here belongs: when an event begins, peaks and ends, what was expected of it, and the gate by money. Here does not
belong: scores (`models.anomaly_scores`), which event explains which, causes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.anomaly_scores import Flags, Floats, Scores, Sensitivity, discoveries

MERGE_GAP_DAYS = 2
"""Alarms with at most so many quiet days between them are one event."""
DISCOVERY_RATE = 0.1
"""Of point alarms across all series of a day: Benjamini and Hochberg's q."""
MONTH_DAYS = 30
WEEK = 7


@dataclass(frozen=True)
class Gate:
    """What an event must come to: money, a share of its owner's month of it, and a share of what was expected."""

    least_cost: float = 50.0
    least_month_ratio: float = 0.02
    least_excess_ratio: float = 0.2


@dataclass(frozen=True)
class Event:
    """A stretch of days on which a series was not what it should have been. Days are column numbers.

    `first_day` is where it began (of a level: where the running sum left zero), `found_day` its first alarm,
    `last_alarm_day` its last, `end_day` its last day above (or below) expectation, `resolved_day` the first day after
    that, None while it lasts. `observed` and `expected` are means of its days in the series' unit, `excess_cost` is
    what the difference comes to in money, by day (NaN where that is not known) and altogether (None where one of its
    days is not known), `least_cost` what it has to come to. What is not known is not large.
    """

    series: int
    is_drop: bool
    first_day: int
    found_day: int
    peak_day: int
    last_alarm_day: int
    end_day: int
    resolved_day: int | None
    has_point: bool
    has_level: bool
    is_new_level: bool
    peak_score: float
    observed: float
    expected: float
    daily_excess_costs: tuple[float, ...]
    excess_cost: float | None
    least_cost: float
    is_large: bool


def find_events(
    values: Floats, scores: Scores, sensitivity: Sensitivity, *, unit_costs: Floats, owner_costs: Floats, gate: Gate
) -> list[Event]:
    """The events of every series, ordered by series and first day.

    Point alarms are those that Benjamini and Hochberg's procedure keeps of each day. An event reaches from the first
    day of its first alarm to the day before the first one after its last alarm whose score is no more than the slack;
    where the next one begins before that, both are one, so that no day counts twice.
    What was expected of it is frozen: of each of its days what was expected of that weekday in its first seven days,
    so that an event does not become its own yardstick.

        excess = sum (x_t - frozen expectation_t) * unit_cost_t
        large:  excess >= max(least_cost, least_month_ratio * the owner's cost of the 30 days before)
                and mean x / mean expectation - 1 >= least_excess_ratio

    Args:
        values: series by days, as they were scored.
        scores: what `score_days` says of them.
        sensitivity: that they were scored with.
        unit_costs: what one unit of each series costs on each day, in the currency of `gate`; NaN where not known.
        owner_costs: what the owner of each series pays for on each day, likewise; NaN counts as nothing.
        gate: what makes an event large.
    """
    kept = scores.is_point.copy()
    for day in range(values.shape[1]):
        if kept[:, day].any():
            kept[:, day] &= discoveries(scores.score[:, day], DISCOVERY_RATE)
    slack = sensitivity.slack
    found: list[Event] = []
    for series in np.flatnonzero(kept.any(axis=1) | (scores.sum_start >= 0).any(axis=1) | scores.is_drop.any(axis=1)):
        row = _Series(int(series), values, scores, unit_costs, owner_costs)
        alarms = kept[series] | (scores.sum_start[series] >= 0)
        found += [
            _event(row, kept[series], alarms, first, last, end, gate, is_drop=False)
            for first, last, end in _rises(
                scores.score[series], _covered(kept[series], scores.sum_start[series]), slack
            )
        ]
        found += [
            _event(row, scores.is_drop[series], scores.is_drop[series], first, last, last, gate, is_drop=True)
            for first, last in _stretches(scores.is_drop[series])
        ]
    return sorted(found, key=lambda event: (event.series, event.first_day, event.is_drop))


@dataclass(frozen=True)
class _Series:
    number: int
    values: Floats
    scores: Scores
    unit_costs: Floats
    owner_costs: Floats


def _covered(points: Flags, sum_start: np.ndarray) -> Flags:
    """The days of a series that its alarms are about."""
    covered = points.copy()
    for day in np.flatnonzero(sum_start >= 0):
        covered[sum_start[day] : day + 1] = True
    return covered


def _stretches(covered: Flags) -> Iterator[tuple[int, int]]:
    """First and last day of every stretch, those with short gaps between them together."""
    days = np.flatnonzero(covered)
    if not days.size:
        return
    breaks = np.flatnonzero(np.diff(days) > MERGE_GAP_DAYS + 1)
    starts, ends = [0, *(breaks + 1)], [*breaks, days.size - 1]
    yield from ((int(days[start]), int(days[end])) for start, end in zip(starts, ends, strict=True))


def _rises(score: Floats, covered: Flags, slack: float) -> list[tuple[int, int, int]]:
    """First day, last alarm and end of every rise; those that reach the next one together with it."""
    found: list[tuple[int, int, int]] = []
    for first, last in _stretches(covered):
        start = found.pop()[0] if found and found[-1][2] >= first else first
        calm = np.flatnonzero(score[last + 1 :] <= slack)  # a day that is not judged resolves nothing
        found.append((start, last, last + int(calm[0]) if calm.size else score.size - 1))
    return found


def _event(
    row: _Series, points: Flags, alarms: Flags, first: int, last: int, end: int, gate: Gate, *, is_drop: bool
) -> Event:
    days = np.arange(first, end + 1)
    values = row.values[row.number, days]
    expected = _frozen(row.scores.expected[row.number], days)
    is_known = ~np.isnan(values) & ~np.isnan(expected)
    differences = np.where(is_known, values - expected, 0.0)
    score = row.scores.drop_score if is_drop else row.scores.score
    peak = first + int(np.argmax(-differences if is_drop else differences))
    observed, wanted = values[is_known].mean().item(), expected[is_known].mean().item()
    excess_costs = np.where(differences == 0, 0.0, differences * row.unit_costs[row.number, days])
    excess = None if np.isnan(excess_costs).any() else excess_costs.sum().item()
    month = np.nansum(row.owner_costs[row.number, max(0, first - MONTH_DAYS) : first]).item()
    least = max(gate.least_cost, gate.least_month_ratio * month)
    recent = slice(-WEEK, None)
    return Event(
        series=row.number,
        is_drop=is_drop,
        first_day=first,
        found_day=first + int(np.argmax(alarms[first : last + 1])),
        peak_day=peak,
        last_alarm_day=last,
        end_day=end,
        resolved_day=end + 1 if end + 1 < row.values.shape[1] else None,
        has_point=bool(points[first : last + 1].any()),
        has_level=bool((row.scores.sum_start[row.number, first : last + 1] >= 0).any()) and not is_drop,
        is_new_level=not is_drop
        and len(days) > WEEK
        and differences[recent].sum() >= gate.least_excess_ratio * np.nansum(expected[recent]).item(),
        peak_score=np.nan_to_num(score[row.number, peak]).item(),
        observed=observed,
        expected=wanted,
        daily_excess_costs=tuple(excess_costs.tolist()),
        excess_cost=excess,
        least_cost=least,
        is_large=not is_drop
        and excess is not None
        and excess >= least
        and observed - wanted >= gate.least_excess_ratio * wanted,
    )


def _frozen(expected: Floats, days: np.ndarray) -> Floats:
    """What was expected of each day's weekday when the event began; of the day itself where that is not known."""
    first_week = expected[days[0] + (days - days[0]) % WEEK]
    return np.where(np.isnan(first_week), expected[days], first_week)
