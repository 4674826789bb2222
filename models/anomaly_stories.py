"""Which event another one explains, so that one story is told once.

Here belongs: folding. Here does not belong: finding events, naming causes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from models.anomaly_events import Event
from models.anomaly_series import LEVELS, METRICS

LEAST_EXPLAINED = 0.8
"""The share of a child's money, or of its days, that a parent has to have."""

OUTCOME, OUTCOME_METRIC = "outcome", "cost_per_outcome"
"""A level beside the others: what an outcome of a kind costs, whoever asked for it."""
_LEVELS = tuple(LEVELS)


@dataclass(frozen=True)
class Told:
    """An event by days and names. Column n of its series is `first_day` and n days; there are `day_count` columns."""

    anomaly_id: str
    level: str
    metric: str
    account: str
    model_id: str
    first_day: date
    day_count: int
    event: Event
    parent_id: str | None = None
    outcome_kind: str = ""

    def day(self, column: int) -> date:
        """The date of a column of its series."""
        return self.first_day + timedelta(days=column)

    def excess_between(self, start: date, end: date) -> float:
        """What it came to from start to end, both included; NaN where that is not known of a day."""
        onset = self.day(self.event.first_day)
        first = max(0, (start - onset).days)
        return sum(self.event.daily_excess_costs[first : max(0, (end - onset).days + 1)])


def folded(found: Iterable[Told]) -> list[Told]:
    """The same events, each with the one that explains it, if one does, ordered by first day and id.

    A rise is looked for in large rises alone, so that nothing large is hidden behind what nobody is told of; a drop in
    drops. Of an outcome those are the organisation's, by each metric. Of others first those of the same series by a
    metric that comes before (cost before tokens), then those one level up (its own metric, then those before): the
    first that explains it is its parent.
    """
    ordered = sorted(found, key=lambda told: (told.day(told.event.first_day), told.anomaly_id))
    places: dict[tuple[str, str, str, str, bool], list[Told]] = defaultdict(list)
    for told in ordered:
        if told.event.is_large or told.event.is_drop:
            places[told.level, told.metric, told.account, told.model_id, told.event.is_drop].append(told)
    return [replace(told, parent_id=_parent(told, _candidates(told, places))) for told in ordered]


def _candidates(told: Told, places: dict[tuple[str, str, str, str, bool], list[Told]]) -> Iterator[Told]:
    if told.level == OUTCOME:
        for metric in METRICS:
            yield from places.get((_LEVELS[0], metric, "", "", told.event.is_drop), ())
        return
    before = METRICS[: METRICS.index(told.metric)]
    for metric in before:
        yield from places.get((told.level, metric, told.account, told.model_id, told.event.is_drop), ())
    above = _LEVELS[: _LEVELS.index(told.level)]
    for level in reversed(above):
        account = told.account if "account" in LEVELS[level] else ""
        for metric in (told.metric, *before):
            yield from places.get((level, metric, account, "", told.event.is_drop), ())


def _parent(told: Told, candidates: Iterable[Told]) -> str | None:
    return next((parent.anomaly_id for parent in candidates if _explains(parent, told)), None)


def _explains(parent: Told, told: Told) -> bool:
    """Whether it does, on the days that both are settled for: bills are later than logs.

    Of the same series by its days: what tokens cost at their mean price is a guess, where the cost itself is known.
    Of one level up by its money: what is not known explains nothing, and nothing explains it.
    """
    start, end = told.day(told.event.first_day), told.day(told.event.end_day)
    end = min(end, parent.day(parent.day_count - 1))
    first, last = max(start, parent.day(parent.event.first_day)), min(end, parent.day(parent.event.end_day))
    if last < first:
        return False
    if parent.level == told.level:
        return (last - first).days + 1 >= LEAST_EXPLAINED * ((end - start).days + 1)
    return abs(parent.excess_between(start, end)) >= LEAST_EXPLAINED * abs(told.excess_between(start, end))
