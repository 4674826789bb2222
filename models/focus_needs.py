"""On which rows FOCUS allows no NULL, on how many of them the value is not known, and what bills say against it.

The words are those of `needs` in `contracts/focus.yml`. Source: the nullability rules of FOCUS 1.2, ServiceCategory,
ListCost and ContractedCost. Here belongs: which rows. Here does not belong: what is done about it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from contracts.focus import focus_mapping

_CORRECTION = pl.col("ChargeClass").fill_null("") == "Correction"
_USAGE = pl.col("ChargeCategory") == "Usage"
_CHARGE = pl.col("ChargeCategory").is_in(["Usage", "Purchase"])
_HAS_COMMITMENT = pl.col("CommitmentDiscountId").is_not_null()
_IS_UNUSED = pl.col("CommitmentDiscountStatus").fill_null("") == "Unused"
_NEEDS: Mapping[str, pl.Expr] = {
    "always": pl.lit(value=True),
    "priced": _CHARGE & ~_CORRECTION,
    "usage": _USAGE & ~_IS_UNUSED & ~_CORRECTION,
    "committed": _HAS_COMMITMENT,
    "committed_usage": _HAS_COMMITMENT & _USAGE,
    "committed_charge": _HAS_COMMITMENT & _CHARGE & ~_CORRECTION,
    "reserved": pl.col("CapacityReservationId").is_not_null() & _USAGE,
}
"""Rows by the mapping's word; any other word is the column that must not stand without this one."""

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Unknown:
    """A column whose value is not known on `row_count` of the `needed_count` rows on which the standard wants it."""

    column: str
    row_count: int
    needed_count: int
    sources: tuple[str, ...]


def unknown_values(rows: pl.DataFrame, version: str) -> list[Unknown]:
    """What the standard wants and nobody told, column by column of that version.

    Args:
        rows: frame in the shape of `focus_cost_and_usage`.
        version: of the standard.
    """
    found: list[Unknown] = []
    for name, column in focus_mapping().columns.items():
        is_told = rows[name].null_count() < rows.height
        if column.needs is None or not column.is_in(version) or focus_mapping().is_left_out(name, is_told=is_told):
            continue
        is_needed = _NEEDS.get(column.needs, pl.lit(value=True))
        if column.needs not in _NEEDS:
            is_needed = pl.col(column.needs).is_not_null()
        needed = rows.filter(is_needed)
        lacking = needed.filter(pl.col(name).is_null())
        if not lacking.is_empty():
            sources = tuple(sorted(lacking["x_SourceName"].unique()))
            found.append(Unknown(name, lacking.height, needed.height, sources))
    return found


def contradictions(rows: pl.DataFrame) -> list[str]:
    """What bills say that the standard does not allow, in words: it is exported as they say it.

    Args:
        rows: frame in the shape of `focus_cost_and_usage`.
    """
    services = rows.group_by("ServiceName").agg(pl.col("ServiceCategory").unique().sort())
    several = services.filter(pl.col("ServiceCategory").list.len() > 1).sort("ServiceName")
    found = [f"{name} stands under {' and '.join(kinds)}" for name, kinds in several.iter_rows()]
    for kind in ("List", "Contracted"):
        count = rows.filter(~_CORRECTION, _differs(f"{kind}UnitPrice", f"{kind}Cost")).height
        if count:
            found.append(f"{kind}Cost is not {kind}UnitPrice times PricingQuantity on {count:,} rows")
    return found


def _differs(price: str, cost: str) -> pl.Expr:
    """Whether they differ by more than a billionth, as the official validator compares them."""
    amounts = {name: pl.col(name).cast(pl.Float64) for name in (price, "PricingQuantity", cost)}
    difference = (amounts[price] * amounts["PricingQuantity"] - amounts[cost]).abs()
    return (difference > pl.max_horizontal(amounts[cost].abs(), pl.lit(1.0)) * _TOLERANCE).fill_null(value=False)
