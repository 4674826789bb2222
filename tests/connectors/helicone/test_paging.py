"""A day is read whole although the table behind the API is merged while it is paged through."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from tests.connectors.faulty_server import Answer, Request, json_answer
from tests.connectors.helicone.conftest import Reader
from tests.connectors.helicone.written import PATH, request


def day(count: int) -> list[dict[str, Any]]:
    """Requests spread over the day, one every so many milliseconds."""
    start = datetime(2026, 11, 21)
    step = timedelta(days=1) / count
    return [
        request(n, request_created_at=f"{(start + n * step).isoformat(timespec='milliseconds')}Z") for n in range(count)
    ]


def ids(pages: list[bytes]) -> list[str]:
    return [json.loads(line)["request_id"] for content in pages for line in content.splitlines()]


@pytest.mark.parametrize(("rows_per_page", "hours"), [(2, 4), (3, 24), (10, 24), (7, 5), (1000, 1)])
def test_every_request_of_a_day_comes_once_however_it_is_paged(rows_per_page: int, hours: int, reader: Reader) -> None:
    pages = reader.pages(day(29), rows_per_page=rows_per_page, hours_per_query=hours)
    assert ids(pages) == [f"req-{n}" for n in range(29)]


def test_the_day_is_asked_for_in_half_open_parts_without_inputs(reader: Reader) -> None:
    reader.pages([], hours_per_query=8)
    parts = [
        (
            asked["filter"]["left"]["request_response_rmt"]["request_created_at"],
            asked["filter"]["right"]["request_response_rmt"]["request_created_at"],
            asked["includeInputs"],
        )
        for asked in reader.organisation.asked
    ]
    assert parts == [
        ({"gte": f"2026-11-21T{start}:00:00.000Z"}, {"lt": f"{end}:00:00.000Z"}, False)
        for start, end in (("00", "2026-11-21T08"), ("08", "2026-11-21T16"), ("16", "2026-11-22T00"))
    ]


def test_pages_made_short_by_repeated_rows_are_not_the_end(reader: Reader) -> None:
    rows = [row for row in day(30) for _ in range(3)]
    pages = reader.pages(rows, rows_per_page=10, hours_per_query=24)
    assert sorted(set(ids(pages))) == sorted(f"req-{n}" for n in range(30))
    assert len(ids(pages)) == 30


def merging(reader: Reader, vanished: int) -> None:
    """Of the rows of the first page so many repeated ones disappear before the second is asked for."""
    whole = [*(request(0) for _ in range(vanished)), *day(50)]

    def answer(asked: Request) -> Answer:
        good = reader.organisation.answer(asked)
        reader.organisation.rows = day(50)
        return good

    reader.server.route(PATH, answer)
    reader.organisation.rows = whole


def test_rows_that_come_nearer_while_they_are_read_are_not_missed(reader: Reader) -> None:
    merging(reader, vanished=1)
    settings = reader.settings(rows_per_page=20, hours_per_query=24)
    pages = reader.source.fetch(settings, reader.source.windows(settings, datetime(2026, 11, 21).date())[-1])
    assert ids([page.body.open().__enter__().read() for page in pages]) == [f"req-{n}" for n in range(50)]


def test_rows_that_move_further_than_pages_overlap_leave_the_day_as_it_was(reader: Reader) -> None:
    merging(reader, vanished=5)
    settings = reader.settings(rows_per_page=20, hours_per_query=24)
    window = reader.source.windows(settings, datetime(2026, 11, 21).date())[-1]
    with pytest.raises(IncompleteDeliveryError, match="rows moved"):
        list(reader.source.fetch(settings, window))


@pytest.mark.parametrize("body", [b'{"data": null, "error": "invalid limit"}', b'{"error": null}', b"[]"])
def test_an_answer_that_is_no_list_of_requests_is_an_error(body: bytes, reader: Reader) -> None:
    reader.server.route(PATH, json_answer(body))
    settings = reader.settings()
    with pytest.raises(SourceError):
        list(reader.source.fetch(settings, reader.source.windows(settings, datetime(2026, 11, 21).date())[-1]))
