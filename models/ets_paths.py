"""Paths of an exponential smoothing model into the future: all paths of a series at once.

The fit is statsforecast's; its own simulation walks path by path in Python, which for a night's thousands of origins is
a hundred times slower. A test holds both against the same errors.

Here belongs: the recursion of the innovations state space model (Hyndman, Koehler, Ord and Snyder, 2008, section 2.5).
Here does not belong: estimation, what a series is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ADDITIVE, MULTIPLICATIVE, NONE = "A", "M", "N"


@dataclass(frozen=True)
class EtsState:
    """An ETS model where its history ends.

    `components` are error, trend and season (A additive, M multiplicative, N none) and whether the trend is damped.
    `season` holds the newest weekday's value first. `residuals` are those of the history, relative where the error is
    multiplicative.
    """

    components: str
    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    slope: float
    season: Floats
    residuals: Floats


def state_of(model: Mapping[str, Any]) -> EtsState:
    """The end of a fitted model of statsforecast, in the shape of its `model_`."""
    components = str(model["components"])
    alpha, beta, gamma, phi = (0.0 if np.isnan(value) else value for value in model["par"][:4])
    last = np.asarray(model["states"][-1], dtype=np.float64)
    has_trend = components[1] != NONE
    is_damped = components[3] == "D"
    season = last[1 + has_trend : 1 + has_trend + int(model["m"])]
    residuals = np.asarray(model["residuals"], dtype=np.float64)
    return EtsState(
        components,
        alpha,
        beta,
        gamma,
        phi if is_damped else 1.0,
        last[0],
        last[1] if has_trend else 0.0,
        season if components[2] != NONE else np.zeros(0),
        residuals[np.isfinite(residuals)],
    )


def ets_paths(state: EtsState, errors: Floats) -> Floats:
    """What follows the history when these errors happen.

    Args:
        state: where the history ends. Its trend is none or additive.
        errors: paths by days; of a multiplicative error relative to what is expected.

    Returns:
        Values, paths by days, in the unit of the history.
    """
    error, _, season_kind, _ = state.components
    count, horizon = errors.shape
    level, slope = np.full(count, state.level), np.full(count, state.slope)
    season = np.repeat(state.season[:, None], count, axis=1)
    paths = np.empty((count, horizon))
    for day in range(horizon):
        trend = level + state.phi * slope
        oldest = season[-1] if len(season) else np.zeros(count)
        expected = trend * oldest if season_kind == MULTIPLICATIVE else trend + oldest
        value = expected * (1 + errors[:, day]) if error == MULTIPLICATIVE else expected + errors[:, day]
        paths[:, day] = value
        without = value / oldest if season_kind == MULTIPLICATIVE else value - oldest
        smoothed = trend + state.alpha * (without - trend)
        if state.beta:
            slope = state.phi * slope + (state.beta / state.alpha) * (smoothed - level - state.phi * slope)
        else:
            slope = state.phi * slope
        if len(season):
            seen = value / trend if season_kind == MULTIPLICATIVE else value - trend
            season = np.vstack([oldest + state.gamma * (seen - oldest), season[:-1]])
        level = smoothed
    return paths
