"""Shared pools: costs that several teams carry, and by which measure each of them is split.

Here belongs: what a pool is. Here does not belong: the order in which pools empty (`models.pool_order`), the weights
out of the log (`models.usage_weights`), the moves of money (`models.pool_moves`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Split(StrEnum):
    """What the cost of a pool is proportional to; AWS's split charges name the first three alike."""

    EVEN = "even"
    """Every team alike."""
    FIXED = "fixed"
    """Stated shares, of teams and of other pools."""
    DIRECT_COST = "direct_cost"
    """What the period's own charges cost each team before any pool is split; credits do not lower it."""
    PRICED_TOKENS = "priced_tokens"
    """What each team's requests cost at the price book, over the days of the charge."""
    GPU_SECONDS = "gpu_seconds"
    """The GPU seconds of the period that each team's own charges paid for."""
    METRIC = "metric"
    """A measure of the company's own, by month or day: seats, tickets."""
    WEIGHTED_TOKENS = "weighted_tokens"
    """Tokens of one self-hosted model, each class by its weight, over the days of the charge."""


@dataclass(frozen=True)
class Pool:
    """A shared cost and who carries it.

    Of a pool by weighted tokens, `token_weights` says how heavy one token of a class of `model_id` is against the
    others, not negative; a class that is not named weighs as the class that contains it, in the way of
    `models.tokens.PRICE_FALLBACKS`. Of an even and a fixed one, `shares` are whole weights by account (`team:...`, or
    `pool:...` for another pool) in any common measure. `metric_id` names what a pool by metric is split
    by. `team_ids` leaves all other teams out; empty, nobody.
    """

    pool_id: str
    model_id: str = ""
    token_weights: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    split: Split = Split.WEIGHTED_TOKENS
    shares: Mapping[str, int] = field(default_factory=dict[str, int])
    team_ids: tuple[str, ...] = ()
    metric_id: str = ""

    @property
    def account(self) -> str:
        """The pool's account in the ledger."""
        return f"pool:{self.pool_id}"
