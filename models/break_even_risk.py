"""How sure a break-even is: the plan with its assumptions drawn at random, and one assumption at a time.

Throughput is lognormal (coefficient of variation 0.3); where nothing was measured and a published peak stands in, it is
anything from 0.35 to 0.7 of that, whose middle the plan has. The GPU price is within 15 %, traffic grows by a normal
0 +- 20 %, what goes with GPUs is triangular between 3 % and 8 %, and the API's price falls by up to a half in the year
that is planned. Draws are seeded: the same plan has the same answer. Each assumption's own swing is the saving at its
tenth and ninetieth percentile, the others at their median.

Here belongs: chance. Here does not belong: the arithmetic of a plan (`break_even`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.break_even import Plan, Serving, Traffic

DRAWS = 10_000
DERATED = 0.525
"""What a published peak is multiplied by where it stands in for a measured rate: the middle of 0.35 to 0.7."""

_OF_PEAK = (0.35, 0.7)
_SEED = 20_260_101
_SPREAD = np.sqrt(np.log(1 + 0.3**2))

Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Swing:
    """An assumption, and the monthly saving at its tenth and its ninetieth percentile."""

    assumption: str
    low: float
    high: float

    @property
    def width(self) -> float:
        """How much hangs on it."""
        return abs(self.high - self.low)


@dataclass(frozen=True)
class Risk:
    """What chance leaves of a saving: how likely there is one, and the monthly saving's percentiles.

    `swings` are in order of how much hangs on them.
    """

    probability: float
    p10: float
    p50: float
    p90: float
    swings: tuple[Swing, ...]


def risk(traffic: Traffic, plan: Plan, api_cost: float, *, draws: int = DRAWS, is_measured: bool = True) -> Risk:
    """Draws the assumptions of a plan against an API's monthly cost; savings in its currency.

    `is_measured` says whether the plan's rates are, or are `DERATED` published peaks. Traffic and throughput act alike
    on the work, so that costs are read from a curve over their ratio: 400 points, each a plan staffed in full.

    Raises:
        ValueError: as `break_even`, or fewer than a hundred draws.
    """
    if draws < 100:
        raise ValueError(f"{draws} draws: expected a hundred at least")
    given = assumptions(draws, is_measured=is_measured)
    curve = _Curve(traffic, plan, given["traffic"] / given["throughput"])
    savings = _saving(given, curve, plan, api_cost)
    middle = {name: np.full(2, np.median(drawn)) for name, drawn in given.items()}
    swings = [
        Swing(name, *_saving(middle | {name: np.quantile(drawn, [0.1, 0.9])}, curve, plan, api_cost).tolist())
        for name, drawn in given.items()
    ]
    p10, p50, p90 = np.quantile(savings, [0.1, 0.5, 0.9]).tolist()
    ordered = tuple(sorted(swings, key=lambda swing: (-swing.width, swing.assumption)))
    return Risk(np.mean(savings > 0).item(), p10, p50, p90, ordered)


def assumptions(draws: int, *, is_measured: bool = True) -> dict[str, Draws]:
    """The factors of each draw: all 1 but for the overhead, which is a share of the GPUs' cost."""
    chance = np.random.default_rng(_SEED)
    measured = np.exp(chance.normal(-(_SPREAD**2) / 2, _SPREAD, draws))
    return {
        "throughput": measured if is_measured else np.random.default_rng(_SEED).uniform(*_OF_PEAK, draws) / DERATED,
        "gpu_price": chance.uniform(0.85, 1.15, draws),
        "traffic": np.maximum(chance.normal(1.0, 0.2, draws), 0.05),
        "overhead": chance.triangular(0.03, 0.05, 0.08, draws),
        "api_price": 1 - chance.uniform(0.0, 0.5, draws) / 2,  # the mean of a year in which it falls evenly
    }


class _Curve:
    """Replica-hours a month over the work's multiple, between points that are staffed in full."""

    def __init__(self, traffic: Traffic, plan: Plan, ratios: Draws) -> None:
        self._at = np.geomspace(min(ratios.min(), 0.2), max(ratios.max(), 5.0), 400)
        self._hours = np.array([Serving.of(traffic, plan, multiple).replica_hours for multiple in self._at.tolist()])

    def replica_hours(self, multiples: Draws) -> Draws:
        return np.interp(multiples, self._at, self._hours)


def _saving(given: Mapping[str, Draws], curve: _Curve, plan: Plan, api_cost: float) -> Draws:
    hours = curve.replica_hours(given["traffic"] / given["throughput"])
    gpus = hours * plan.gpus * plan.gpu_hour_cost * given["gpu_price"]
    return api_cost * given["traffic"] * given["api_price"] - gpus * (1 + given["overhead"]) - plan.fixed_monthly_cost
