"""How sure a sum over days is, from the days' residuals: Student's interval, widened where days hang together.

Variances of the sides add up; each side has lost a degree of freedom for every weekday that it was fitted to. What one
day has in common with the next widens by (1 + r) / (1 - r) and leaves as many fewer days to tell from.

Here belongs: half an interval from residuals. Here does not belong: what the residuals are of.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from math import inf, sqrt

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95
_MOST_CORRELATION = 0.9
_LEAST_FREEDOM = 2.0  # below, Student's distribution has no spread to speak of


def half_width(*sides: Mapping[date, float]) -> float:
    """Half of the interval of a sum, from each side's residuals by day, in their unit; infinite of too few days."""
    variance, freedom = 0.0, 0.0
    correlation = _correlation(sides)
    widened = (1 + correlation) / (1 - correlation)
    for residuals in sides:
        groups = len({day.weekday() for day in residuals})
        left = len(residuals) - groups
        if left <= 0:
            return inf
        variance += sum(value * value for value in residuals.values()) * len(residuals) / left
        freedom += left
    return _student(max(freedom / widened, _LEAST_FREEDOM)) * sqrt(variance * widened)


def _student(freedom: float) -> float:
    """By how many standard errors the interval reaches to either side."""
    return np.float64(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def _correlation(sides: Iterable[Mapping[date, float]]) -> float:
    """The residuals' correlation from day to day, 0 at least, with its bias in short series taken out.

    Taking out means lowers it by about (1 + 3r) / days: Kendall, 1954, and Marriott and Pope, 1954.
    """
    products, squares, count = 0.0, 0.0, 0
    for residuals in sides:
        size = sqrt(sum(value * value for value in residuals.values())) or 1.0
        scaled = {day: value / size for day, value in residuals.items()}
        products += sum(value * scaled.get(day + timedelta(days=1), 0.0) for day, value in scaled.items())
        squares += sum(value * value for value in scaled.values())
        count += len(residuals)
    if not squares:
        return 0.0
    found = products / squares
    return min(max(found + (1 + 3 * found) / count, 0.0), _MOST_CORRELATION)
