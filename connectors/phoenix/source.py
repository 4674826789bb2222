"""The source of a Phoenix server's spans: asking for a day, page by page.

API: https://arize.com/docs/phoenix/sdk-api-reference/rest-api (`GET /v1/projects/{name}/spans`). The newest spans come
first, and their cursor does not move when others come in meanwhile.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, cast
from urllib.parse import quote

import orjson

from connectors.base import Page, RefusedRequestError, SourceError, SourceSettings, Window
from connectors.http import HttpSession, Pace, Turn, paginate
from connectors.logs.landing import land_rows
from connectors.logs.traces.source import TraceLog
from connectors.logs.traces.spans import NO_SPAN, span_of
from connectors.phoenix.settings import PhoenixSettings

_MOST_ANSWERS = 1_000_000


class Phoenix(TraceLog[PhoenixSettings]):
    """Calls of models, told by the spans of a Phoenix project. See the README for what is read, counted and dropped."""

    kind: ClassVar[str] = "phoenix"
    settings_model: ClassVar[type[SourceSettings]] = PhoenixSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def fetch(self, settings: PhoenixSettings, window: Window) -> Iterator[Page]:
        """The spans that started in the window, after the allow-list.

        Raises IncompleteDeliveryError when the answers turn in a circle.
        """
        bounds = {"start_time": f"{window.start.isoformat()}Z", "end_time": f"{window.end.isoformat()}Z"}
        with self._session(settings) as session:
            answers = paginate("", partial(_answer, session, settings, bounds), _MOST_ANSWERS)
            rows = (span_of(span, {}, None, settings.wanted_keys) for spans in answers for span in spans)
            yield from land_rows(rows, window, self.allow_list(settings).redact)

    def probe(self, settings: PhoenixSettings) -> str:
        """Whether the project is there and may be read, in one line."""
        with self._session(settings) as session:
            spans = _answer(session, settings.model_copy(update={"spans_per_answer": 1}), {}, "").page
        return f"{settings.url}: the project {settings.project} can be read, {'and has' if spans else 'with no'} spans"

    def _session(self, settings: PhoenixSettings) -> HttpSession:
        headers = {"Accept": "application/json"}
        if settings.api_key is not None:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        return HttpSession(headers=headers, pace=self._pace)


def _answer(
    session: HttpSession, settings: PhoenixSettings, bounds: Mapping[str, str], cursor: str
) -> Turn[list[Mapping[str, Any]], str]:
    """One answer and the cursor of the next. Raises SourceError for what is no answer of Phoenix."""
    path = f"{settings.url}/v1/projects/{quote(settings.project, safe='')}/spans"
    asked = {**bounds, "limit": str(settings.spans_per_answer), **({"cursor": cursor} if cursor else {})}
    try:
        body = session.get(path, asked).body
    except RefusedRequestError as error:
        if error.status == 404:
            raise SourceError(
                f"{error} Is there a project of the name {settings.project!r}, and does the url lead to Phoenix?"
            ) from None
        raise
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{path} answered with what is no JSON ({error}); is it a Phoenix server?") from None
    spans = found.get("data") if isinstance(found, dict) else None
    if not isinstance(spans, list):
        raise SourceError(f"{path} answered without a list of spans under 'data'; is it a Phoenix server?")
    rows = [cast("Mapping[str, Any]", span) if isinstance(span, dict) else NO_SPAN for span in spans]
    return Turn(rows, cast("str | None", found.get("next_cursor")) or None)


SOURCE = Phoenix()
