"""Landed pages of outcomes as rows of the fact: the same for files and for databases."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from connectors.base import LandedPage, Parsed, Reject, Window
from connectors.logs.attempt import RowError, json_text
from connectors.logs.instants import instant_of
from connectors.logs.landed import lines_of, record_of, reject_of
from connectors.logs.withheld import take_out_withheld
from connectors.outcomes.reading import ESSENTIAL, staged_outcome
from connectors.outcomes.settings import Mapped
from contracts import contract


def stage(settings: Mapped, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
    """Rows of `outcomes`, in one chunk: a day of outcomes is small.

    Rows that say the very same are one; two events of one outcome id are two rows, and what they mean together is
    decided where outcomes are counted. Raises IncompleteDeliveryError for a page that ends in the middle of a row.
    """
    rows, rejects = list[dict[str, Any]](), list[Reject]()
    unknown, seen, repeated = set[str](), set[bytes](), 0
    for page in sorted(pages, key=lambda page: page.digest):
        for number, line in lines_of(page):
            try:
                record = record_of(line)
                refused = take_out_withheld(record, ESSENTIAL)
                row = staged_outcome(settings, record)
                _require_inside(window, row["occurred_at"])
            except RowError as refusal:
                rejects.append(reject_of(page.page_id, number, line, refusal, None))
                continue
            said = blake2b(json_text(row).encode(), digest_size=16).digest()
            if said in seen:
                repeated += 1
                continue
            seen.add(said)
            unknown |= record.keys() - set(settings.fields)
            rejects += [reject_of(page.page_id, number, line, refusal, None) for refusal in refused]
            rows.append(row | {"x_page": page.page_id, "x_row": number})
    told = tuple(f"field {name} is not known; it is kept in x_extra" for name in sorted(unknown))
    yield Parsed(_table(settings, window, rows), tuple(rejects), repeated, notices=told)


def _require_inside(window: Window, occurred: int) -> None:
    if not instant_of(window.start) <= occurred < instant_of(window.end):
        raise RowError("outside_window", "it happened on another day than the one that was read", "occurred_at")


def _table(settings: Mapped, window: Window, rows: list[dict[str, Any]]) -> pa.Table:
    for row in rows:
        row["x_source"], row["x_slice_date"] = settings.name, window.slice_date
        row["x_extra"] = json_text(row["x_extra"]) if row["x_extra"] else None
    schema = contract("outcomes").arrow_schema()
    return pa.Table.from_arrays(
        [pa.array([row.get(column.name) for row in rows], column.type) for column in schema], schema=schema
    )
