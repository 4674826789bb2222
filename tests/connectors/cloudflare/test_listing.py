"""A day of the log is asked for as a closed window, page by page, and what is missing of it is told."""

import json
from datetime import date
from typing import Any

import pytest

from connectors.base import IncompleteDeliveryError, SourceError
from tests.connectors.cloudflare.api import PATH, TOKEN, enveloped, row
from tests.connectors.cloudflare.conftest import Nights, Served
from tests.connectors.faulty_server import FaultyServer, Request
from tests.connectors.stored_log import DAY

FULL_STOPS = {"log_management": 3, "log_management_strategy": "STOP_INSERTING"}
FULL_DELETES = {"log_management": 3, "log_management_strategy": "DELETE_OLDEST"}


def at(instant: str, name: str) -> dict[str, Any]:
    return row(0, id=name, created_at=instant)


DAYS = [
    at("2026-11-20T23:59:59.999Z", "before"),
    at("2026-11-21T00:00:00.000Z", "first"),
    at("2026-11-21T23:59:59.999Z", "last"),
    at("2026-11-22T00:00:00.000Z", "after"),
]


def test_a_day_holds_its_first_instant_and_not_that_of_the_next(nights: Nights, served: Served) -> None:
    served(DAYS)
    assert sorted(found["request_id"] for found in nights.rows()) == ["first", "last"]
    assert [found["request_id"] for found in nights.rows(date(2026, 11, 20))] == ["before"]
    assert [found["request_id"] for found in nights.rows(date(2026, 11, 22))] == ["after"]


def test_the_api_is_asked_as_its_documentation_says(nights: Nights, served: Served, server: FaultyServer) -> None:
    served([row(number) for number in range(120)])
    assert len(nights.rows()) == 120
    asked = [request for request in server.requests if "filters" in request.query]
    assert [request.query["page"] for request in asked] == [["1"], ["2"], ["3"]]
    assert {tuple(request.query["per_page"]) for request in asked} == {("50",)}
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {TOKEN}"}
    (filters,) = asked[0].query["filters"]
    assert json.loads(filters) == [
        {"key": "created_at", "operator": "gt", "value": ["2026-11-20T23:59:59.999Z"]},
        {"key": "created_at", "operator": "lt", "value": ["2026-11-22T00:00:00.000Z"]},
    ]


def test_requests_keep_below_the_limit_of_the_api(nights: Nights, served: Served, server: FaultyServer) -> None:
    """1,200 in five minutes are four a second."""
    served([row(number) for number in range(500)])
    nights.landed()
    assert nights.clock.slept == [0.25] * (len(server.requests) - 1)


def test_a_page_that_is_just_full_is_not_the_last(nights: Nights, served: Served) -> None:
    served([row(number) for number in range(100)])
    assert len(nights.rows()) == 100


def test_a_gateway_without_rows_of_the_day_confirms_that_there_are_none(nights: Nights, served: Served) -> None:
    served([])
    assert nights.landed() == []


@pytest.mark.parametrize("counts_all", [False, True])
def test_totals_of_the_whole_log_are_not_taken_for_those_of_the_day(
    counts_all: bool, nights: Nights, served: Served
) -> None:
    gateway = served(DAYS)
    gateway.counts_all = counts_all
    assert len(nights.rows()) == 2


def test_rows_deleted_while_they_are_read_make_the_delivery_incomplete(
    nights: Nights, served: Served, server: FaultyServer
) -> None:
    """The rows of the second page move up when rows of the first are deleted: those in between are never seen."""
    gateway = served([*(row(number) for number in range(120)), at("2026-11-23T00:00:00.000Z", "other")])
    answer = gateway.logs

    def deleting(request: Request) -> Any:
        if request.query["page"] == ["2"]:
            del gateway.rows[:10]
        return answer(request)

    server.route(f"{PATH}/logs", deleting)
    with pytest.raises(IncompleteDeliveryError, match=r"counts 120 rows .* 110 of them came"):
        nights.landed()


