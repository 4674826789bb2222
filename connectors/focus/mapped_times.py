"""Instants as files outside the standard write them."""

from datetime import UTC, datetime

import polars as pl

from connectors.exact import read_decimal, read_time
from connectors.focus.mapped_settings import UNIX_SECONDS
from connectors.focus.values import read_times


def read_instants(values: pl.Series, pattern: str | None) -> pl.Series:
    """Instants as naive UTC, NULL where unreadable or outside of 2000 to 2099.

    `pattern` is strptime's, or `unix` for seconds; None reads ISO 8601. What names no offset is UTC.
    """
    if pattern is None or values.dtype != pl.String:
        return read_times(values)
    texts: list[str] = values.drop_nulls().unique().to_list()
    found = [_read(text, pattern) for text in texts]
    return values.replace_strict(texts, found, default=None, return_dtype=pl.Datetime("us"))


def written_as(pattern: str | None) -> str:
    """What a message says that was expected."""
    if pattern is None:
        return "an ISO 8601 instant"
    return "seconds since 1970" if pattern == UNIX_SECONDS else f"an instant written as {pattern!r}"


def _read(text: str, pattern: str) -> datetime | None:
    try:
        if pattern == UNIX_SECONDS:
            seconds = read_decimal(text)
            return None if seconds is None else read_time(datetime.fromtimestamp(int(seconds), UTC).isoformat())
        return read_time(datetime.strptime(text.strip(), pattern).isoformat())  # noqa: DTZ007 - an offset is kept
    except (ValueError, OverflowError, OSError):
        return None
