"""OpenAI costs: what an organisation's projects were charged, by day and line item."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import chain
from typing import ClassVar

from connectors.base import (
    IncompleteDeliveryError,
    LandedPage,
    Page,
    Parsed,
    RefusedRequestError,
    Source,
    SourceSettings,
    Window,
)
from connectors.fields import RowError, text
from connectors.gathered import Gathered
from connectors.http import Pace
from connectors.openai.client import MOST_COST_BUCKETS, MOST_PROJECTS, Client, span
from connectors.openai.cost_rows import CostReading
from connectors.openai.pages import Link, ProjectPage, link_of, reached, read_page, require_no_gap, require_whole
from connectors.openai.people import without_people
from connectors.openai.settings import OpenAiCostsSettings
from connectors.saved_answers import probe_saved, saved_pages
from connectors.windows import month_window

_COSTS = "organization/costs"
_PROJECTS = "organization/projects"


class OpenAiCosts:
    """The organisation's costs, by API or as saved answers. See `connectors.base.Source`."""

    kind: ClassVar[str] = "openai_costs"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = OpenAiCostsSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: OpenAiCostsSettings, day: date) -> list[Window]:
        """The month of `day`, and before it every month that ended at most `trailing_days` ago."""
        windows = [month_window(day)]
        while (before := month_window(windows[0].slice_date - timedelta(days=1))).end.date() > day - timedelta(
            days=settings.trailing_days
        ):
            windows.insert(0, before)
        return windows

    def fetch(self, settings: OpenAiCostsSettings, window: Window) -> Iterator[Page]:
        """The month's costs, and the projects' names where they are wanted; people's names taken out."""
        if settings.location is not None:
            pages = saved_pages(settings.location, settings.store_options, window, ["costs"], ["projects"])
        else:
            pages = self._asked(settings, window)
        return without_people(pages)

    def parse(self, settings: OpenAiCostsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Charges of the month. Raises IncompleteDeliveryError when a chain of pages has no end, or two contradict.

        A month is never final: the API knows no invoice.
        """
        landed = sorted(pages, key=lambda page: page.digest)
        reading = CostReading(settings, window, _project_names(landed))
        gathered = Gathered(self.fact, settings, window)
        links: list[Link] = []
        for one in landed:
            page = read_page(one.body, one.name)
            if isinstance(page, ProjectPage):
                continue
            for number, bucket, result in page.results():
                found = bucket if result is None else result
                stage = partial(reading.stage, bucket, result)
                gathered.take(one.page_id, number, found, stage, page.name)
            links.append(link_of(page, _COSTS))
            if gathered.is_full:
                yield gathered.chunk()
        require_whole(links)
        require_no_gap(links, window)
        yield replace(gathered.chunk(gathered.notices()), reaches=reached(links))

    def probe(self, settings: OpenAiCostsSettings) -> str:
        """Whether the key may ask, or which months are saved."""
        if settings.location is not None:
            return probe_saved(settings.location, settings.store_options, ["costs"], monthly=True)
        with Client(settings, self._pace) as client:
            return client.probe(_COSTS)

    def _asked(self, settings: OpenAiCostsSettings, window: Window) -> Iterator[Page]:
        with Client(settings, self._pace) as client:
            if settings.project_names:
                yield from client.chain(
                    _PROJECTS, {"limit": str(MOST_PROJECTS), "include_archived": "true"}, cursor="after"
                )
            yield from _costs(client, window, by_api_key=settings.by_api_key)


SOURCE: Source = OpenAiCosts()


def _costs(client: Client, window: Window, *, by_api_key: bool) -> Iterator[Page]:
    """The month's pages, grouped as finely as the organisation allows: it may refuse to separate keys."""
    grouping = ["project_id", "line_item"]
    if by_api_key:
        pages = client.chain(_COSTS, span(window, MOST_COST_BUCKETS, [*grouping, "api_key_id"], "1d"))
        try:
            first = next(pages)
        except RefusedRequestError as error:
            if error.status != 400:
                raise
        else:
            return chain([first], pages)
    return client.chain(_COSTS, span(window, MOST_COST_BUCKETS, grouping, "1d"))


def _project_names(landed: Iterable[LandedPage]) -> dict[str, str]:
    """The projects' names by their ids, from the pages that list them; a project without a readable name has none.

    Raises IncompleteDeliveryError when all of those pages announce another one.
    """
    pages = [page for one in landed if isinstance(page := read_page(one.body, one.name), ProjectPage)]
    if pages and all(page.has_more for page in pages):
        raise IncompleteDeliveryError(
            "every page of projects announces another one ('has_more'), and there is none. Nothing was committed; "
            "fetch the window again, to its last page."
        )
    names: dict[str, str] = {}
    for project in (project for page in pages for project in page.projects if isinstance(project, dict)):
        try:
            key, name = text(project, "id"), text(project, "name")
        except RowError:
            continue
        if key and name:
            names[key] = name
    return names
