"""Langfuse's scores as outcomes: by its public API, or from its blob export."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any, ClassVar

from connectors.base import LandedPage, Page, Parsed, RefusedRequestError, Reject, SourceSettings, Window
from connectors.http import HttpSession, Pace
from connectors.langfuse.client import instant_text, not_known, rows_of, session_of
from connectors.langfuse.score_rows import (
    DATA_TYPES,
    ESSENTIAL,
    allowed,
    is_asked_for,
    of_api,
    of_export,
    staged_score,
)
from connectors.langfuse.settings import LangfuseScoresSettings
from connectors.logs.attempt import RowError
from connectors.logs.files import Csv
from connectors.logs.instants import microseconds
from connectors.logs.landed import lines_of, record_of, reject_of
from connectors.logs.landing import StoredShape, land_rows, land_stored
from connectors.logs.latest import Versions
from connectors.logs.probing import found_there
from connectors.logs.settings import StoredRowsSettings
from connectors.logs.small_days import require_inside, table_of
from connectors.logs.withheld import take_out_withheld
from connectors.windows import day_windows

_PATH = "/api/public/v3/scores"
_MOST_ROWS = "100"
_OLDER = "Langfuse before version 3.179 does not have it: read its blob export, with 'location'."
_LONG_AGO = date(2015, 1, 1)  # before Langfuse: a folder that is listed without being read through
_TABLE = Csv(frozenset({"id", "timestamp", "name", "value"}))


class LangfuseScores:
    """Scores of the names that the settings give. See `connectors.base.Source`, and the README."""

    kind: ClassVar[str] = "langfuse_scores"
    fact: ClassVar[str] = "outcome_scores"
    settings_model: ClassVar[type[SourceSettings]] = LangfuseScoresSettings

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._pace = Pace(sleep=sleep)

    def windows(self, settings: LangfuseScoresSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: LangfuseScoresSettings, window: Window) -> Iterator[Page]:
        """The day's scores after the allow-list."""
        if settings.location is not None:
            yield from land_stored(_stored(settings), window, partial(_shape, settings))
            return
        with self._session(settings) as session:
            yield from land_rows(_told(session, settings, window), window, allowed(settings).redact)

    def parse(self, settings: LangfuseScoresSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Rows of `outcome_scores`, in one chunk: a day of outcomes is small.

        Raises IncompleteDeliveryError for a page that ends in the middle of a row.
        """
        landed = sorted(pages, key=lambda page: page.digest)
        versions = Versions(landed, "id", "updatedAt")
        known = allowed(settings).known
        rows, rejects = list[dict[str, Any]](), list[Reject]()
        unknown, seen, repeated = set[str](), set[str](), 0
        for page in landed:
            for number, line in lines_of(page):
                try:
                    record, refused = _readable(line)
                    row = staged_score(record, known)
                    require_inside(window, row["scored_at"], "timestamp")
                except RowError as refusal:
                    rejects.append(reject_of(page.page_id, number, line, refusal, None))
                    continue
                if row["score_id"] in seen or versions.is_outdated(record):
                    repeated += 1
                    continue
                seen.add(row["score_id"])
                unknown |= record.keys() - known
                rejects += [reject_of(page.page_id, number, line, refusal, None) for refusal in refused]
                rows.append(row | {"x_page": page.page_id, "x_row": number})
        told = tuple(f"field {name} is not known; it is kept in x_extra" for name in sorted(unknown))
        yield Parsed(table_of("outcome_scores", settings, window, rows), tuple(rejects), repeated, notices=told)

    def probe(self, settings: LangfuseScoresSettings) -> str:
        """Asks for one score, or lists the export."""
        if settings.location is not None:
            return found_there(_stored(settings))
        with self._session(settings) as session:
            try:
                session.get(f"{settings.url}{_PATH}", {"limit": "1"})
            except RefusedRequestError as error:
                raise not_known(error, _OLDER) from None
        return f"{settings.url} tells its scores to the project of {str(settings.public_key)[:10]}..."

    def _session(self, settings: LangfuseScoresSettings) -> HttpSession:
        if settings.public_key is None or settings.secret_key is None:
            raise ValueError("the settings hold no keys")  # their own check says so before
        return session_of(settings.public_key, settings.secret_key, self._pace)


SOURCE = LangfuseScores()


def _told(session: HttpSession, settings: LangfuseScoresSettings, window: Window) -> Iterator[Mapping[str, Any]]:
    params = {
        "fields": "subject",
        "name": ",".join(settings.names),
        "dataType": ",".join(DATA_TYPES),
        "fromTimestamp": instant_text(window.start),
        "toTimestamp": instant_text(window.end),
        "limit": _MOST_ROWS,
    }
    try:
        for row in rows_of(session, f"{settings.url}{_PATH}", params):
            if is_asked_for(settings, score := of_api(row)):
                yield score
    except RefusedRequestError as error:
        raise not_known(error, _OLDER) from None


def _shape(settings: LangfuseScoresSettings) -> StoredShape:
    def records(row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        score = of_export(row)
        return (score,) if is_asked_for(settings, score) else ()

    return StoredShape(allowed(settings).redact, lambda row: microseconds(row.get("timestamp")), records, _TABLE)


def _stored(settings: LangfuseScoresSettings) -> StoredRowsSettings:
    return StoredRowsSettings(
        name=settings.name,
        kind=settings.kind,
        hash_key=settings.hash_key,
        storage=settings.storage,
        location=str(settings.location),
        layout=settings.layout,
    )


def _readable(line: bytes) -> tuple[dict[str, Any], list[RowError]]:
    record = record_of(line)
    return record, take_out_withheld(record, ESSENTIAL)
