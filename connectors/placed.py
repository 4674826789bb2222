"""What a source of files may tell of a refused row: where in which file it stands."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol, runtime_checkable

from connectors.base import Window


@runtime_checkable
class Placed(Protocol):
    """A source whose landed rows do not say where they came from, and that can look it up."""

    def places(self, settings: Any, window: Window, payloads: Collection[str]) -> Mapping[str, str]:
        """Of landed rows the first file and row that gives each, as `row 3 of 2026-11-21/a.jsonl`.

        The files are read again, as far as is worth it: a row that was not found is left out. Raises SourceError.
        """
        ...
