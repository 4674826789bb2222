"""The activity report: what a page of it says, and what all of its rows have in common.

Here belongs: reading. Here does not belong: asking, and which facts the rows feed.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from typing import Any

from connectors.base import Body, LandedPage, Parsed, SourceError, Window
from connectors.exact import read_time
from connectors.fields import JsonRow, RowError, shown, text
from connectors.gathered import Gathered, StagedRow, read_document

PROVIDER = "OpenRouter"

COUNTED = frozenset(
    {"usage", "byok_usage_inference", "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens"}
)
_NAMED = frozenset({"date", "model", "model_permaslug", "endpoint_id", "provider_name", "workspace_id"})


def read_activity(body: Body, name: str) -> list[Any]:
    """The rows of a page.

    Raises IncompleteDeliveryError when it is cut off, SourceError when it is no page of this report, an error say.
    """
    found = read_document(body, name)
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        error = found.get("error") if isinstance(found, dict) else None
        said = f"it says {shown(error)}" if error else f"it begins with {shown(found)}"
        raise SourceError(f"{name}: expected a page of activity ('data' with rows); {said}")
    return found["data"]


def gather(gathered: Gathered, pages: Iterable[LandedPage], stage: Callable[[Any], StagedRow]) -> Iterator[Parsed]:
    """Every chunk but the last. Raises IncompleteDeliveryError when two pages contradict each other."""
    for landed in sorted(pages, key=lambda page: page.digest):
        for number, row in enumerate(read_activity(landed.body, landed.name), 1):
            gathered.take(landed.page_id, number, row, partial(stage, row), landed.name)
        if gathered.is_full:
            yield gathered.chunk()


def day_of(row: JsonRow, window: Window) -> date:
    """The UTC day of a row. Raises RowError when it is unreadable or lies outside of the window."""
    found = read_time(text(row, "date") or "")
    if found is None:
        raise RowError("unreadable_time", f"date is {shown(row.get('date'))}; YYYY-MM-DD was expected", "date")
    if not window.start <= found < window.end:
        words = f"the row is of {found.date()}, and the window {window.start} to {window.end}"
        raise RowError("outside_window", words, "date")
    return found.date()


def required_object(row: Any) -> JsonRow:
    """The row. Raises RowError when it is no object."""
    if not isinstance(row, dict):
        raise RowError("not_an_object", f"a row is {shown(row)}; an object was expected")
    return row


def identity(row: JsonRow) -> dict[str, Any]:
    """What tells a row from every other one: all that it says, but for what it counts."""
    return {name: value for name, value in row.items() if name not in COUNTED}


def new_fields(row: JsonRow) -> dict[str, Any]:
    """Fields that this connector does not know, as they came."""
    return {name: value for name, value in row.items() if name not in COUNTED and name not in _NAMED}
