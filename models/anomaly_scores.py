"""How unusual every day of many daily series is, given the days before it: a weekday residual and its running sum.

Every figure of a day is made from that day and earlier ones, so that a later night never changes its mind about a day
that has not changed. All series are judged together, a day at a time.

Here belongs: scores and alarms of numbers. Here does not belong: what the numbers are, money, stories.
"""

from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LAGS = tuple(range(7, 43, 7))
"""The same weekday of the six weeks before."""
MEMORY_DAYS = 28
"""Days whose residuals say how much a series varies."""
FEWEST_DAYS = 10
"""A series that was seen on fewer days is not judged."""
FEWEST_RESIDUALS = 14
"""With fewer residuals a series does not yet know how much it varies: its pool says it."""
LEAST_SCALE = 0.05
PRIOR_SCALE = 0.3
"""Standard deviation of a new series' logarithm where no series of its pool is old enough. Cautious: no source."""
MAD_TO_SIGMA = 1.4826
"""Of a normal distribution the standard deviation is this many median absolute deviations."""
BURSTY_SCALE = 0.3
"""From this scale on a day has to be nearly three times its weekdays to be a point alarm. Cautious: no source."""
BURST_SCORE = 4.0
OFFSET_RATIO = 0.01
WINSOR = 4.0
DROP_SCORE = -5.0
DROP_RATIO = 0.8

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Sensitivity:
    """When a score is an alarm: `point` of one day, `slack` a day and `limit` of the running sum."""

    point: float
    slack: float
    limit: float


SENSITIVITIES = {
    "low": Sensitivity(4.0, 0.75, 6.0),
    "medium": Sensitivity(3.5, 0.5, 5.0),
    "high": Sensitivity(3.0, 0.5, 4.0),
}


@dataclass(frozen=True)
class Scores:
    """What was found of every series (row) and day (column).

    `expected` is in the series' own unit, NaN where a day is not judged. `score` counts deviations above expectation,
    of a burst those above the mean of the days before; `drop_score` below it. `sum_start` is the day (column number) on
    which the running sum that raised an alarm left zero, -1 where it raised none.
    """

    expected: Floats
    score: Floats
    drop_score: Floats
    is_point: Flags
    is_drop: Flags
    sum_start: NDArray[np.int64]


def score_days(values: Floats, sensitivity: Sensitivity, pools: NDArray[np.int64] | None = None) -> Scores:
    """Judges every day of every series by the days before it.

    With o = 0.01 times the median positive value of the last 28 days, so that zeros have a logarithm:

        b_t = median of log(x_{t-7j} + o), j = 1..6        (fewer than two known: of the last 28 days)
        r_t = log(x_t + o) - b_t
        s_t = max(1.4826 * MAD(r of the last 28 days), 0.05)
        z_t = (r_t - max(median r of the last 28 days, 0)) / s_t
        S_t = max(0, S_{t-1} + min(max(z_t, -4), 4) - slack), back to 0 after an alarm

    A day is a point alarm where z_t > point, and the end of a level alarm where S_t > limit. Where a series varies by
    factors (s_t > 0.3), as bursts of work do, logarithms hardly tell a large day from a small one: there a day is a
    point alarm, too, that is above every one of the last 28 days and by more than four standard deviations above their
    mean, and has these as its score. Running sums are made of z_t alone. A level that fell and is
    taken for normal in the end does not make what stayed the same look like a rise: hence the zero within z. Drops are
    told by the mirror image, where a day is also a fifth below its weekdays. A day below zero, as a refund makes one,
    has no logarithm: it is judged as a day of zero.

    Sources: median and MAD: Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), whose limit is 3.5; running
    sum and its restart: Page, Continuous Inspection Schemes (1954).

    Args:
        values: series by days, in any unit; NaN where a day is not known.
        sensitivity: when to alarm.
        pools: a number for each series; of series with the same one the young learn from the old how much they vary.

    Returns:
        The scores. Unitless but `expected`.
    """
    values = np.maximum(values, 0)
    pools = np.zeros(len(values), dtype=np.int64) if pools is None else pools
    base, offset, residuals, centre, scale, bursts = _by_day(values, pools)
    usual = (residuals - np.maximum(centre, 0)) / scale
    score = np.where(np.isnan(usual), np.nan, np.fmax(usual, bursts))
    drop_score = (residuals - np.minimum(centre, 0)) / scale
    return Scores(
        expected=np.maximum(np.exp(base + np.maximum(centre, 0)) - offset, 0),
        score=score,
        drop_score=drop_score,
        is_point=score > sensitivity.point,
        is_drop=(drop_score < DROP_SCORE) & (residuals < np.log(DROP_RATIO)),
        sum_start=_level_alarms(usual, sensitivity),
    )


def _by_day(values: Floats, pools: NDArray[np.int64]) -> tuple[Floats, ...]:
    """Of every series and day: usual logarithm, what was added before it, residual, its centre and scale, burst."""
    base, offset, residuals, centre, scale, bursts = (np.full(values.shape, np.nan) for _ in range(6))
    for day in range(FEWEST_DAYS, values.shape[1]):
        offset[:, day] = _offsets(values, day)
        base[:, day] = _baselines(values, offset[:, day], day)
        residuals[:, day] = np.log(values[:, day] + offset[:, day]) - base[:, day]
        centre[:, day], scale[:, day] = _spread(residuals[:, max(0, day - MEMORY_DAYS) : day], pools)
        bursty = np.flatnonzero(scale[:, day] > BURSTY_SCALE)
        bursts[bursty, day] = _bursts(values[bursty], day)
    return base, offset, residuals, centre, scale, bursts


