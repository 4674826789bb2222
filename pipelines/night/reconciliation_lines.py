"""What a period's bills and logs say of each other, as statements tell it."""

from collections import defaultdict
from decimal import Decimal

import polars as pl

from reports.given import ReconciliationLine


def reconciliation_lines(summary: pl.DataFrame, causes: pl.DataFrame | None) -> tuple[ReconciliationLine, ...]:
    """One line a provider; `causes` as `reconciliation_by_cause`, None where they are not known."""
    by_provider: dict[str, dict[str, Decimal]] = defaultdict(dict)
    sums = () if causes is None else causes.group_by("provider_id", "cause").agg(pl.col("usd").sum()).iter_rows()
    for provider, cause, amount in sums:
        by_provider[provider][cause] = amount
    return tuple(
        _line(row, None if causes is None else by_provider[row["provider_id"]]) for row in summary.iter_rows(named=True)
    )


def _line(row: dict[str, object], causes: dict[str, Decimal] | None) -> ReconciliationLine:
    fields = {name: row[name] for name in ReconciliationLine.__dataclass_fields__ if name in row}
    return ReconciliationLine(**fields, causes=causes)  # type: ignore[arg-type]  # the contract's columns fit
