"""Daily series with a week, a drift and noise, and what is injected into them: the truth that a detector is held to.

Here belongs: making the series. Here does not belong: judging them.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FIRST_DAY = 131
"""Column of the first injected day: a Saturday, when the columns begin with a Monday."""


def clean_series(count: int, days: int, noise: float, rng: np.random.Generator) -> Floats:
    """Series without anything unusual: level (lognormal around 1,000), week, drift and noise, multiplied.

    A weekend day is 30 to 60 % of a working day; every weekday is off by another 5 %; the drift is -0.2 to 0.3 % a
    day; noise is the standard deviation of the logarithm.
    """
    day = np.arange(days)
    weekend = np.where(day % 7 >= 5, rng.uniform(0.3, 0.6, (count, 1)), 1.0)
    weekday = np.exp(rng.normal(0, 0.05, (count, 7)))[:, day % 7]
    drift = np.exp(rng.uniform(-0.002, 0.003, (count, 1)) * day)
    level = 1000 * np.exp(rng.normal(0, 1, (count, 1)))
    return level * weekend * weekday * drift * np.exp(rng.normal(0, noise, (count, days)))


def spike(values: Floats, factor: float = 2.25) -> tuple[Floats, int, int]:
    """One day of that many times its cost."""
    return _times(values, FIRST_DAY, np.array([factor]))


def shift(values: Floats, factor: float = 1.5) -> tuple[Floats, int, int]:
    """Half as much again from one day on; looked for in its first two weeks."""
    return _times(values, FIRST_DAY, np.full(14, factor))


def ramp(values: Floats, factor: float = 2.0) -> tuple[Floats, int, int]:
    """A rise to the double within two weeks, which stays; looked for in its first four."""
    return _times(values, FIRST_DAY, np.minimum(1 + (factor - 1) * np.arange(28) / 14, factor))


def busy_weekend(values: Floats) -> tuple[Floats, int, int]:
    """A weekend as busy as the two days before it."""
    changed = values.copy()
    changed[:, FIRST_DAY : FIRST_DAY + 2] = values[:, FIRST_DAY - 2 : FIRST_DAY]
    return changed, FIRST_DAY, FIRST_DAY + 1


KINDS: Mapping[str, Callable[[Floats], tuple[Floats, int, int]]] = {
    "spike": spike,
    "shift": shift,
    "ramp": ramp,
    "busy weekend": busy_weekend,
}
"""What is injected: the changed series, and the first and last day on which it is to be found."""


def _times(values: Floats, first: int, factors: Floats) -> tuple[Floats, int, int]:
    changed = values.copy()
    last = first + len(factors) - 1
    changed[:, first : last + 1] *= factors
    changed[:, last + 1 :] *= factors[-1] if len(factors) > 1 else 1.0
    return changed, first, last
