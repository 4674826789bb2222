"""Sources that have rows in the lake and are no longer in the configuration: renamed, removed, or mistyped.

Their money still counts, because a typo must not make a bill vanish; and it is told until somebody decides, because a
renamed source counts twice. Withdrawing is that decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pyarrow.dataset as ds

from connectors.registry import SOURCES, source
from pipelines.house import House
from pipelines.lake import Delivery
from pipelines.lake.totals import plain, plus

CHARGES = "charges"


@dataclass(frozen=True)
class Stray:
    """A source without a configuration: its slices of one fact, and what is billed on them by currency."""

    name: str
    fact: str
    slices: Sequence[date]
    cost: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    twins: Sequence[str] = ()

    def text(self) -> str:
        """What it is, in words."""
        span = f"{self.slices[0]}" if len(self.slices) == 1 else f"{self.slices[0]} to {self.slices[-1]}"
        count = "1 slice" if len(self.slices) == 1 else f"{len(self.slices)} slices"
        money = ", ".join(f"{plain(cost)} {currency}" for currency, cost in sorted(self.cost.items()))
        return f"{self.name}: {count} of {self.fact} ({span}){f', billed {money}' if money else ''}"

    def warning(self) -> str:
        """What people must know and do."""
        twins = f"; it holds the same as {' and '.join(self.twins)}" if self.twins else ""
        return (
            f"{self.text()}{',' if self.cost else ''} in the lake, and no source of that name in the configuration: "
            f"still counted, and twice if it was renamed{twins}. Put the name back, or take it out: "
            f"farthing withdraw {self.name}"
        )


def strays(house: House, fact: str | None = None) -> list[Stray]:
    """Every source with rows in a staged fact (in all of them) that the configuration does not name."""
    configured = {settings.name for settings in house.config.sources}
    found: list[Stray] = []
    for table in [fact] if fact else sorted({source(kind).fact for kind in SOURCES}):
        standing = house.lake.standing(table)
        for name in sorted(standing.keys() - configured):
            days = standing[name]
            cost = _billed(house, name, days) if table == CHARGES else {}
            twins = [other for other in configured & standing.keys() if _is_twin(house, table, name, other, days)]
            found.append(Stray(name, table, days, cost, sorted(twins)))
    return found


def withdraw(house: House, found: Sequence[Stray]) -> list[Delivery]:
    """Takes them out of the lake; each slice is recorded."""
    return [delivery for stray in found for delivery in house.lake.withdraw(stray.fact, stray.name, house.run_id)]


def _billed(house: House, name: str, days: Sequence[date]) -> dict[str, Decimal]:
    """What the source's lines bill, by currency."""
    sums: dict[str, Decimal] = {}
    for day in days:
        rows = house.lake.dataset(CHARGES, day, date.fromordinal(day.toordinal() + 1))
        mine = rows.to_table(columns=["billing_currency", "billed_cost"], filter=ds.field("x_source") == name)
        for row in mine.group_by("billing_currency").aggregate([("billed_cost", "sum")]).to_pylist():
            sums[row["billing_currency"]] = plus(sums.get(row["billing_currency"]), row["billed_cost_sum"]) or Decimal(
                0
            )
    return sums


def _is_twin(house: House, fact: str, name: str, other: str, days: Sequence[date]) -> bool:
    """Whether a slice that both have holds as many rows in both, and the same money."""
    mine, theirs = ({d.slice_date: d for d in house.lake.in_place(fact, one)} for one in (name, other))
    return any(
        (mine[day].row_count, mine[day].total_cost) == (theirs[day].row_count, theirs[day].total_cost)
        for day in days
        if day in mine and day in theirs
    )