def discoveries(score: Floats, rate: float) -> Flags:
    """Which of the scores of one day stand out of all of that day, so that at most `rate` of them are chance.

    Benjamini and Hochberg, Controlling the False Discovery Rate (1995): of m ordered p-values the largest k with
    p_k <= rate * k / m and all before it; p of a score is that of a standard normal variable that exceeds it.

    Args:
        score: one score for each series, NaN where it was not judged.
        rate: the expected share of chance among what is found, between 0 and 1.
    """
    found = np.zeros(score.shape, dtype=np.bool_)
    judged = np.count_nonzero(~np.isnan(score))
    if not judged:
        return found
    # a chance above the rate is never found: such scores, most of all, need no chance worked out
    high = np.flatnonzero(score > NormalDist().inv_cdf(1 - rate) - 1e-6)
    chances = np.array([0.5 * erfc(value / sqrt(2)) for value in score[high]])
    order = np.argsort(chances, kind="stable")
    below = chances[order] <= rate * np.arange(1, high.size + 1) / judged
    if below.any():
        found[high[order[: int(np.flatnonzero(below)[-1]) + 1]]] = True
    return found


def known_median(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The median of what is known in every row, and how much that is; NaN where nothing is."""
    ordered = np.sort(values, axis=1)  # NaN comes last
    known = np.count_nonzero(~np.isnan(ordered), axis=1)
    rows = np.arange(len(ordered))
    last = max(ordered.shape[1] - 1, 0)
    lower = ordered[rows, np.clip((known - 1) // 2, 0, last)]
    upper = ordered[rows, np.clip(known // 2, 0, last)]
    return np.where(known > 0, (lower + upper) / 2, np.nan), known


def _offsets(values: Floats, day: int) -> Floats:
    """What is added before the logarithm. A series that was zero all the time is held against the day itself."""
    window = values[:, max(0, day - MEMORY_DAYS) : day]
    middle, _ = known_median(np.where(window > 0, window, np.nan))
    usual = np.where(np.isnan(middle), values[:, day], middle)
    return np.where(usual > 0, OFFSET_RATIO * usual, np.nan)


def _baselines(values: Floats, offset: Floats, day: int) -> Floats:
    """The usual logarithm of this weekday; of all days of four weeks where the weekday is hardly known."""
    lags = [day - lag for lag in LAGS if day - lag >= 0]
    weekday, known = known_median(np.log(values[:, lags] + offset[:, None]))
    young = np.flatnonzero(known < 2)
    recent, seen = known_median(np.log(values[young, max(0, day - MEMORY_DAYS) : day] + offset[young, None]))
    weekday[young] = np.where(seen >= FEWEST_DAYS, recent, np.nan)
    return weekday


def _spread(residuals: Floats, pools: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Centre and scale of the residuals before a day."""
    middle, known = known_median(residuals)
    deviation, _ = known_median(np.abs(residuals - middle[:, None]))
    is_own = known >= FEWEST_RESIDUALS
    own = np.maximum(MAD_TO_SIGMA * deviation, LEAST_SCALE)
    pooled = np.full(len(own), PRIOR_SCALE)
    for pool in np.unique(pools[is_own]):
        within = pools == pool
        pooled[within] = np.median(own[within & is_own])
    return np.where(is_own, middle, 0.0), np.where(is_own, own, pooled)


def _bursts(values: Floats, day: int) -> Floats:
    """Standard deviations above the mean of the days before; NaN but for what no day before it reached, far above."""
    window = values[:, max(0, day - MEMORY_DAYS) : day]
    is_known = ~np.isnan(window)
    known = np.count_nonzero(is_known, axis=1)
    mean = np.where(is_known, window, 0.0).sum(axis=1) / np.maximum(known, 1)
    squares = np.where(is_known, (window - mean[:, None]) ** 2, 0.0).sum(axis=1)
    deviation = np.sqrt(squares / np.maximum(known, 1))
    above = (values[:, day] - mean) / np.where(deviation > 0, deviation, np.nan)
    is_highest = values[:, day] > np.where(is_known, window, 0.0).max(axis=1)
    return np.where((known >= FEWEST_RESIDUALS) & is_highest & (above > BURST_SCORE), above, np.nan)


def _level_alarms(score: Floats, sensitivity: Sensitivity) -> NDArray[np.int64]:
    """Page's running sum over every series at once: on an alarm's day the day on which the sum left zero, else -1."""
    count, days = score.shape
    alarms = np.full((count, days), -1, dtype=np.int64)
    total, start = np.zeros(count), np.zeros(count, dtype=np.int64)
    steps = np.nan_to_num(np.clip(score, -WINSOR, WINSOR) - sensitivity.slack, nan=0.0)
    for day in range(days):
        start = np.where(total > 0, start, day)
        total = np.maximum(0.0, total + steps[:, day])
        is_alarm = total > sensitivity.limit
        alarms[is_alarm, day] = start[is_alarm]
        total[is_alarm] = 0.0
    return alarms
