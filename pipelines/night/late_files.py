"""Files of closed months that no night pulls any more, and that changed: written since, or gone. A table's lines alike.

A refund, or a correction of a month that was thought closed, rewrites files that nobody looks at: the books would stay
as they were. A month whose files went may have been taken back by the provider. Both are told, with what to type, and
taken in by nobody without a person's word: the month may have been closed on them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from connectors.base import Dated, MonthFiles, SourceError, SourceSettings
from connectors.registry import source
from pipelines.calendar import month_start, next_month
from pipelines.house import House
from pipelines.lake import Delivery
from pipelines.night.last_words import TOLD_DAYS
from pipelines.night.stale import HORIZON_DAYS

_NONE = MonthFiles(0, None)


def late_files(house: House, kind: str, last: date, deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """What a run up to `last` that made those deliveries left aside although its files are not what was taken in."""
    connector = source(kind)
    if not isinstance(connector, Dated):
        return ()
    told: list[str] = []
    for settings in house.sources(kind):
        own = [delivery for delivery in deliveries if delivery.x_source == settings.name]
        pulled = {delivery.slice_date for delivery in own}
        try:
            listed = connector.written(settings)
        except SourceError as error:
            if not any(delivery.status == "failed" for delivery in own):  # else that tells of the same store
                told.append(f"{settings.name}: whether closed months changed since is not known: {error}")
            continue
        standing = {d.slice_date: d for d in house.lake.in_place(connector.fact, settings.name)}
        for month, taken in sorted(house.lake.asked(settings.name).items()):
            is_told = last - timedelta(days=TOLD_DAYS) <= month < month_start(house.clock().date())
            if taken is not None and month not in pulled and is_told:
                told += _of_month(house, settings, standing.get(month), listed, month, taken, last)
    return tuple(told)


def _of_month(
    house: House,
    settings: SourceSettings,
    standing: Delivery | None,
    listed: Mapping[date, MonthFiles],
    month: date,
    taken: datetime,
    last: date,
) -> Iterator[str]:
    found = listed.get(month, _NONE)
    if standing is not None and found.count is not None and _is_gone(standing, listed, month, last):
        yield _gone(settings, month, found.count, standing.page_count, taken)
    if found.latest is not None and taken < found.latest <= house.clock():
        what = "lines of {} were exported" if found.count is None else "files of {} were written"
        yield _written(settings, month, what.format(f"{month:%Y-%m}"), found.latest, taken)


def _is_gone(standing: Delivery, listed: Mapping[date, MonthFiles], month: date, last: date) -> bool:
    """Whether fewer files are listed than the lines in place were read from; never fewer than that were there then.

    An old month at the beginning of what is listed was cleared away by its owner: no store keeps all for ever.
    """
    if not standing.row_count or not listed or any(files.count is None for files in listed.values()):
        return False
    is_recent = next_month(month) >= last - timedelta(days=HORIZON_DAYS)
    return (listed.get(month, _NONE).count or 0) < standing.page_count and (is_recent or month > min(listed))


def _gone(settings: SourceSettings, month: date, count: int, page_count: int, taken: datetime) -> str:
    held = "no file" if not count else f"only {count} of the {page_count} files"
    # a month without any file is not taken in, unless it lies before the first listed: not known is not zero
    empty = "" if count else "first put a file with its header alone where the month's files lay, then "
    return (
        f"{settings.name}: {held} of {month:%Y-%m} can be found any more, which was last taken in "
        f"{taken:%Y-%m-%d %H:%M}: what was taken in stays and counts. If files were taken away by mistake, put them "
        f"back; if the provider took them back, have what is left taken in: {empty}"
        f"{_command(settings, month)} --confirm {settings.name}"
    )


def _written(settings: SourceSettings, month: date, what: str, written: datetime, taken: datetime) -> str:
    return (
        f"{settings.name}: {what} at {written:%Y-%m-%d %H:%M} UTC, after the month was "
        f"last taken in ({taken:%Y-%m-%d %H:%M}), and nights pull it no more: its costs may have changed; "
        f"to take them in: {_command(settings, month)}"
    )


def _command(settings: SourceSettings, month: date) -> str:
    return f"farthing run {month}..{next_month(month) - timedelta(days=1)} --source {settings.name}"
