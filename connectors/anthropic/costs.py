"""Anthropic costs: what Anthropic charges an organisation, by workspace and description."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import ClassVar

from connectors.anthropic.answers import Answer, Entry, Report, read_answer
from connectors.anthropic.api import ANALYTICS_ROWS, Question, ask, open_session, probe_api
from connectors.anthropic.cost_rows import Money, charged, cost_row
from connectors.anthropic.settings import CostsSettings
from connectors.anthropic.totals import Totals, disagreement, is_total
from connectors.base import IncompleteDeliveryError, LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.fields import RowError
from connectors.gathered import Gathered, StagedRow
from connectors.http import HttpSession, Pace
from connectors.saved_answers import probe_saved, saved_pages
from connectors.windows import month_windows

_MOST_BUCKETS = 31
_ROUNDS = 3
_SETTLING_SECONDS = 60.0  # the API asks not to be polled more often
_NO_PRIORITY = "the cost report leaves out the Priority Tier: what was committed to it is in no line"


class AnthropicCostsSource:
    """Cost reports by month. See `connectors.base.Source`, and the README beside this file for lag and coverage."""

    kind: ClassVar[str] = "anthropic_costs"
    fact: ClassVar[str] = "charges"
    settings_model: ClassVar[type[SourceSettings]] = CostsSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: CostsSettings, day: date) -> list[Window]:
        """The day's month, and closed months while they may still be restated."""
        return month_windows(day, settings.trailing_months, settings.restated_through_day)

    def fetch(self, settings: CostsSettings, window: Window) -> Iterator[Page]:
        """The lines' pages, then the total's, asked for or saved."""
        lines, total = _questions(settings)
        if settings.location is not None:
            folders = (lines.folder,), (total.folder,)
            yield from saved_pages(settings.location, settings.store_options, window, *folders)
            return
        with open_session(settings, self._pace) as session:
            yield from self._settled(settings, session, window)

    def parse(self, settings: CostsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `charges`, in USD. The total, where it came, is the control total.

        Raises IncompleteDeliveryError when the last page is missing.
        """
        month = _Month(settings, window, Gathered(self.fact, settings, window))
        for page in pages:
            month.add(read_answer(page))
            if month.gathered.is_full:
                yield month.gathered.chunk()
        yield month.close()

    def probe(self, settings: CostsSettings) -> str:
        """What the API or the location answers."""
        lines, _ = _questions(settings)
        if settings.location is not None:
            return probe_saved(settings.location, settings.store_options, (lines.folder,), monthly=True)
        with open_session(settings, self._pace) as session:
            return probe_api(settings, session, lines.endpoint)

    def _settled(self, settings: CostsSettings, session: HttpSession, window: Window) -> list[Page]:
        """Lines and total of one state of the report: where it moved between the two, both are asked for again."""
        found = None
        for number in range(_ROUNDS):
            if number:
                self._pace.sleep(_SETTLING_SECONDS)
            lines, total = (list(ask(settings, session, question, window)) for question in _questions(settings))
            found = disagreement(map(_read, lines), map(_read, total))
            if found is None or abs(found) <= settings.total_tolerance_usd:
                # an empty report is the same bytes, grouped or not: it lands once
                bodies = {_content(page) for page in lines}
                return [*lines, *(page for page in total if _content(page) not in bodies)]
        raise IncompleteDeliveryError(
            f"{settings.url}: the cost report's total for {window.slice_date:%Y-%m} is {found:f} USD off its lines, "
            f"{_ROUNDS} times in a row. Nothing was committed; run again later, and ask Anthropic if it stays."
        )


class _Month:
    """One delivery while it is parsed."""

    def __init__(self, settings: CostsSettings, window: Window, gathered: Gathered) -> None:
        self.gathered = gathered
        self._settings, self._window = settings, window
        self._lines, self._total = Report(), Report()
        self._totals = Totals()
        self._has_lines = False

    def add(self, answer: Answer) -> None:
        """Takes a page, of the lines or of the total; an empty one may be of either."""
        if is_total(answer):
            self._total.add(answer)
            for entry in answer.entries:
                self._totals.add_stated(_stated(entry, answer.name))
            return
        self._lines.add(answer)
        if not answer.entries:
            self._total.add(answer)
        for entry in answer.entries:
            self._has_lines = True
            self._add_line(answer, entry)

    def close(self) -> Parsed:
        """The last chunk, with the control total and what is to be told. Raises as `Report.require_whole` does."""
        self._lines.require_whole(self._window)
        self._total.require_whole(self._window)
        stated, told = self._totals.control(self._settings.total_tolerance_usd)
        # no line may mean that all was committed to the Priority Tier
        not_covered = [_NO_PRIORITY] if self._settings.api == "admin" else []
        notices = [*self.gathered.notices(), *(told if self._has_lines else [])]
        closing = self.gathered.chunk(notices, not_covered)
        return replace(closing, stated_cost=stated, reaches=self._lines.reaches)

    def _add_line(self, answer: Answer, entry: Entry) -> None:
        money: Money | None = None

        def stage() -> StagedRow:
            nonlocal money
            money = charged(entry)
            return cost_row(entry, money, self._settings, self._window)

        is_taken = self.gathered.take(answer.page_id, entry.number, entry.found, stage, answer.name)
        if is_taken and money is not None:
            self._totals.add_line(money)


def _stated(entry: Entry, name: str) -> Money:
    try:
        return charged(entry)
    except RowError as error:
        raise IncompleteDeliveryError(
            f"{name}: the report's own total cannot be read: {error.detail}. Nothing was committed; fetch it again."
        ) from None


def _questions(settings: CostsSettings) -> tuple[Question, Question]:
    """The lines, and their total: the same report without groups."""
    if settings.api == "analytics":
        asked = {"time_bucket_width": "1d", "limit": str(ANALYTICS_ROWS), "order_by": "time", "order": "asc"}
        # types of cost and of tokens do not count towards the five groups
        grouped = {**asked, "group_by[]": (*settings.analytics_groups, "cost_type", "token_type")}
        lines = Question("analytics/cost", "analytics/cost", grouped)
        return lines, Question("analytics/cost", "analytics/cost_total", asked)
    asked = {"bucket_width": "1d", "limit": str(_MOST_BUCKETS)}
    grouped = {**asked, "group_by[]": ("workspace_id", "description")}
    return Question("cost_report", "cost_report", grouped), Question("cost_report", "cost_report_total", asked)


def _content(page: Page) -> bytes:
    with page.body.open() as stream:
        return stream.read()


def _read(page: Page) -> Answer:
    return read_answer(LandedPage(page.name, "", page.body))


SOURCE: Source = AnthropicCostsSource()
