"""Lines of a bill that cannot be staged: told one by one with their payload, a bounded number at a time."""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from connectors.base import Reject, SourceError
from connectors.bills.files import Lines
from connectors.bills.statement import Statement
from connectors.exact import json_text

MANY = 10_000
"""Refused lines that are held at once, and lines that all are in another currency by no accident."""


def refusals(statement: Statement, lines: Lines, *, has_refused: bool) -> Iterator[tuple[Reject, ...]]:
    """The malformed records of a file, then its lines that break a rule; known once all lines were read.

    `has_refused` says whether there is any of the latter: looking for them reads the file again.

    Raises IncompleteDeliveryError as `Lines.malformed` does.
    """
    for found in (lines.malformed(), _refused(statement, lines) if has_refused else iter(())):
        while some := tuple(islice(found, MANY)):
            yield some


def is_other_currency(statement: Statement, rows: pa.Table) -> bool:
    """Whether each of the refused rows is in another currency than the settings say."""
    return all(
        any(statement.rule(name).reason == "wrong_currency" for name in broken.split(","))
        for broken in rows["_broken"].unique().to_pylist()
    )


def other_currency(statement: Statement, lines: Lines, count: int) -> SourceError:
    """The error for a file whose first `count` lines all are: the setting is wrong, not so many lines."""
    payload = lines.connection.sql(f"{statement.refused()} limit 1").fetchall()[0][3]
    rule = next(rule for rule in statement.shape.rules if rule.reason == "wrong_currency")
    found = _shown(statement.delivered(payload)[rule.column])
    return SourceError(
        f"{lines.page.name}: all of its first {count:,} lines are in {found} (column {rule.column}), and the setting "
        f"`currency` of this source is {rule.expected!r}: set `currency` to the bill's own, or check that the location "
        "holds the bill that was meant"
    )


def _refused(statement: Statement, lines: Lines) -> Iterator[Reject]:
    for batch in lines.connection.sql(statement.refused()).to_arrow_reader(MANY):
        for row, broken, cost, payload in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            rules = [statement.rule(name) for name in broken.split(",")]
            found = statement.delivered(payload)
            yield Reject(
                page_id=lines.page.page_id,
                row=row,
                reason=rules[0].reason,
                detail="; ".join(
                    f"{r.column}: found {_shown(found.get(r.column))}, expected {r.expected}" for r in rules
                ),
                payload=json_text(found),
                column_name=", ".join(dict.fromkeys(rule.column for rule in rules)),
                cost=None if any(rule.reason == "wrong_currency" for rule in rules) else cost,
            )


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(value if isinstance(value, str) else str(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