def test_neighbours_that_a_coarse_filter_lets_through_are_left_to_their_own_days(
    nights: Nights, served: Served
) -> None:
    gateway = served(DAYS)
    gateway.filters = False
    assert sorted(found["request_id"] for found in nights.rows()) == ["first", "last"]


def test_a_filter_that_is_not_understood_is_no_day(nights: Nights, served: Served) -> None:
    gateway = served([*DAYS, at("2026-11-22T00:00:01.000Z", "later")])
    gateway.filters = False
    with pytest.raises(SourceError, match="does not filter as its documentation says"):
        nights.landed()


def test_rows_that_come_while_today_is_read_are_taken_or_left(
    nights: Nights, served: Served, server: FaultyServer
) -> None:
    gateway = served([*(row(number) for number in range(60)), at("2026-11-23T00:00:00.000Z", "other")])
    answer = gateway.logs

    def growing(request: Request) -> Any:
        if request.query["page"] == ["2"]:
            gateway.rows.append(row(200))
        return answer(request)

    server.route(f"{PATH}/logs", growing)
    assert len(nights.rows()) == 61


def test_a_full_log_that_stopped_during_the_day_says_since_when(nights: Nights, served: Served) -> None:
    served(DAYS[:3], FULL_STOPS)
    assert nights.night(date(2026, 11, 20)).notices == ()
    assert nights.night(DAY).notices == ()  # the last instant of the day is there
    served([*DAYS[:2], at("2026-11-21T12:00:00.000Z", "noon")], FULL_STOPS)
    (notice,) = nights.night(DAY).notices
    assert "keeps 3 rows, has reached them and stores no more rows" in notice
    assert "its newest row is of 2026-11-21T12:00:00.000Z: requests of this day are missing" in notice
    assert len(nights.night(date(2026, 11, 22)).notices) == 1


def test_a_full_log_that_deleted_the_beginning_of_the_day_says_until_when(nights: Nights, served: Served) -> None:
    served([at("2026-11-21T06:00:00.000Z", "morning"), *DAYS[2:]], FULL_DELETES)
    (notice,) = nights.night(DAY).notices
    assert "deletes its oldest rows; its oldest row is of 2026-11-21T06:00:00.000Z" in notice
    assert nights.night(date(2026, 11, 22)).notices == ()


@pytest.mark.parametrize(
    "kept", [{"log_management": 5, "log_management_strategy": "STOP_INSERTING"}, {"log_management": None}]
)
def test_a_log_with_room_left_or_without_a_stated_limit_tells_of_no_gap(
    kept: dict[str, Any], nights: Nights, served: Served
) -> None:
    served(DAYS[:2], kept)
    assert nights.night().notices == ()


def test_a_refusal_inside_of_an_answer_is_one_and_repeats_no_row(
    nights: Nights, served: Served, server: FaultyServer
) -> None:
    served(DAYS)
    errors = [{"code": 7001, "message": "bad filters"}]
    server.route(f"{PATH}/logs", lambda _request: enveloped(["a prompt"], success=False, errors=errors))
    with pytest.raises(SourceError, match="bad filters") as failure:
        nights.landed()
    assert "a prompt" not in str(failure.value)


@pytest.mark.parametrize("result", [None, {"a": 1}, ["a prompt"]])
def test_an_answer_of_another_shape_is_refused_and_not_repeated(
    result: Any, nights: Nights, served: Served, server: FaultyServer
) -> None:
    served(DAYS)
    server.route(f"{PATH}/logs", lambda _request: enveloped(result))
    with pytest.raises(SourceError, match="a list of rows was expected") as failure:
        nights.landed()
    assert "a prompt" not in str(failure.value)


def test_the_probe_says_how_many_rows_there_are_of_how_many(nights: Nights, served: Served) -> None:
    served(DAYS, FULL_STOPS)
    said = nights.source.probe(nights.settings())
    assert said == "gateway production of account acc1 holds 4 rows of at most 3"
