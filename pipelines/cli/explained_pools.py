"""On the page: who carries each shared pool that money came through, by which weight, and what that comes to.

Days on which a pool was split by the same weights are told together. Here does not belong: any check of the sums.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.cli.explained_amounts import plain
from pipelines.explain.pool_weights import RECEIVED, SET
from reports.money import exact_sum

SETS_SHOWN = 4
RECEIVERS_SHOWN = 12
_WEIGHED = ("to_account", "feature", "basis", "weight", "whole_weight", "share_ratio")
_POOL = ("origin", "period", "from_account", "billing_currency")
Row = dict[str, Any]


def without_receivers(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of the level that are parts of the figure."""
    return rows.filter(pl.col("is_asked").is_null()) if "is_asked" in rows.columns else rows


def pool_tables(rows: pl.DataFrame, cost: str, *, everything: bool) -> Iterator[str]:
    """A table for each pool and set of weights, those of most money first; none where no pool is behind the figure."""
    if "is_asked" not in rows.columns:
        return
    tables = sorted(_tables(rows.filter(pl.col("is_asked").is_not_null()), cost), key=_size, reverse=True)
    shown = tables if everything else tables[:SETS_SHOWN]
    for table in shown:
        yield ""
        yield from _table(table, everything=everything)
    if len(tables) > len(shown):
        yield f"  {len(tables) - len(shown)} more tables of weights, of other days or pools (--all, or --format csv)"


def _tables(rows: pl.DataFrame, cost: str) -> list[list[Row]]:
    """Receivers by pool and weights, each with its money of all days on which these were the weights."""
    found: dict[tuple[object, ...], dict[tuple[object, ...], Row]] = {}
    for _, own in rows.group_by(SET, maintain_order=True):
        several = own.to_dicts()
        weights = tuple(tuple(row[name] for name in _WEIGHED) for row in several)
        table = found.setdefault((*(several[0][name] for name in _POOL), weights), {})
        for row, weight in zip(several, weights, strict=True):
            amount = row[RECEIVED[0] if cost == "effective_cost" else RECEIVED[1]]
            before = table.setdefault(weight, row | {"money": Decimal(0)})
            before["money"] = exact_sum([before["money"], amount])
            for name, pick in (("first_day", min), ("last_day", max)):
                before[name] = pick((day for day in (before[name], row[name]) if day is not None), default=None)
    return [list(table.values()) for table in found.values()]


def _size(table: Sequence[Row]) -> Decimal:
    return exact_sum(abs(row["money"]) for row in table)


def _table(table: Sequence[Row], *, everything: bool) -> Iterator[str]:
    first, whole = table[0], exact_sum(row["money"] for row in table)
    ordered = sorted(table, key=lambda row: (-(row["share_ratio"] or 0), row["to_account"], row["feature"] or ""))
    shown = ordered if everything else [*ordered[:RECEIVERS_SHOWN], *filter(_asked, ordered[RECEIVERS_SHOWN:])]
    rest = [] if everything else [row for row in ordered[RECEIVERS_SHOWN:] if not _asked(row)]
    days = _days(first)
    origin = "" if first["origin"] == "posted" else f" ({first['origin']})"
    yield (
        f"  {first['from_account']}{origin} gave {plain(whole)} {first['billing_currency']} of these charges{days}; "
        f"{_basis(table)}"
    )
    total = next((row["whole_weight"] for row in table if row["whole_weight"] is not None), None)
    cells = [(_amount(row["weight"]), _share(row["share_ratio"]), plain(row["money"]), _who(row)) for row in shown]
    if rest:
        weights = [row["weight"] for row in rest]
        weight = _amount(exact_sum(weights)) if None not in weights else "-"
        ratio = sum(row["share_ratio"] or 0 for row in rest)
        cells.append((weight, _share(ratio), plain(exact_sum(row["money"] for row in rest)), f"{len(rest)} more"))
    cells = [("weight", "share", "money", "to"), *cells]
    cells.append((_amount(total), "100 %" if total is not None else "-", plain(whole), "together"))
    widths = [max(len(cell[at]) for cell in cells) for at in range(3)]
    for cell in cells:
        amounts = "  ".join(text.rjust(width) for text, width in zip(cell, widths, strict=False))
        yield f"    {amounts}  {cell[3]}"


def _days(row: Row) -> str:
    first, last = row["first_day"], row["last_day"]
    if first is None:
        return ""
    return f" on {first}" if first == last else f" from {first} to {last}"


def _basis(table: Sequence[Row]) -> str:
    """Every reason and unit once; where there are weights, that it is them."""
    found = dict.fromkeys((f"weights: {row['basis']}" if row["weight"] is not None else row["basis"]) for row in table)
    return "; ".join(found)


def _asked(row: Row) -> bool:
    return bool(row["is_asked"])


def _who(row: Row) -> str:
    feature = f", {row['feature']}" if row["feature"] else ""
    return f"{row['to_account']}{feature}{'  <- asked about' if row['is_asked'] else ''}"


def _amount(weight: Decimal | None) -> str:
    if weight is None:
        return "-"
    return f"{weight:,.0f}" if weight == weight.to_integral_value() else plain(weight)


def _share(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio * 100:.2f} %"
