"""Anthropic usage: tokens and web searches of an organisation, as Anthropic counted them."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import ClassVar

from connectors.anthropic.answers import Answer, Report, read_answer
from connectors.anthropic.api import ANALYTICS_ROWS, FAST_MODE_BETA, Question, ask, open_session, probe_api
from connectors.anthropic.settings import UsageSettings
from connectors.anthropic.usage_rows import has_searches, message_row, search_row
from connectors.base import LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.gathered import Gathered
from connectors.http import Pace
from connectors.saved_answers import probe_saved, saved_pages
from connectors.windows import day_windows

_GROUPS = ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo")
_MOST_BUCKETS = {"1m": 1440, "1h": 168, "1d": 31}


class AnthropicUsageSource:
    """Usage reports by day. See `connectors.base.Source`, and the README beside this file for lag and coverage."""

    kind: ClassVar[str] = "anthropic_usage"
    fact: ClassVar[str] = "provider_usage"
    settings_model: ClassVar[type[SourceSettings]] = UsageSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: UsageSettings, day: date) -> list[Window]:
        """One window a day: `trailing_days` before the night's own day, and that day."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: UsageSettings, window: Window) -> Iterator[Page]:
        """The report's pages, asked for or saved."""
        question = _question(settings)
        if settings.location is not None:
            yield from saved_pages(settings.location, settings.store_options, window, (question.folder,))
            return
        betas = (FAST_MODE_BETA,) if "speed" in settings.more_groups and settings.api == "admin" else ()
        with open_session(settings, self._pace, betas) as session:
            yield from ask(settings, session, question, window)

    def parse(self, settings: UsageSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `provider_usage`. Raises IncompleteDeliveryError when the last page is missing."""
        gathered, report = Gathered(self.fact, settings, window), Report()
        for page in pages:
            answer = read_answer(page)
            report.add(answer)
            _gather(answer, gathered, omits_committed=settings.api == "admin")
            if gathered.is_full:
                yield gathered.chunk()
        report.require_whole(window)
        yield replace(gathered.chunk(gathered.notices()), reaches=report.reaches)

    def probe(self, settings: UsageSettings) -> str:
        """What the API or the location answers."""
        question = _question(settings)
        if settings.location is not None:
            return probe_saved(settings.location, settings.store_options, (question.folder,), monthly=False)
        with open_session(settings, self._pace) as session:
            return probe_api(settings, session, question.endpoint)


def _question(settings: UsageSettings) -> Question:
    if settings.api == "analytics":
        asked = {
            "time_bucket_width": settings.bucket_width,
            "group_by[]": settings.analytics_groups,
            "limit": str(ANALYTICS_ROWS),
            "order_by": "time",  # ranked by size, rows would move between pages while they are read
            "order": "asc",
        }
        return Question("analytics/usage", "analytics/usage", asked)
    asked = {
        "bucket_width": settings.bucket_width,
        "group_by[]": (*_GROUPS, *settings.more_groups),
        "limit": str(_MOST_BUCKETS[settings.bucket_width]),
    }
    return Question("usage_report/messages", "usage_report/messages", asked)


def _gather(answer: Answer, gathered: Gathered, *, omits_committed: bool) -> None:
    """The tokens of the page's k-th result are row 2k-1, its web searches row 2k."""
    window = gathered.window
    for entry in answer.entries:
        row = 2 * entry.number - 1
        stage = partial(message_row, entry, window, omits_committed=omits_committed)
        gathered.take(answer.page_id, row, entry.found, stage, answer.name)
        if has_searches(entry):
            gathered.take(answer.page_id, row + 1, entry.found, partial(search_row, entry, window), answer.name)


SOURCE: Source = AnthropicUsageSource()
