"""Work on machines that may be taken away: how long it takes, how often to save it, and when spot is still cheaper.

Interruptions are taken to be memoryless, one in `mean_hours` on average. Every `interval` hours of work it is saved,
which takes `checkpoint` hours; after an interruption it starts again after `restart` hours from what was saved last.
Expected hours: E = M exp(R/M) (exp((tau + C)/M) - 1) work / tau; Daly's interval is close to the best tau: sqrt(2 C M)
(1 + sqrt(C/2M)/3 + (C/2M)/9) - C, and M where C is 2 M or more. Source: J. T. Daly, Future Generation Computer Systems
22 (2006), 303-312, equations 20 and 37.

Providers that take machines back at a fixed age (24 hours, say), or at certain hours, are not memoryless: measure then.

Here belongs: expected time. Here does not belong: prices over time (`spot`), which work may be interrupted.
"""

from dataclasses import dataclass
from math import exp, expm1, inf, isfinite, sqrt

_LONGEST = 700.0  # beyond it exp() has no double: the work never ends


@dataclass(frozen=True)
class Interruptions:
    """How often machines are taken away and what that costs; all in hours.

    Raises:
        ValueError: a figure is negative, endless or no number, or the mean is not above zero.
    """

    mean_hours: float
    checkpoint: float
    restart: float

    def __post_init__(self) -> None:
        figures = (self.mean_hours, self.checkpoint, self.restart)
        if not all(map(isfinite, figures)) or self.mean_hours <= 0 or min(figures) < 0:
            raise ValueError(
                f"{self.mean_hours} hours between interruptions, {self.checkpoint} to save, {self.restart} to restart: "
                "expected hours above zero, and none negative"
            )

    @property
    def best_interval(self) -> float:
        """Hours of work between two checkpoints: Daly's estimate; 0, all the time, where saving takes none."""
        half = self.checkpoint / (2 * self.mean_hours)
        if half >= 1:
            return self.mean_hours
        return sqrt(2 * self.checkpoint * self.mean_hours) * (1 + sqrt(half) / 3 + half / 9) - self.checkpoint

    def expected_hours(self, work: float, interval: float | None = None) -> float:
        """Hours until so many hours of work are done, saved every `interval` hours of work, by default the best one.

        Infinite where it cannot be expected to end. Without checkpoints at all, give the work itself as the interval.

        Raises:
            ValueError: the work or the interval is not above zero.
        """
        tau = self.best_interval if interval is None else interval
        if not 0 < work < inf or (tau <= 0 and self.checkpoint):
            raise ValueError(f"{work} hours of work, saved every {tau}: expected above zero")
        mean = self.mean_hours
        if max(self.restart, tau + self.checkpoint) / mean > _LONGEST:
            return inf
        if tau <= 0:  # saved all the time at no cost: nothing is lost but the restarts
            return work * exp(self.restart / mean)
        return work / tau * mean * exp(self.restart / mean) * expm1((tau + self.checkpoint) / mean)
