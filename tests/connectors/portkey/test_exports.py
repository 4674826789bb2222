"""A day is exported in as many jobs as it takes, whole or not at all, and never with a body."""

from typing import Any

import pytest

from connectors.base import AuthenticationError, IncompleteDeliveryError, SourceError
from connectors.windows import day_window
from tests.connectors.faulty_server import HTML_PAGE, Answer, Clock, FaultyServer, Request
from tests.connectors.portkey.exchange import API_KEY, SIGNATURE, Workspace, request, source
from tests.connectors.stored_log import DAY

HOURS = [request(id=f"r{hour:02d}", created_at=f"2026-11-21T{hour:02d}:30:00.000Z") for hour in range(24)]


def fetched(workspace: Workspace, server: FaultyServer, clock: Clock | None = None, **over: Any) -> bytes:
    settings = workspace.install(server, **over)
    pages = source(clock or Clock()).fetch(settings, day_window(DAY))
    return b"".join(page.body.open().__enter__().read() for page in pages)


def test_a_day_of_more_rows_than_an_export_holds_is_asked_for_in_parts(server: FaultyServer) -> None:
    workspace = Workspace(HOURS, most_hours=6)
    landed = fetched(workspace, server)
    assert [landed.count(f'"r{hour:02d}"'.encode()) for hour in range(24)] == [1] * 24
    windows = [workspace.window(workspace.drafts[number]) for number in workspace.started]
    assert [(first.hour, last.hour) for first, last in windows] == [(0, 6), (6, 12), (12, 18), (18, 0)]
    assert workspace.cancelled == [0, 1, 4]  # the day and its halves, which nobody would have started


def test_bodies_are_never_asked_for_and_never_landed(server: FaultyServer) -> None:
    workspace = Workspace(HOURS)
    landed = fetched(workspace, server)
    for draft in workspace.drafts:
        assert not {"request", "response"} & set(draft["requested_data"])
        assert draft["workspace_id"] == "ws-acme"
    for word in (b"a prompt", b"an answer", b"alice", b"private"):
        assert word not in landed


def test_an_export_that_takes_its_time_is_waited_for(server: FaultyServer) -> None:
    clock = Clock()
    assert fetched(Workspace(HOURS, polls=4), server, clock).count(b"\n") == 24
    assert clock.slept == [2.0, 3.0, 4.5, 6.75]


def test_an_export_that_never_ends_is_left(server: FaultyServer) -> None:
    clock = Clock()
    with pytest.raises(SourceError, match="5 minutes"):
        fetched(Workspace(HOURS, polls=10**6), server, clock, export_minutes=5)
    assert 270 < sum(clock.slept) <= 300


@pytest.mark.parametrize("status", ["failed", "stopped", "failure"])
def test_an_export_that_fails_is_no_delivery(status: str, server: FaultyServer) -> None:
    with pytest.raises(SourceError, match=status):
        fetched(Workspace(HOURS, status=status), server)


def test_an_export_of_fewer_rows_than_announced_is_incomplete(server: FaultyServer) -> None:
    with pytest.raises(IncompleteDeliveryError, match="23 of the 24 rows"):
        fetched(Workspace(HOURS, lost=1), server)


def test_a_web_page_in_the_files_place_is_incomplete(server: FaultyServer) -> None:
    workspace = Workspace(HOURS)
    settings = workspace.install(server)
    server.route("/bucket/", HTML_PAGE)
    with pytest.raises(IncompleteDeliveryError, match="no JSON"):
        list(source(Clock()).fetch(settings, day_window(DAY)))


def test_a_second_of_more_rows_than_an_export_holds_is_said_so(server: FaultyServer) -> None:
    workspace = Workspace(HOURS, most_hours=0)
    with pytest.raises(SourceError, match="portkey_files"):
        fetched(workspace, server)
    assert workspace.started == []


def test_an_empty_day_takes_no_export(server: FaultyServer) -> None:
    workspace = Workspace([])
    assert fetched(workspace, server) == b""
    assert (workspace.started, workspace.cancelled) == ([], [0])


def test_a_start_whose_answer_was_lost_is_not_a_failure(server: FaultyServer) -> None:
    workspace = Workspace(HOURS)
    settings = workspace.install(server)
    server.inject(lambda good: good, lambda good: Answer(good.body, good.status, good.headers, cut_to=1))
    pages = list(source(Clock()).fetch(settings, day_window(DAY)))
    assert workspace.started == [0]
    assert len(pages) == 1


def test_a_start_that_is_refused_ends_the_night(server: FaultyServer) -> None:
    workspace = Workspace(HOURS)
    settings = workspace.install(server)
    good = workspace.export

    def refusing(asked: Request) -> Answer:
        return Answer(b'{"message": "quota"}', 400) if asked.path.endswith("/start") else good(asked)

    server.route("/v1/logs/exports/", refusing)
    with pytest.raises(SourceError, match="quota"):
        list(source(Clock()).fetch(settings, day_window(DAY)))


def test_a_link_that_has_expired_is_told_without_its_signature(server: FaultyServer) -> None:
    workspace = Workspace(HOURS)
    settings = workspace.install(server)
    server.route("/bucket/", Answer(f"expired {SIGNATURE}".encode(), 403))
    with pytest.raises(AuthenticationError) as failure:
        list(source(Clock()).fetch(settings, day_window(DAY)))
    assert SIGNATURE not in str(failure.value)
    assert API_KEY not in str(failure.value)


def test_a_probe_drafts_nothing(server: FaultyServer) -> None:
    workspace = Workspace(HOURS)
    assert "0 were made" in source(Clock()).probe(workspace.install(server))
    assert workspace.drafts == []
