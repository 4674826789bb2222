"""The source of kind `nvml`: its declaration, and the way from settings to pages and rows."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from connectors.base import IncompleteDeliveryError, LandedPage, Page, Parsed, SourceError, SourceSettings, Window
from connectors.dated_files import dates_in, files_of_day
from connectors.nvml.batch import Batches
from connectors.nvml.settings import NvmlSettings
from connectors.storage import StoredObject, body, list_objects
from connectors.windows import day_windows

_ENDINGS = (".jsonl", ".jsonl.gz")


class NvmlSource:
    """GPU samples of `farthing sample-gpus`, from the spools of any number of nodes. See `connectors.base.Source`."""

    kind: ClassVar[str] = "nvml"
    fact: ClassVar[str] = "gpu_samples"
    settings_model: ClassVar[type[SourceSettings]] = NvmlSettings

    def windows(self, settings: NvmlSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: NvmlSettings, window: Window) -> Iterator[Page]:
        """The day's files. Raises IncompleteDeliveryError for a packed one without a byte, and as storage does."""
        options = settings.store_options
        for found in _spooled(files_of_day(settings.location, options, settings.layout, window.slice_date)):
            if found.size:
                yield Page(found.path, body(settings.location, options, found.path, found.etag))
            elif found.path.endswith(".gz"):
                raise IncompleteDeliveryError(f"{found.path} is empty: copy it from its node again")

    def parse(self, settings: NvmlSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Samples of the window, in chunks. A sample that two pages hold is taken from the one of lower digest."""
        batches = Batches(settings, window)
        for page in sorted(pages, key=lambda landed: landed.digest):
            yield from batches.read(page)
        yield batches.last()

    def probe(self, settings: NvmlSettings) -> str:
        """How many files there are, and of which days."""
        files = [found.path for found in _spooled(list_objects(settings.location, settings.store_options))]
        dates = dates_in(files)
        if not dates:
            raise SourceError(
                f"{settings.location}: no file of a spool, such as 2026-10-01/node-1-20261001T10Z.jsonl.gz. "
                "Does 'farthing sample-gpus' run on the nodes, and does its folder come here?"
            )
        return f"{settings.location} holds {len(files)} files of spools, dated {dates[0]} to {dates[-1]}"


def _spooled(files: Iterable[StoredObject]) -> list[StoredObject]:
    return [found for found in files if found.path.endswith(_ENDINGS)]
