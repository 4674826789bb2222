"""The LiteLLM source: its declaration, and the way from its four verbs to the modules that do them."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, SourceSettings, Window
from connectors.litellm.fetch import fetch_pages
from connectors.litellm.files import files_of_days
from connectors.litellm.parse import parse_pages
from connectors.litellm.settings import LiteLlmSettings

_LONG_AGO = date(2015, 1, 1)  # before any gateway: a dated folder that is listed without being read through


class LiteLlm:
    """Attempts that a LiteLLM gateway logged. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "litellm"
    fact: ClassVar[str] = "gateway_requests"
    settings_model: ClassVar[type[SourceSettings]] = LiteLlmSettings

    def windows(self, settings: LiteLlmSettings, day: date) -> list[Window]:
        """The day and the trailing days before it, oldest first: rows are filed late."""
        days = [day - timedelta(days=n) for n in range(settings.trailing_days, -1, -1)]
        return [Window(datetime.combine(d, time()), datetime.combine(d + timedelta(days=1), time())) for d in days]

    def fetch(self, settings: LiteLlmSettings, window: Window) -> Iterator[Page]:
        """The window's rows after the allow-list; see `fetch_pages`."""
        return fetch_pages(settings, window)

    def parse(self, settings: LiteLlmSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `gateway_requests`; see `parse_pages`."""
        return parse_pages(settings, window, pages)

    def probe(self, settings: LiteLlmSettings) -> str:
        """Lists the location: of a dated layout only a day that holds nothing, for a log may have millions of files."""
        found = files_of_days(settings, [_LONG_AGO])
        if settings.is_dated:
            return f"{settings.location} can be listed; days are filed as {settings.layout}"
        return f"{settings.location} can be listed; {len(found)} files match {settings.layout}"
