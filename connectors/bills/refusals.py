"""Lines of a bill that cannot be staged: told one by one with their payload, a bounded number at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import pyarrow as pa

from connectors.base import Reject, SourceError
from connectors.bills.files import Lines
from connectors.bills.shape import Rule
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


@dataclass(frozen=True)
class Foreign:
    """Lines of one file that all are in another currency: the one of the first, the column that says so."""

    currency: object
    rule: Rule
    page: str


def foreign(statement: Statement, lines: Lines, rows: pa.Table) -> Foreign | None:
    """What to tell of rows that all are refused, where each is in another currency than the settings say."""
    broken = [name.split(",") for name in rows["_broken"].unique().to_pylist()]
    rules = [statement.rule(name) for names in broken for name in names]
    told = next((rule for rule in rules if rule.reason == "wrong_currency"), None)
    if told is None or any(all(statement.rule(name).reason != told.reason for name in names) for names in broken):
        return None
    return Foreign(rows["billing_currency"][0].as_py(), told, lines.page.name)


@dataclass
class Currencies:
    """Whether the lines of a delivery, in the order in which they are told, all are in another currency."""

    count: int = 0
    is_mixed: bool = False
    pages: dict[str, None] = field(default_factory=dict[str, None])

    def note(self, count: int, found: Foreign | None) -> None:
        """Counts lines. Raises SourceError once many are in another currency and no line was anything else.

        The setting is wrong then, not so many lines.
        """
        self.is_mixed |= bool(count) and found is None
        if self.is_mixed or found is None:
            return
        self.count += count
        self.pages[found.page] = None
        if self.count >= MANY:
            first, others = next(iter(self.pages)), len(self.pages) - 1
            more = f" and {others} more of the delivery's files: all of their" if others else ": all of its"
            raise SourceError(
                f"{first}{more} first {self.count:,} lines are in {_shown(found.currency)} "
                f"(column {found.rule.column}), and the setting `currency` of this source is {found.rule.expected!r}: "
                "set `currency` to the bill's own, or check that the location holds the bill that was meant"
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
                cost=cost,
                currency=next((str(found[r.column]) for r in rules if r.reason == "wrong_currency"), None),
            )


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = repr(value if isinstance(value, str) else str(value))
    return text if len(text) <= 80 else f"{text[:77]}..."
