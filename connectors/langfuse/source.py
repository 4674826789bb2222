"""Langfuse's observations by its public API: the source's declaration."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from connectors.base import LandedPage, Page, Parsed, RefusedRequestError, SourceSettings, Window
from connectors.http import Pace
from connectors.langfuse.client import instant_text, not_known, rows_of, session_of
from connectors.langfuse.observations import CALLS, ESSENTIAL, allowed, attempt, reported_cost
from connectors.langfuse.parsing import parse_observations
from connectors.langfuse.settings import LangfuseSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.landing import land_rows
from connectors.logs.source import RequestLog

_PATH = "/api/public/v2/observations"
_GROUPS = "core,basic,time,metadata,model,usage,metrics,trace_context"  # without `io`: bodies are not even asked for
_OLDER = "Langfuse before version 4 does not have it: read that one's blob export (kind langfuse_export)."


class Langfuse(RequestLog[LangfuseSettings]):
    """Calls of models that a Langfuse project observed. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "langfuse"
    settings_model: ClassVar[type[SourceSettings]] = LangfuseSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def allow_list(self, settings: LangfuseSettings) -> AllowList:
        """The fields of an observation."""
        return allowed(settings)

    def fetch(self, settings: LangfuseSettings, window: Window) -> Iterator[Page]:
        """The day's generations and embeddings after the allow-list."""
        yield from land_rows(self._calls(settings, window), window, self.allow_list(settings).redact)

    def read(self, settings: LangfuseSettings, record: Record) -> Attempt:
        """See `observations`."""
        return attempt(settings, record)

    def cost(self, settings: LangfuseSettings, record: Record) -> str | Decimal | None:  # noqa: ARG002
        """What Langfuse computed, or was told."""
        return reported_cost(record)

    def parse(self, settings: LangfuseSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """See `parse_observations`."""
        return parse_observations(settings, window, pages, self.remedy)

    def probe(self, settings: LangfuseSettings) -> str:
        """Asks for one observation."""
        url = f"{settings.url}{_PATH}"
        with session_of(settings.public_key, settings.secret_key, self._pace) as session:
            try:
                session.get(url, {"limit": "1", "fields": "core"})
            except RefusedRequestError as error:
                raise not_known(error, _OLDER) from None
        return f"{settings.url} tells its observations to the project of {settings.public_key[:10]}..."

    def _calls(self, settings: LangfuseSettings, window: Window) -> Iterator[Mapping[str, Any]]:
        metadata = {*settings.asked_keys, settings.provider_key, settings.team_id_field.partition(".")[0]}
        params = {
            "fields": _GROUPS,
            "expandMetadata": ",".join(sorted(metadata)),  # others are cut at 200 characters, and dropped anyway
            "fromStartTime": instant_text(window.start),
            "toStartTime": instant_text(window.end),
            "limit": str(settings.rows_per_page),
        }
        with session_of(settings.public_key, settings.secret_key, self._pace) as session:
            for kind in CALLS:
                try:
                    yield from rows_of(session, f"{settings.url}{_PATH}", {**params, "type": kind})
                except RefusedRequestError as error:
                    raise not_known(error, _OLDER) from None
