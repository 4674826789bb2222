"""What a kind of outcome is: which requests serve it, how it meets them, and what of it is a success.

Here belongs: the declaration, resolved. Here does not belong: the file that declares it (`pipelines.config.outcomes`),
events (`models.outcome_events`), figures (`models.unit_costs`).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

HORIZON_DAYS = 35
"""How long after a request an outcome may come, and after an outcome its reversal: five weeks, a month and its end."""

GRACE_MINUTES = 10
"""How long before its request an outcome may be told: clocks differ."""

TRACE_ID, OPERATION = "trace_id", "operation"
"""Ways to name a trace that every log has; any other is a key of request metadata (`outcome_keys` of the log)."""

CUSTOMER, USER = "customer", "user"
"""Keys that every log has likewise."""

Origin = Literal["events", "scores", "gateway"]
Touch = Literal["last", "linear"]


@dataclass(frozen=True)
class OutcomeKind:
    """A kind of outcome, as the company declares it.

    `features` are those whose requests serve it; empty, every request that carries the id named by `trace` does.
    `trace` is `trace_id`, `operation` or a key of request metadata; `key` is `customer`, `user`, such a key or None.
    An event is a success if its result is one of `successes` (empty: if the source says so) and its quality reaches
    `least_quality`. Qualities lie between `quality_from`, which is worth nothing, and `quality_to`, which is worth 1.
    With `failures`, only results that are successes, failures or reversals say anything of it; empty, every event does.
    `human_cost_usd` is what a case costs that people must finish. `score` is the name of the score it is read from.
    """

    name: str
    origin: Origin = "events"
    features: tuple[str, ...] = ()
    trace: str = TRACE_ID
    key: str | None = None
    touch: Touch = "last"
    window_hours: int = 24
    successes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    reversals: tuple[str, ...] = ()
    least_quality: Decimal | None = None
    quality_from: Decimal = Decimal(0)
    quality_to: Decimal = Decimal(1)
    maturity_days: int = 7
    least_successes: int = 30
    human_cost_usd: Decimal | None = None
    score: str | None = None
