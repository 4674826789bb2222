"""What a gateway no longer holds, or never stored: its log has a limit, and beyond it rows are lost.

A gap is landed as a page of its own beside the log's, so that every later reading tells it too.
"""

from collections.abc import Iterable
from datetime import timedelta

import orjson

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Page, Window
from connectors.cloudflare.client import Client, Kept
from connectors.logs.instants import instant_of, microseconds

_MARK = b'{"gap":'
_DELETES = "DELETE_OLDEST"


def gap_of(client: Client, window: Window) -> Page | None:
    """The page that tells why rows of the window may be missing; None where the log reaches around it.

    A log that is full tells: one that stops has no row after its newest, one that deletes none before its oldest.
    """
    kept = client.kept()
    if kept.most_rows is None:
        return None
    deletes = kept.strategy == _DELETES
    rows, stored = client.edge(newest=not deletes)
    edge = str(rows[0].get("created_at")) if rows else None
    reached = microseconds(edge)
    if stored is None or stored < kept.most_rows or reached is None:
        return None
    if deletes and reached <= instant_of(window.start):
        return None
    if not deletes and reached >= instant_of(window.end - timedelta(milliseconds=1)):
        return None
    return _page(kept, deletes, edge, window)


def is_gap(page: LandedPage) -> bool:
    """Whether a landed page tells of a gap and is no part of the log."""
    with page.body.open() as stream:
        return stream.read(len(_MARK)) == _MARK


def notices_of(pages: Iterable[LandedPage]) -> tuple[str, ...]:
    """What people should know of the gaps. Raises IncompleteDeliveryError for a page that is cut off."""
    found: list[str] = []
    for page in pages:
        with page.body.open() as stream:
            content = stream.read()
        if not content.endswith(b"\n"):
            raise IncompleteDeliveryError(f"page {page.name} ends too early; fetch the day again")
        said = orjson.loads(content)["gap"]
        what = "deletes its oldest rows" if said["deletes"] else "stores no more rows"
        reach = "its oldest row is" if said["deletes"] else "its newest row is"
        found.append(
            f"{said['day']}: the gateway keeps {said['most_rows']:,} rows, has reached them and {what}; {reach} of "
            f"{said['edge']}: requests of this day are missing. Raise the gateway's log limit, or read it more often"
        )
    return tuple(found)


def _page(kept: Kept, deletes: bool, edge: str | None, window: Window) -> Page:
    day = window.slice_date.isoformat()
    said = {"day": day, "most_rows": kept.most_rows, "deletes": deletes, "edge": edge}
    return Page(f"{day}/gap.json", Bytes(orjson.dumps({"gap": said}, option=orjson.OPT_APPEND_NEWLINE)))
