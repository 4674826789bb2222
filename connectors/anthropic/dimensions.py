"""What both reports say of a row besides its figures: when, who, which model, which tier, and what is new.

Here belongs: names that the house spells differently, and the fields without a column. Here does not belong: figures.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from connectors.anthropic.answers import Entry, Fields
from connectors.base import Window
from connectors.fields import RowError, text

PROVIDER = "Anthropic"
COLUMNLESS = frozenset(
    {"agent_id", "deployment_id", "environment_id", "organization_id", "product", "service_account_id", "speed"}
)
"""Known fields that the contracts have no column for: they go to `x_extra`, and are no news."""

_TIERS = {"standard": "default"}
_NO_GEOGRAPHY = "not_available"


def fields_of(entry: Entry) -> Fields:
    """The result's fields. Raises RowError where it is no object."""
    if entry.fields is None:
        raise RowError("not_an_object", "expected an object with the result's fields")
    return entry.fields


def period(entry: Entry, window: Window) -> tuple[datetime, datetime]:
    """The bucket's instants. Raises RowError when they are unreadable, turned round, or outside of the window."""
    start, end = entry.start, entry.end
    if start is None or end is None or end <= start:
        raise RowError(
            "unreadable_time", "expected 'starting_at' and a later 'ending_at', as 2026-09-03T00:00:00Z", "starting_at"
        )
    if start < window.start or end > window.end:
        raise RowError(
            "outside_window",
            f"the bucket {start} to {end} does not lie in {window.start} to {window.end}, which was asked for",
            "starting_at",
        )
    return start, end


def service_tier(fields: Fields) -> str | None:
    """The tier in the price book's words where it has one."""
    tier = text(fields, "service_tier")
    return None if tier is None else _TIERS.get(tier, tier)


def region(fields: Fields) -> str | None:
    """Where inference ran; NULL for models that cannot be bound to a place."""
    found = text(fields, "inference_geo")
    return None if found == _NO_GEOGRAPHY else found


def leftovers(fields: Fields, known: Collection[str]) -> dict[str, Any]:
    """The fields that have no column."""
    return {name: value for name, value in fields.items() if name not in known and value is not None}


def news(left: Collection[str]) -> list[str]:
    """Which of the fields without a column nobody knows."""
    return [name for name in left if name not in COLUMNLESS]


def identity(entry: Entry, figures: Collection[str]) -> object:
    """What a result is about: its bucket, and every field but the figures."""
    if entry.fields is None:
        return entry.found
    return [entry.start, entry.end, {name: value for name, value in entry.fields.items() if name not in figures}]
