"""A landed delivery parsed into files that belong to nothing yet, and counted on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from connectors.base import Parsed, Source, SourceError, SourceSettings, Window
from connectors.placed import Placed
from contracts import ContractBrokenError
from pipelines.lake.blame import blamed
from pipelines.lake.landing import Landed
from pipelines.lake.overlaps import is_open, overlap, repeated_pages
from pipelines.lake.refused import Refused
from pipelines.lake.rejects import REJECTS, reject_rows
from pipelines.lake.rows import SliceWriter, Written
from pipelines.lake.totals import Totals
from pipelines.limits import Limits


@dataclass(frozen=True)
class Order:
    """What is to be ingested: a source under its settings, for one window, and how far it may change what is there."""

    source: Source
    settings: SourceSettings
    window: Window
    confirmed: bool
    limits: Limits = field(default_factory=Limits)

    @property
    def fact(self) -> str:
        """The staged fact it feeds."""
        return self.source.fact

    @property
    def name(self) -> str:
        """The source's own name, which names its slices."""
        return self.settings.name

    @property
    def slice_date(self) -> date:
        """The slice that the delivery replaces."""
        return self.window.slice_date


@dataclass(frozen=True)
class Staged:
    """A delivery parsed into spool files. `repeated` is what to tell of files and lines that came more than once."""

    rows: list[Written]
    rejects: list[Written]
    totals: Totals
    repeated: tuple[str, ...] = ()


def stage(folder: Path, order: Order, landed: Landed) -> Staged:
    """Parses the landed pages, chunk by chunk, into spool files; pages of a bill that repeat others are left out.

    Raises SourceError when the source is at fault, ContractBrokenError when its rows do not fit the fact.
    """
    parsed = _parse(folder, order, landed)
    if not is_open(order.fact, landed.pages):
        again = [f"{again.name!r} came more than once and was counted once" for again in landed.repeated]
        parsed.totals.notices.extend(again)
        return parsed
    again = repeated_pages(landed.repeated, [*parsed.rows, *parsed.rejects])
    found = overlap(order.fact, landed.pages, parsed.rows, parsed.rejects)
    if not found.copies:
        return replace(parsed, repeated=(*again, *found.told))
    counted = tuple(page for page in landed.pages if page not in found.copies)
    rest = stage(folder, order, replace(landed, pages=counted, repeated=()))
    return replace(rest, repeated=(*again, *found.told, *rest.repeated))


def _parse(folder: Path, order: Order, landed: Landed) -> Staged:
    settings, window = order.settings, order.window
    totals = Totals(order.fact)
    rows, rejects = SliceWriter(order.fact, folder), SliceWriter(REJECTS, folder)
    try:
        for chunk in blamed(settings, "parsing", lambda: order.source.parse(settings, window, landed.pages)):
            _require_slice(order, chunk)
            rows.write(chunk.rows)
            rejects.write(reject_rows(settings, order.fact, window, chunk.rejects))
            totals.add(chunk)
        totals.finish()
        totals.refused.places = _places(order, totals.refused)
        totals.refused.pages = {page.page_id: page.name for page in landed.pages}
        return Staged(rows.finish(), rejects.finish(), totals)
    finally:
        rows.abandon()
        rejects.abandon()


def _places(order: Order, refused: Refused) -> Mapping[str, str]:
    """Where the rows stand that words are about. Nothing of the delivery hangs on it: what cannot be told is not."""
    payloads = refused.payloads()
    if not payloads or not isinstance(order.source, Placed):
        return {}
    try:
        return order.source.places(order.settings, order.window, payloads)
    except SourceError:
        return {}


def _require_slice(order: Order, chunk: Parsed) -> None:
    """Every row must belong to the slice that is replaced: elsewhere it would be counted twice by and by."""
    expected = {"x_source": order.name, "x_slice_date": order.slice_date}
    for name, value in expected.items():
        if name not in chunk.rows.column_names:
            continue
        others = [found for found in chunk.rows[name].unique().to_pylist() if found != value]
        if others:
            raise ContractBrokenError(
                f"{order.fact}.{name}: found {others[0]!r}, expected {value!r} on every row of this delivery"
            )
