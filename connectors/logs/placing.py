"""Where landed rows of a stored log stand: its files are read again, for the few rows that somebody has to look at.

Landed pages name no files: the same rows are the same delivery, whatever files they lie in.
"""

from collections.abc import Collection, Iterator, Mapping

from connectors.base import Window
from connectors.logs.allow_list import rules_of
from connectors.logs.files import rows_of
from connectors.logs.landing import StoredShape, landed_lines
from connectors.logs.listing import content_of, files_of_days
from connectors.logs.settings import StoredRowsSettings
from connectors.logs.values import path_rule

_MOST_ROWS = 200_000
"""Some ten seconds of reading. Who maps a log wrongly finds out in its first rows."""


def places_of(
    settings: StoredRowsSettings, window: Window, shape: StoredShape, payloads: Collection[str]
) -> Mapping[str, str]:
    """See `connectors.placed.Placed`. Rows count from 1, a CSV's after its header. Raises SourceError."""
    wanted, found = set(payloads), dict[str, str]()
    for line, place in _placed_lines(settings, window, shape):
        if line in wanted:
            wanted.discard(line)
            found[line] = place
            if not wanted:
                break
    return found


def _placed_lines(settings: StoredRowsSettings, window: Window, shape: StoredShape) -> Iterator[tuple[str, str]]:
    shown = path_rule(rules_of(settings.hash_key).text)
    left = _MOST_ROWS
    for stored, _ in files_of_days(settings, settings.reach(window.slice_date)):
        path = shown(stored.path)
        with content_of(settings, stored).open() as stream:
            for number, row in enumerate(rows_of(stream, f"{settings.location}: {stored.path}", shape.csv), start=1):
                if left == 0:
                    return
                left -= 1
                for line in landed_lines(row, shape, path):
                    yield line.decode("utf-8", "replace").rstrip("\n"), f"row {number} of {path}"
