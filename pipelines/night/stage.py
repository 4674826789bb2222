"""Pulls every configured source of one kind for a range of days. One source's fault never stops another."""

from collections.abc import Sequence
from datetime import date, timedelta

from connectors.base import SourceSettings, Window
from connectors.registry import source
from contracts import contract
from pipelines.calendar import days_between
from pipelines.house import House
from pipelines.lake import IN_TROUBLE, Delivery
from pipelines.night.stale import HORIZON_DAYS


def stage(house: House, kind: str, first: date, last: date) -> list[Delivery]:
    """Fetches, lands and stages the windows that the nights from `first` to `last` pull, each once, oldest first."""
    deliveries: list[Delivery] = []
    for settings in house.sources(kind):
        for window in windows(settings, days_between(first, last)):
            house.progress.start(f"{settings.name} {window.slice_date}")
            confirm = settings.name in house.options.confirmed
            deliveries.append(house.lake.ingest(source(kind), settings, window, house.run_id, confirmed=confirm))
    return deliveries


def windows(settings: SourceSettings, days: Sequence[date]) -> list[Window]:
    """The distinct windows of several nights, oldest first."""
    connector = source(settings.kind)
    return sorted({window for day in days for window in connector.windows(settings, day)})


def missed(house: House, kind: str, first: date) -> tuple[str, ...]:
    """Days before a run's own that a daily source has skipped since its first: nights that nobody ran."""
    connector = source(kind)
    if contract(connector.fact).slice != "day":
        return ()
    slices = house.lake.slices(connector.fact)
    found: list[str] = []
    for settings in house.sources(kind):
        here = {piece.slice_date for piece in slices if piece.slice_source == settings.name}
        begin = max(min(here, default=first), first - timedelta(days=HORIZON_DAYS))
        lacking = [day for day in days_between(begin, first - timedelta(days=1)) if day not in here]
        if lacking:
            span = f"{lacking[0]}..{lacking[-1]}"
            found.append(
                f"{settings.name}: {len(lacking)} earlier days never arrived; to fetch them: farthing run {span}"
            )
    return tuple(found)


def problems(deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """What people must know of: deliveries that did not arrive, and rows that were refused."""
    found = [
        f"{d.x_source} {d.slice_date}: {d.status.replace('_', ' ')}: {d.message}"
        for d in deliveries
        if d.status in IN_TROUBLE
    ]
    found += [
        f"{d.x_source} {d.slice_date}: {_rows(d.reject_count)} refused (table rejects); {d.message}"
        for d in deliveries
        if d.status not in IN_TROUBLE and d.reject_count
    ]
    return tuple(found)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
