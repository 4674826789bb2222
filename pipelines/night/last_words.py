"""Slices that still stand as they were before their source's last word: which to pull again, which to tell.

A source's windows hold a day or a closed month for some nights and then no more. If the last of those nights failed,
or nobody ran it, the slice keeps an earlier state, or stays away: so it counts as delivered only once something was
taken in, or found unchanged, after that night's day was over. What a source was never asked for is not missed.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from connectors.base import SourceSettings, Window
from connectors.registry import source
from contracts import contract
from pipelines.calendar import days_between, midnight
from pipelines.house import House
from pipelines.lake import Delivery
from pipelines.night.stale import HORIZON_DAYS

TOLD_DAYS = 366  # how far back people are told of months that nights pull no more: by then their books are closed


def overdue(house: House, settings: SourceSettings, last: date) -> list[Window]:
    """The closed months that the night of `last` pulls beside the connector's own windows, oldest first.

    None that begins before the horizon within which a night rebuilds what follows from it. Empty for sources that
    deliver days: some of them say only what holds now, which is no word on a day long gone.
    """
    if not _is_monthly(settings):
        return []
    earliest = last - timedelta(days=HORIZON_DAYS)
    return [window for window in _unsettled(house, settings, last) if window.slice_date >= earliest]


def missed(house: House, kind: str, first: date, last: date, deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """What a run of the days first..last that made those deliveries did not pull although its last word is missing."""
    found: list[str] = []
    for settings in house.sources(kind):
        asked = {Window(d.window_start, d.window_end) for d in deliveries if d.x_source == settings.name}
        found += _told(house, settings, last if _is_monthly(settings) else first, asked)
    return tuple(found)


def _told(house: House, settings: SourceSettings, last: date, asked: Collection[Window]) -> list[str]:
    """What never arrived, and what may have changed after it did, each with the range to run."""
    left = [window for window in _unsettled(house, settings, last) if window not in asked]
    arrived = house.lake.asked(settings.name)
    never = [window for window in left if arrived.get(window.slice_date) is None]
    outdated = [window for window in left if window not in never]
    words = ((never, "never arrived"), (outdated, "may have changed since last taken in"))
    return [
        f"{settings.name}: {_which(settings, windows)} {what}; to fetch them: "
        f"farthing run {windows[0].slice_date}..{windows[-1].end.date() - timedelta(days=1)} --source {settings.name}"
        for windows, what in words
        if windows
    ]


def _which(settings: SourceSettings, windows: Sequence[Window]) -> str:
    if _is_monthly(settings):
        return ", ".join(f"{window.start:%Y-%m}" for window in windows)
    return "1 earlier day" if len(windows) == 1 else f"{len(windows)} earlier days"


def _unsettled(house: House, settings: SourceSettings, last: date) -> list[Window]:
    """What nights before `last` pull, with nothing taken in after the last of those nights. Oldest first.

    Nothing before the first slice that the source was ever asked for: what nobody asked for is not missed.
    """
    asked = house.lake.asked(settings.name)
    if not asked:
        return []
    begun, connector = min(asked), source(settings.kind)
    back = TOLD_DAYS if _is_monthly(settings) else HORIZON_DAYS
    last_night: dict[Window, date] = {}
    for night in days_between(max(begun, last - timedelta(days=back)), last - timedelta(days=1)):
        last_night |= dict.fromkeys(connector.windows(settings, night), night)
    found: list[Window] = []
    for window, night in last_night.items():
        at = asked.get(window.slice_date)
        if window.slice_date >= begun and (at is None or at < midnight(night + timedelta(days=1))):
            found.append(window)
    return sorted(found)


def _is_monthly(settings: SourceSettings) -> bool:
    return contract(source(settings.kind).fact).slice == "billing_period"
