"""Pulls every configured source of one kind for a range of days. One source's fault never stops another."""

from collections.abc import Sequence
from datetime import date

from connectors.base import SourceSettings, Window
from connectors.patience import shared_patience
from connectors.registry import source
from pipelines.calendar import days_between
from pipelines.house import House
from pipelines.lake import IN_TROUBLE, Delivery, Limits
from pipelines.night.last_words import overdue

REPEATS_ARE_NEWS = ("gateway_requests",)  # elsewhere repeats are how a source delivers: two views of one bill, say
NEW = ("committed", "empty")  # what came before as it is now was told then; `freshness` keeps it


def stage(house: House, kind: str, first: date, last: date) -> list[Delivery]:
    """Fetches, lands and stages the windows that the nights from `first` to `last` pull, each once, oldest first.

    Beside them closed months whose last word never arrived.
    """
    deliveries: list[Delivery] = []
    allowed = house.config.restatements
    limits = Limits(allowed.least_share, allowed.most_share)
    for settings in house.sources(kind):
        confirm = settings.name in house.options.confirmed
        with shared_patience():
            for window in sorted({*windows(settings, days_between(first, last)), *overdue(house, settings, last)}):
                house.progress.start(f"{settings.name} {window.slice_date}")
                delivery = house.lake.ingest(
                    source(kind), settings, window, house.run_id, confirmed=confirm, limits=limits
                )
                deliveries.append(delivery)
    return deliveries


def windows(settings: SourceSettings, days: Sequence[date]) -> list[Window]:
    """The distinct windows of several nights, oldest first."""
    connector = source(settings.kind)
    return sorted({window for day in days for window in connector.windows(settings, day)})


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


def notices(deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """What is worth knowing of deliveries that went well, told on the night that brought them.

    Files that repeat each other are told for as long as they lie there.
    """
    brought = [d for d in deliveries if d.status in NEW]
    found = [f"{d.x_source} {d.slice_date}: {d.message}" for d in brought if d.message and not d.reject_count]
    found += [
        f"{d.x_source} {d.slice_date}: {_rows(d.duplicate_count)} repeated another one and counted once "
        "(duplicate_count in freshness)"
        for d in brought
        if d.duplicate_count and d.fact in REPEATS_ARE_NEWS
    ]
    found += [
        f"{d.x_source} {d.slice_date}: {d.repeated}"
        for d in deliveries
        if d.status == "unchanged" and d.repeated and not d.reject_count
    ]
    return tuple(found)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
