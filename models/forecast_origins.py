"""How well a method would have done: the series' own past forecast from a dozen days of it, and held against what came.

What is forecast is a sum over days, as a month's end is; so what is judged is that sum at the very horizon that is
asked for today. A method that is fitted knows nothing of the days after the origin that it was fitted at; it is fitted
again half way, and otherwise followed with the parameters that it has.

Here belongs: origins, errors of them, what they say of a method. Here does not belong: intervals of today.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from models.ets_paths import Floats
from models.forecast_methods import SEASON_DAYS, Paths

ORIGINS = 12
SPACING_DAYS = 7
FEWEST_TRAINING_DAYS = 28
TRAINING_DAYS = 180
"""A fit looks no further back: a season of a week needs no more, and a night is bounded."""
ORIGIN_PATHS = 200
REFIT_AFTER = 6  # origins
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9


@dataclass(frozen=True)
class Target:
    """Which days after an origin are summed: `start` is 0 for the first of them, `end` the first that is not."""

    start: int
    end: int


@dataclass(frozen=True)
class Record:
    """What a method said at each origin, oldest first, and what came. `days` counts the history before an origin."""

    days: tuple[int, ...]
    target: Target
    actual: Floats
    low: Floats
    middle: Floats
    high: Floats
    day_error: Floats  # mean absolute error of the target's single days
    naive_step: float  # mean absolute difference of a day from its weekday a week before

    @property
    def scores(self) -> Floats:
        """How far the truth lay from the middle, in half widths of the side that it lay on: 1 is the interval's edge.

        Infinite where an interval without width was wrong.
        """
        gap = self.actual - self.middle
        half = np.where(gap >= 0, self.high - self.middle, self.middle - self.low)
        is_hit = np.abs(gap) <= 1e-9 * np.abs(self.middle)
        spread = np.divide(np.abs(gap), half, out=np.full_like(gap, np.inf), where=half > 0)
        return np.where(is_hit, 0.0, spread)

    @property
    def median_error(self) -> float:
        """The middle one of the absolute errors; infinite without any."""
        return np.median(np.abs(self.actual - self.middle)) if len(self.days) else np.inf

    @property
    def wape(self) -> float | None:
        """Sum of absolute errors to sum of what came; None where nothing came."""
        whole = np.abs(self.actual).sum()
        return np.abs(self.middle - self.actual).sum() / whole if whole else None

    @property
    def bias(self) -> float | None:
        """By how much more was forecast than came, to what came; None where nothing came."""
        whole = self.actual.sum()
        return (self.middle - self.actual).sum() / whole if whole else None

    @property
    def mase(self) -> float | None:
        """Mean error of a day, in mean steps of the series from week to week; None where it takes no steps."""
        return self.day_error.mean() / self.naive_step if len(self.days) and self.naive_step else None


def origins(day_count: int, target: Target) -> tuple[int, ...]:
    """How many days of the history lie before each origin: as many origins as whole targets follow, oldest first."""
    last = day_count - target.end
    found = range(last, FEWEST_TRAINING_DAYS - 1, -SPACING_DAYS)
    return tuple(sorted(found[:ORIGINS]))


def record_of(
    history: Floats, target: Target, method: Callable[[Floats], Paths], random: Generator, is_known: Sequence[bool]
) -> Record:
    """The method held against the history. Origins of whose target a day is not known are left out.

    Raises what the method raises.
    """
    days = tuple(d for d in origins(len(history), target) if all(is_known[d + target.start : d + target.end]))
    told: list[tuple[float, ...]] = []
    follow: Paths | None = None
    start = max(0, days[0] - TRAINING_DAYS) if days else 0
    for place, day in enumerate(days):
        if follow is None or place == REFIT_AFTER:
            start = max(0, day - TRAINING_DAYS)
            follow = method(history[start:day])
        paths = follow(history[start:day], target.end, ORIGIN_PATHS, random)[:, target.start :]
        came = history[day + target.start : day + target.end]
        low, middle, high = np.quantile(paths.sum(axis=1), (LOW, MIDDLE, HIGH))
        day_error = np.abs(np.median(paths, axis=0) - came).mean()
        told.append((came.sum(), low, middle, high, day_error))
    columns = np.array(told, dtype=np.float64).reshape(len(days), 5).T
    steps = np.abs(history[SEASON_DAYS:] - history[:-SEASON_DAYS])
    return Record(days, target, *columns, naive_step=steps.mean() if len(steps) else 0.0)
