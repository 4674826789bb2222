"""How wide an interval must be to hold what it says: the widths that a method claims, times what its past asks for.

A method's own spread knows nothing of the mistakes of the method. So the half widths are multiplied by the factor at
which eight of ten past forecasts would have held, of the series itself and, with the same weight in all, of the other
series forecast the same way (split conformal prediction, Vovk et al., 2005, with a weighted quantile). What is
published as coverage is measured, not claimed: each origin is judged by a factor from origins that share no day with
it.

Here belongs: factors and coverage. Here does not belong: paths, money.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ets_paths import Floats
from models.forecast_origins import HIGH, LOW, Record

NOMINAL = HIGH - LOW
FEWEST_ORIGINS = 4
"""A series with fewer of its own has no interval."""
POOL_WEIGHT = 12.0
"""What all other series together weigh, in origins of the series itself."""


@dataclass(frozen=True)
class Calibration:
    """A series' factor, and the share of past truths that intervals made this way held.

    `coverage` is of the series' own origins, `pool_coverage` of those of all series of its pool; None where no origin
    can be judged by others.
    """

    factor: float
    coverage: float | None
    pool_coverage: float | None
    origin_count: int


def calibrated(records: Sequence[Record]) -> list[Calibration | None]:
    """What each series of a pool needs; None where it has too few origins, or no factor would do."""
    scores = [record.scores for record in records]
    others = [np.concatenate([np.zeros(0), *scores[:place], *scores[place + 1 :]]) for place in range(len(scores))]
    held = [_held(record, of_others) for record, of_others in zip(records, others, strict=True)]
    pool_coverage = _share(np.concatenate([np.zeros(0), *held]))
    found: list[Calibration | None] = []
    for record, of_others, of_series in zip(records, others, held, strict=True):
        factor = factor_of(record.scores, of_others)
        is_enough = len(record.days) >= FEWEST_ORIGINS and np.isfinite(factor)
        told = Calibration(factor, _share(of_series), pool_coverage, len(record.days))
        found.append(told if is_enough else None)
    return found


def factor_of(own: Floats, others: Floats) -> float:
    """The factor at which the nominal share of scores is at most 1; infinite where none is.

    One more score is taken to be beyond all others: the truth of today, which is not known. It weighs as much as one of
    the series' own also where others stand in for them: the method was chosen by the same past, and looks better on it
    than it is.
    """
    of_other = POOL_WEIGHT / len(others) if len(others) else 0.0
    scores = np.concatenate([own, others, [np.inf]])
    weights = np.concatenate([np.ones(len(own)), np.full(len(others), of_other), [1.0]])
    order = np.argsort(scores, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    return scores[order][np.searchsorted(share, NOMINAL - 1e-12)]


def _held(record: Record, others: Floats) -> Floats:
    """Which origins held, each by a factor from those of the series that share no day with it and from other series.

    Origins for which there is none are left out.
    """
    days = np.array(record.days)
    found: list[float] = []
    for score, day in zip(record.scores, days, strict=True):
        factor = factor_of(record.scores[np.abs(days - day) >= record.target.end], others)
        if np.isfinite(factor):
            found.append(score <= factor)
    return np.array(found, dtype=np.float64)


def _share(held: Floats) -> float | None:
    return held.mean() if len(held) else None
