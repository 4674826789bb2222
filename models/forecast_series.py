"""The daily series that are forecast: what they are of, and how they are put together.

Here belongs: which series, their days. Here does not belong: methods, months.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.ets_paths import Floats
from models.forecast_methods import SEASON_DAYS
from models.scopes import Scope

WINDOW_DAYS = 400
"""How far back a night looks: what a fit needs (180 days) before the first of a dozen origins."""
MOST_DAYS = 0.8
"""The share of days that are told of from which on one that is not is thought to be missing, and not without usage."""
_FINE = ("model_id", "feature", "outcome_kind")


def within(scope: Scope) -> pl.Expr:
    """Whether a row with the dimensions of `models.scopes` is within the scope."""
    return pl.all_horizontal(pl.lit(True), *(pl.col(name) == getattr(scope, name) for name in scope.fixed))


@dataclass(frozen=True)
class History:
    """A series from the first day on which it had anything to the last settled day. Days not known are filled."""

    scope: Scope
    values: Floats
    is_known: NDArray[np.bool_]

    @property
    def least(self) -> float:
        """What any of its days comes to at least: 0 where none was ever below; usage with refunds has no such bound."""
        return 0.0 if bool((self.values >= 0).all()) else -np.inf


def base_scopes(daily: pl.DataFrame, metric: str) -> list[Scope]:
    """The organisation, every account and every provider that the days tell of."""
    accounts = daily["account"].unique().sort().to_list()
    providers = daily["provider_name"].unique().sort().to_list()
    return [
        Scope(metric),
        *(Scope(metric, account=name) for name in accounts),
        *(Scope(metric, provider_name=name) for name in providers if name),
    ]


def histories(daily: pl.DataFrame, scopes: Iterable[Scope], settled: date) -> Iterator[History]:
    """Each scope's series; a scope of which nothing was ever told has no days.

    Where nearly every day is told of, one of which nothing at all is told is not known: it takes the value of its
    weekday before. On other days a series that has begun and has nothing is 0, and so it is on all days of a company
    that has days without any usage.

    Args:
        daily: usage by day and dimension of `models.scopes`: day, the dimensions, value.
        scopes: what to sum.
        settled: the last day that counts.
    """
    window = daily.filter(pl.col("day").is_between(settled - timedelta(days=WINDOW_DAYS - 1), settled))
    if window.is_empty():
        yield from (History(scope, np.zeros(0), np.zeros(0, dtype=np.bool_)) for scope in scopes)
        return
    first = window.select(pl.col("day").min()).item()
    is_known = np.zeros((settled - first).days + 1, dtype=np.bool_)
    is_known[_places(window.select("day").unique(), first)] = True
    if is_known.mean() < MOST_DAYS:
        is_known[:] = True
    coarse = window.group_by("day", "account", "provider_name", "business_unit").agg(pl.col("value").sum())
    for scope in scopes:
        rows = window if {*_FINE} & {*scope.fixed} else coarse
        summed = rows.filter(within(scope)).group_by("day").agg(pl.col("value").sum()).sort("day")
        yield _history(scope, summed, first, is_known)


def _history(scope: Scope, summed: pl.DataFrame, first: date, is_known: NDArray[np.bool_]) -> History:
    values = np.zeros(is_known.size)
    places = _places(summed, first)
    values[places] = summed["value"].to_numpy()
    start = int(places[0]) if len(places) else is_known.size
    values, known = values[start:], is_known[start:]
    for day in np.flatnonzero(~known):
        values[day] = values[day - SEASON_DAYS] if day >= SEASON_DAYS else values[day - 1]
    return History(scope, values, known)


def _places(days: pl.DataFrame, first: date) -> NDArray[np.int64]:
    return (days["day"] - first).dt.total_days().to_numpy()
