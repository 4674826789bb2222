"""OpenRouter usage: what each model used, day by day."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar

from connectors.base import LandedPage, Page, Parsed, RefusedRequestError, Source, SourceSettings, Window
from connectors.fields import JsonRow, RowError, amount, count, text
from connectors.gathered import Gathered, StagedRow, extra_json
from connectors.http import Pace
from connectors.openrouter.activity import PROVIDER, day_of, gather, identity, new_fields, required_object
from connectors.openrouter.client import FOLDER, Client, not_served, probe_activity
from connectors.openrouter.settings import OpenRouterUsageSettings
from connectors.saved_answers import saved_pages
from connectors.windows import day_windows, midnight


class OpenRouterUsage:
    """The account's activity, by API or as saved answers. See `connectors.base.Source`."""

    kind: ClassVar[str] = "openrouter_usage"
    fact: ClassVar[str] = "provider_usage"
    settings_model: ClassVar[type[SourceSettings]] = OpenRouterUsageSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: OpenRouterUsageSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: OpenRouterUsageSettings, window: Window) -> Iterator[Page]:
        """The day's report. Raises SourceError for a day that is not over, or is no longer served."""
        if settings.location is not None:
            yield from saved_pages(settings.location, settings.store_options, window, [FOLDER])
            return
        with Client(settings, self._pace) as client:
            try:
                yield client.day(window.slice_date)
            except RefusedRequestError as error:
                raise not_served(error, window.slice_date) from None

    def parse(self, settings: OpenRouterUsageSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of the day. Raises IncompleteDeliveryError when two pages contradict each other."""
        gathered = Gathered(self.fact, settings, window)
        yield from gather(gathered, pages, partial(_staged, window))
        yield gathered.chunk(gathered.notices())

    def probe(self, settings: OpenRouterUsageSettings) -> str:
        """Whether the key may ask and what is served, or which days are saved."""
        return probe_activity(settings, self._pace)


SOURCE: Source = OpenRouterUsage()


def _staged(window: Window, found: Any) -> StagedRow:
    """The contract's columns of one row. Raises RowError when it is unreadable or contradicts itself."""
    row = required_object(found)
    day, new = day_of(row, window), new_fields(row)
    kept = {name: text(row, name) for name in ("model_permaslug", "provider_name")}
    money = {name: amount(row, name) for name in ("usage", "byok_usage_inference")}
    staged = {
        "usage_start": midnight(day),
        "usage_end": midnight(day + timedelta(days=1)),
        "usage_date": day,
        "provider_name": PROVIDER,
        "operation": "completions",
        "sub_account_id": text(row, "workspace_id"),
        "deployment_id": text(row, "endpoint_id"),
        "model": text(row, "model"),
        "request_count": count(row, "requests"),
        **_tokens(row),
        "x_extra": extra_json({**kept, **money, **new}),
    }
    return StagedRow(staged, identity(row), new)


def _tokens(row: JsonRow) -> dict[str, Any]:
    """What the report tells: cached input is inside of the prompt, by an unknown part. The parts stay NULL."""
    prompt, completion = count(row, "prompt_tokens"), count(row, "completion_tokens")
    reasoning = count(row, "reasoning_tokens")
    if reasoning and (completion is None or reasoning > completion):
        raise RowError(
            "parts_do_not_add_up",
            f"completion_tokens is {completion}, and {reasoning} reasoning_tokens should be among them",
            "completion_tokens",
        )
    return {
        "output_text_tokens": None if completion is None else completion - (reasoning or 0),
        "output_reasoning_tokens": None if completion is None else reasoning,
        "input_total_tokens": prompt,
        "output_total_tokens": completion,
        "input_semantics": "inclusive",
    }
