"""Files of closed months that were written after the month was last taken in, and that no night pulls any more.

A refund, or a correction of a month that was thought closed, rewrites files that nobody looks at: the books would stay
as they were. They are told, with what to type, and taken in by nobody without a person's word: the month may have been
closed on them.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from connectors.base import Dated, SourceError, SourceSettings
from connectors.registry import source
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.lake import Delivery
from pipelines.night.last_words import TOLD_DAYS


def late_files(house: House, kind: str, last: date, deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """What a run up to `last` that made those deliveries left aside although it was written after it was taken in."""
    connector = source(kind)
    if not isinstance(connector, Dated):
        return ()
    told: list[str] = []
    for settings in house.sources(kind):
        pulled = {delivery.slice_date for delivery in deliveries if delivery.x_source == settings.name}
        try:
            written = connector.written(settings)
        except SourceError:  # the delivery, which asks the same store, tells that
            continue
        told += [
            _words(settings, month, written[month], taken)
            for month, taken in sorted(house.lake.asked(settings.name).items())
            if taken is not None
            and month not in pulled
            and month >= last - timedelta(days=TOLD_DAYS)
            and taken < written.get(month, taken) <= house.clock()
        ]
    return tuple(told)


def _words(settings: SourceSettings, month: date, written: datetime, taken: datetime) -> str:
    end = next_month(month) - timedelta(days=1)
    return (
        f"{settings.name}: files of {month:%Y-%m} were written at {written:%Y-%m-%d %H:%M} UTC, after the month was "
        f"last taken in ({taken:%Y-%m-%d %H:%M}), and nights pull it no more: its costs may have changed; "
        f"to take them in: farthing run {month}..{end} --source {settings.name}"
    )
