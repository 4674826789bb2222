"""The lines of a landed page: each is a record, or the mark of a row that could not be read.

Here belongs: what every kind of landed line has in common. Here does not belong: what a record means.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

import orjson

from connectors.base import IncompleteDeliveryError, LandedPage, Reject
from connectors.logs.attempt import Record, RowError


def lines_of(page: LandedPage) -> Iterator[tuple[int, bytes]]:
    """Every line with its number, from 1. Raises IncompleteDeliveryError for one without an end."""
    with page.body.open() as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                raise IncompleteDeliveryError(
                    f"page {page.name} ends in the middle of row {number}; fetch the day again"
                )
            yield number, line


def record_of(line: bytes) -> dict[str, Any]:
    """The record. Raises RowError for what is none, and for the mark of a row that could not be read."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RowError("not_json", f"the landed row is no JSON ({error})") from None
    if not isinstance(record, dict):
        raise RowError("not_an_object", "the landed row is no JSON object")
    mark = record.get("unreadable")
    if isinstance(mark, dict):
        raise _unreadable(cast("Record", mark))
    return record


def reject_of(page_id: str, number: int, line: bytes, refusal: RowError, cost: Decimal | None) -> Reject:
    """A refused line: its place, why, and what was landed of it."""
    payload = line.decode("utf-8", "replace").rstrip("\n")
    return Reject(page_id, number, refusal.reason, refusal.detail, payload, refusal.column, cost)


def _unreadable(mark: Record) -> RowError:
    line = mark.get("line")
    where = f"line {line} of {mark.get('file')} ({mark.get('bytes')} bytes)" if line else str(mark.get("file"))
    if line is None:
        where = f"a row of {where}"
    if lacks := mark.get("lacks"):
        told = f"{mark.get('file')} has no column {lacks}, which this log has"
        remedy = "export the table with it, or correct the settings that say how its columns are called and divided"
        return RowError(str(mark.get("reason")), f"{told}; {remedy}")
    return RowError(
        str(mark.get("reason")),
        f"{where} could not be read as a logged attempt; nothing of it is kept, look at the file itself",
    )
