"""What does not hold in a batch: a whole row is refused, or one value of it is left out.

A refused row keeps its payload and, where it can be read, its cost, so that no money leaves the accounts unseen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import orjson
import polars as pl

from connectors.base import Reject
from connectors.exact import at_scale, read_decimal
from connectors.focus.batch import Batch

WRONG_CURRENCY = "wrong_currency"


@dataclass(frozen=True)
class Finding:
    """Rows (`mask`) in which `column` does not hold.

    `refuses`: the row cannot be staged; otherwise its value is NULL, and `x_extra` holds what was found.
    """

    mask: pl.Series
    reason: str
    column: str
    expected: str
    refuses: bool = True


def refused_rows(findings: Sequence[Finding], height: int) -> pl.Series:
    """Which rows cannot be staged."""
    refused = pl.repeat(value=False, n=height, eager=True, dtype=pl.Boolean)
    for finding in findings:
        if finding.refuses:
            refused |= finding.mask
    return refused


def rejects(batch: Batch, findings: Sequence[Finding], page_id: str, costs: pl.Series) -> list[Reject]:
    """One reject for each refused row: its first reason counts, its detail names everything that does not hold.

    `costs` holds what each row is billed, as text.
    """
    refused = refused_rows(findings, batch.frame.height)
    by_row: dict[int, list[Finding]] = {index: [] for index in refused.arg_true()}
    for finding in sorted(findings, key=lambda f: not f.refuses):
        for index in (finding.mask & refused).arg_true():
            by_row[index].append(finding)
    return [_reject(batch, index, group, page_id, costs[index]) for index, group in by_row.items()]


def _reject(batch: Batch, index: int, group: Sequence[Finding], page_id: str, cost: str | None) -> Reject:
    row = batch.frame.row(index, named=True)
    first = group[0]
    return Reject(
        page_id=page_id,
        row=batch.rows[index],
        reason=first.reason,
        detail="; ".join(
            dict.fromkeys(f"{f.column}: found {_shown(row.get(f.column))}, expected {f.expected}" for f in group)
        ),
        payload=orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str).decode(),
        column_name=", ".join(dict.fromkeys(f.column for f in group)),
        cost=_cost(cost),
        currency=next((str(row.get(f.column)) for f in group if f.reason == WRONG_CURRENCY), None),
    )


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(str(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _cost(text: str | None) -> Decimal | None:
    number = None if text is None else read_decimal(text)
    return None if number is None else at_scale(number)
