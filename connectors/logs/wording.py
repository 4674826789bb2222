"""Refusals in the words of who keeps the log: which path of it holds what cannot be."""

from collections.abc import Mapping

from connectors.logs.attempt import RowError
from connectors.logs.buckets import Counts, UsageError


def in_own_words(refusal: RowError | UsageError, paths: Mapping[str, str], there: str = "in the log") -> RowError:
    """The refusal with the log's own path of the field that it speaks of; of tokens, where it speaks of none, all.

    `paths` are the paths by the names of landed fields; empty where a log's fields are landed by their own names.
    """
    detail, column = str(refusal), refusal.column
    meant: tuple[str, ...] = Counts._fields if isinstance(refusal, UsageError) else ()
    if column is not None and column in paths:
        meant = (column,)
    named = [f"{name} is {paths[name]!r}" for name in meant if name in paths and repr(paths[name]) not in detail]
    if named:
        detail = f"{detail}; {there} {', '.join(named)}"
    return RowError(refusal.reason, detail, column)
