"""A day's minutes of the models that are sold as provisioned throughput, packed so that a month of them is small.

Here belongs: what advice needs of a day. Here does not belong: how many units to hold (`provisioned_advice`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.frames import require

Model = tuple[str, str]
"""Model and region."""

DAY_MINUTES = 24 * 60
TIERS = ("default", "provisioned")
"""Whose minutes units could serve: what was paid by the token at once, and what units serve already."""

_COUNTS = ("input_tokens", "cached_tokens", "output_tokens")


@dataclass(frozen=True)
class DayMinutes:
    """A model's minutes of one or more days that have tokens, and what those with a price cost on the standard tier.

    Attributes:
        counts: a minute each: input tokens to compute, cached ones, output tokens.
        priced: the sums of those that were paid by the token and have a price.
        cost: what they cost, in US dollars.
        unpriced_tokens: tokens on the standard tier without a price.
        has_units: whether units that are deployed already served some.
        unmetered_attempts: attempts of whose tokens the log tells nothing.
    """

    counts: NDArray[np.int64]
    priced: tuple[int, int, int]
    cost: Decimal
    unpriced_tokens: int
    has_units: bool
    unmetered_attempts: int

    @property
    def is_by_token(self) -> bool:
        """Whether any token was paid by itself, at a price or none."""
        return self.unpriced_tokens > 0 or any(self.priced)


def day_minutes(rows: pl.DataFrame) -> dict[Model, DayMinutes]:
    """By model and region; rows of a day in the shape of `provisioned_minutes`. Raises ValueError for another shape."""
    told = require(rows, "provisioned_minutes")
    return {
        (f"{key[0]}", f"{key[1]}"): packed(group)
        for key, group in told.group_by("model_id", "region_id", maintain_order=True)
    }


def packed(rows: pl.DataFrame) -> DayMinutes:
    """One model's rows in the shape of `provisioned_minutes`, summed by what `minute_start` has in them."""
    metered = rows.drop_nulls(_COUNTS)
    minutes = metered.group_by("minute_start").agg(pl.col(_COUNTS).sum()).sort("minute_start")
    standard = metered.filter(pl.col("service_tier") == "default")
    priced, unpriced = standard.filter("is_priced"), standard.filter(~pl.col("is_priced"))
    fresh, cached, output = (sum(priced[name].to_list()) for name in _COUNTS)
    costs: Iterable[Decimal] = priced["priced_cost_usd"].to_list()
    return DayMinutes(
        minutes.select(_COUNTS).to_numpy().astype(np.int64),
        (fresh, cached, output),
        sum(costs, Decimal(0)),
        sum(sum(unpriced[name].to_list()) for name in _COUNTS),
        bool((rows["service_tier"] == "provisioned").any()),
        sum(rows["unmetered_attempts"].to_list()),
    )
