"""What was found of an account: the shape that `savings` gathers cells, doubts and counts in.

Here belongs: that shape. Here does not belong: what is found.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from models.waterfall import Cell

Account = tuple[str, str]
"""Account and currency."""


@dataclass
class Findings:
    """What was found of one account in one currency.

    Attributes:
        basis: cost of all that was looked at: the log at the price book, GPUs, unused commitments.
        cells: costs on which levers act.
        unproven: by lever and reason, cost that the lever concerns and of which nothing can be said.
        captured: by lever, what it already saves, where that is known.
        rows: by lever, how many rows its evidence has.
    """

    basis: Decimal = Decimal(0)
    cells: list[Cell] = field(default_factory=list[Cell])
    unproven: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    captured: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    rows: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))


def week_of(day: pl.Expr) -> pl.Expr:
    """The week of the month: days 1 to 7 are the first."""
    return (day.dt.day() - 1) // 7
