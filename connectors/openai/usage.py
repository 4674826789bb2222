"""OpenAI usage: what an organisation's projects, keys and models used, bucket by bucket."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, RefusedRequestError, Source, SourceSettings, Window
from connectors.gathered import Gathered, without_repeated_nothing
from connectors.http import Pace
from connectors.openai.client import MOST_BUCKETS, Client, span, unknown_endpoint
from connectors.openai.endpoints import Endpoint
from connectors.openai.pages import BucketPage, Link, link_of, reached, read_page, require_no_gap, require_whole
from connectors.openai.people import without_people
from connectors.openai.settings import OpenAiUsageSettings
from connectors.openai.usage_rows import staged_usage
from connectors.saved_answers import probe_saved, saved_pages
from connectors.windows import day_windows


class OpenAiUsage:
    """The organisation's usage endpoints, by API or as saved answers. See `connectors.base.Source`."""

    kind: ClassVar[str] = "openai_usage"
    fact: ClassVar[str] = "provider_usage"
    settings_model: ClassVar[type[SourceSettings]] = OpenAiUsageSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: OpenAiUsageSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, which may have been restated, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: OpenAiUsageSettings, window: Window) -> Iterator[Page]:
        """Every endpoint's pages of the day, without people's names. Of pages alike that hold no result, one."""
        if settings.location is not None:
            pages = saved_pages(settings.location, settings.store_options, window, _folders(settings))
        else:
            pages = self._asked(settings, window)
        return without_repeated_nothing(without_people(pages), _is_empty)

    def parse(self, settings: OpenAiUsageSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of the day. Raises IncompleteDeliveryError when a chain of pages has no end, or two contradict."""
        gathered = Gathered(self.fact, settings, window)
        links: list[Link] = []
        for landed in sorted(pages, key=lambda page: page.digest):
            page = read_page(landed.body, landed.name)
            if isinstance(page, BucketPage):
                links.append(link_of(page, _gather(gathered, landed.page_id, page)))
            if gathered.is_full:
                yield gathered.chunk()
        require_whole(links)
        require_no_gap(links, window)
        yield replace(gathered.chunk(gathered.notices()), reaches=reached(links))

    def probe(self, settings: OpenAiUsageSettings) -> str:
        """Whether the key may ask, or which days are saved."""
        if settings.location is not None:
            return probe_saved(settings.location, settings.store_options, _folders(settings), monthly=False)
        with Client(settings, self._pace) as client:
            return client.probe(_address(settings.asked[0]))

    def _asked(self, settings: OpenAiUsageSettings, window: Window) -> Iterator[Page]:
        with Client(settings, self._pace) as client:
            for endpoint in settings.asked:
                asked = span(
                    window,
                    MOST_BUCKETS[settings.bucket_width],
                    endpoint.grouping(by_user=settings.by_user),
                    settings.bucket_width,
                )
                try:
                    yield from client.chain(_address(endpoint), asked)
                except RefusedRequestError as error:
                    raise unknown_endpoint(error, endpoint.path) from None


SOURCE: Source = OpenAiUsage()


def _gather(gathered: Gathered, page_id: str, page: BucketPage) -> str:
    """Takes a page's results; the operation that they are of, empty where there are none."""
    for number, bucket, result in page.results():
        stage = partial(staged_usage, gathered.window, bucket, result)
        gathered.take(page_id, number, bucket if result is None else result, stage, page.name)
    return next((str(result.get("object")) for _, _, result in page.results() if isinstance(result, dict)), "")


def _folders(settings: OpenAiUsageSettings) -> list[str]:
    return [endpoint.path for endpoint in settings.asked]


def _address(endpoint: Endpoint) -> str:
    return f"organization/usage/{endpoint.path}"


def _is_empty(page: Page) -> bool:
    found = read_page(page.body, page.name)
    return isinstance(found, BucketPage) and next(found.results(), None) is None
