"""What the lines of a bill weigh: how many they are and what they cost, as they stand and as they came.

Here belongs: the figures by which a delivery and the slice that it would replace are compared.
Here does not belong: whether the difference is believed (judge).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow.dataset as ds

from connectors.bills.engine import engine
from pipelines.lake.rows import Written
from pipelines.lake.stage import Order
from pipelines.lake.tables import Tables

LATE = timedelta(days=3)
"""How long after its end a day of a running month still gains lines: clouds bill usage up to so much later."""

_FIGURES = (
    "billing_currency, count(*), sum(billed_cost), sum(effective_cost), sum(abs(billed_cost)), sum(abs(effective_cost))"
)


@dataclass(frozen=True)
class Weight:
    """Lines of one currency: their number, their costs, and the same without regard to signs."""

    rows: int = 0
    billed: Decimal = Decimal(0)
    effective: Decimal = Decimal(0)
    gross_billed: Decimal = Decimal(0)
    gross_effective: Decimal = Decimal(0)


_NONE = Weight()


@dataclass(frozen=True)
class Weights:
    """What was and what came, by currency.

    `is_closed`: all of the slice, whose window had ended before; else only what was charged for days that had settled
    when the slice in place was delivered.
    """

    is_closed: bool
    before: dict[str, Weight] = field(default_factory=dict[str, Weight])
    now: dict[str, Weight] = field(default_factory=dict[str, Weight])

    def pairs(self) -> list[tuple[str, Weight, Weight]]:
        """Currency, before, now; what one side lacks weighs nothing."""
        return [(c, self.before.get(c, _NONE), self.now.get(c, _NONE)) for c in sorted({*self.before, *self.now})]


def weighed(tables: Tables, order: Order, written: Sequence[Written], delivered_at: datetime) -> Weights:
    """A bill's slice as it stands against the lines that came, of which all is compared or only what had settled.

    Args:
        tables: the lake's tables.
        order: whose slice.
        written: the lines that came, staged.
        delivered_at: when the slice in place was delivered, or last confirmed.
    """
    is_closed = delivered_at >= order.window.end
    until = None if is_closed else delivered_at - LATE
    day = order.slice_date
    standing = tables.dataset(order.fact, day, day + timedelta(days=1)).filter(ds.field("x_source") == order.name)
    with engine() as connection:
        connection.register("standing", standing)
        before = _weights(connection, "standing", [until])
        now = _weights(connection, "read_parquet(?)", [[str(piece.file) for piece in written], until])
    return Weights(is_closed, before, now)


def _weights(connection: duckdb.DuckDBPyConnection, lines: str, values: list[object]) -> dict[str, Weight]:
    query = f"select {_FIGURES} from {lines} where coalesce(charge_period_end <= ?, true) group by billing_currency"
    return {currency: Weight(*figures) for currency, *figures in connection.execute(query, values).fetchall()}
