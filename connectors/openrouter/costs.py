"""OpenRouter costs: the credits that each model cost, by calendar month."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import ClassVar

from connectors.base import (
    IncompleteDeliveryError,
    LandedPage,
    Page,
    Parsed,
    RefusedRequestError,
    Source,
    SourceError,
    SourceSettings,
    Window,
)
from connectors.gathered import Gathered, without_repeated_nothing
from connectors.http import Pace
from connectors.openrouter.activity import gather, read_activity
from connectors.openrouter.client import FOLDER, Client, is_no_such_day, not_served, probe_activity
from connectors.openrouter.cost_rows import CostReading
from connectors.openrouter.settings import DAYS_SERVED, OpenRouterCostsSettings
from connectors.saved_answers import saved_pages, saved_windows
from connectors.windows import day_window, midnight, month_windows


class OpenRouterCosts:
    """The account's activity as charges, by API or as saved answers. See `connectors.base.Source`."""

    kind: ClassVar[str] = "openrouter_costs"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = OpenRouterCostsSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: OpenRouterCostsSettings, day: date) -> list[Window]:
        """The month of `day` and the trailing ones; by the API, those of which it still tells the first day.

        A delivery replaces the month as a whole: without its first days it would lose them.
        """
        windows = month_windows(day, settings.trailing_months, settings.restated_through_day)
        if settings.location is not None:
            return windows
        oldest_served = midnight(day - timedelta(days=DAYS_SERVED - 1))
        return [window for window in windows if window.start >= oldest_served]

    def fetch(self, settings: OpenRouterCostsSettings, window: Window) -> Iterator[Page]:
        """A report for each day of the month that is over. Raises SourceError when the first is not served.

        Of days without activity, whose reports are all alike, one.
        """
        if settings.location is not None:
            pages = _saved(settings, settings.location, window)
        else:
            pages = self._asked(settings, window)
        return without_repeated_nothing(pages, lambda page: not read_activity(page.body, page.name))

    def parse(self, settings: OpenRouterCostsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges of the month; never final. Raises IncompleteDeliveryError when two pages contradict each other."""
        gathered, reading = Gathered(self.fact, settings, window), CostReading(settings, window)
        yield from gather(gathered, pages, reading.stage)
        yield gathered.chunk([*gathered.notices(), *reading.notices()], reading.not_covered())

    def probe(self, settings: OpenRouterCostsSettings) -> str:
        """Whether the key may ask and what is served, or which days are saved."""
        return probe_activity(settings, self._pace)

    def _asked(self, settings: OpenRouterCostsSettings, window: Window) -> Iterator[Page]:
        with Client(settings, self._pace) as client:
            for day in _days(window):
                try:
                    page = client.day(day)
                except RefusedRequestError as error:
                    if is_no_such_day(error) and day != window.slice_date:
                        return  # the day before was served: this one is not over, and none after it
                    raise not_served(error, day) from None
                yield page


SOURCE: Source = OpenRouterCosts()


def _saved(settings: OpenRouterCostsSettings, location: str, window: Window) -> Iterator[Page]:
    """The pages of the month's saved days.

    Raises IncompleteDeliveryError when a day is missing between saved ones, SourceError when none of a month is there
    that is not the first.
    """
    names = saved_windows(location, settings.store_options, [FOLDER], monthly=False)
    days = [day for day in _days(window) if day.isoformat() in names]
    if not days:
        if names and names[0] > window.slice_date.isoformat():
            return
        raise SourceError(
            f"{location}: there is no saved answer of {window.slice_date:%Y-%m}; expected "
            f"{window.slice_date}/{FOLDER}/page-1.json. Nothing is known of it, which is not zero: run the download."
        )
    first = max(window.slice_date, date.fromisoformat(names[0]))
    if missing := [day for day in _days(window) if first <= day < days[-1] and day not in days]:
        raise IncompleteDeliveryError(
            f"{location}: {missing[0]} has no saved answer, and {days[-1]} has one; the month would lose that day: "
            "download it again"
        )
    for day in days:
        yield from saved_pages(location, settings.store_options, day_window(day), [FOLDER])


def _days(window: Window) -> list[date]:
    return [window.slice_date + timedelta(days=n) for n in range((window.end - window.start).days)]
