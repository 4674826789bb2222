"""What the board is made from: the rows of up to a year of months, all of one snapshot.

Here belongs: the shapes that the caller fills in. Here does not belong: any figure computed from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from reports.given import Period, SharedFacts


@dataclass(frozen=True)
class BoardMonth:
    """One month: all its rows of `chargeback` and `gpu_waste`, and what every page of it says alike.

    `gpu_hours` has the columns usage_date, hour (0-23, UTC), cluster, waste_layer, billing_currency, gpu_seconds and
    effective_cost; empty where hours are not known.
    """

    period: Period
    chargeback: pl.DataFrame
    gpu: pl.DataFrame
    gpu_hours: pl.DataFrame
    shared: SharedFacts


@dataclass(frozen=True)
class BoardRows:
    """Months, oldest first, of one currency and one snapshot; the last one is shown first.

    `tables` are other marts as the snapshot has them, by name. A mart that is not among them is not known, and the
    page says so.
    """

    months: tuple[BoardMonth, ...]
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
