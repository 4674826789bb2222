"""What both kinds have in common: windows, pages, and the way from pages to rows."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, ClassVar

import pyarrow as pa

from connectors.base import CHUNK_ROWS, LandedPage, Page, Parsed, SourceSettings, Window
from connectors.http import Pace
from connectors.kubernetes import series
from connectors.kubernetes.marks import Seen, read_window
from connectors.kubernetes.settings import KubernetesSettings
from connectors.prometheus import fetch_pages, probe, require_wanted
from connectors.windows import day_windows
from contracts import contract

_EXPORTER = "kube-state-metrics"


class ClusterSource(ABC):
    """A source of what a cluster says of itself. See `connectors.base.Source`."""

    kind: ClassVar[str]
    fact: ClassVar[str]
    settings_model: ClassVar[type[SourceSettings]]
    metrics: ClassVar[frozenset[str]]
    proof: ClassVar[str]
    """The metric that `probe` looks for."""
    beside: ClassVar[frozenset[str]] = frozenset()
    """Resources that are read beside GPUs."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    @abstractmethod
    def queries(self, settings: Any) -> dict[str, str]:
        """What a server is asked for, by a name for the page."""

    @abstractmethod
    def rows(self, settings: Any, window: Window, seen: Seen) -> tuple[list[dict[str, Any]], list[str]]:
        """Rows of what was read, and notices."""

    def windows(self, settings: KubernetesSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: KubernetesSettings, window: Window) -> Iterator[Page]:
        """Answers of the server to each query, or the day's files."""
        return fetch_pages(settings, window, self.queries(settings), self._pace)

    def parse(self, settings: KubernetesSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Intervals of the window. They rest on all pages: the first chunk comes when the last page was read."""
        reader = series.reader(settings, self.metrics, self.beside)
        seen = read_window(settings, window, pages, reader)
        require_wanted(settings, [reader], _EXPORTER)
        rows, notices = self.rows(settings, window, seen)
        schema = contract(self.fact).arrow_schema()
        for start in range(CHUNK_ROWS, len(rows), CHUNK_ROWS):
            yield Parsed(rows=pa.Table.from_pylist(rows[start - CHUNK_ROWS : start], schema=schema))
        rest = rows[(len(rows) - 1) // CHUNK_ROWS * CHUNK_ROWS :] if rows else []
        yield Parsed(pa.Table.from_pylist(rest, schema=schema), rejects=seen.rejects, notices=tuple(notices))

    def probe(self, settings: KubernetesSettings) -> str:
        """What the server or the location holds."""
        return probe(settings, [self.proof], _EXPORTER, self._pace)
