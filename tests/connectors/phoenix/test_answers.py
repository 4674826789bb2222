"""What a Phoenix server answers is read to its end, and an answer that is none is no delivery."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import LandedPage, Parsed, SourceError
from connectors.phoenix import Phoenix
from connectors.windows import day_window
from tests.connectors.faulty_server import Clock, FaultyServer, Request, json_answer
from tests.connectors.phoenix.answers import AGENT, CALL, KEY, PATH, PROJECT, serve, span

CAPTURE = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_gateway/phoenix_real/spans_page1.json"
SOURCE = Phoenix(sleep=Clock().sleep)
WINDOW = day_window(date(2026, 11, 21))


def settings(url: str, **over: Any) -> Any:
    given = {"name": "phoenix", "kind": "phoenix", "url": url, "project": PROJECT, "hash_key": "sixteen letters!"}
    return SOURCE.settings_model.model_validate({**given, "api_key": KEY, **over})


def landed(given: Any) -> list[bytes]:
    return [page.body.open().__enter__().read() for page in SOURCE.fetch(given, WINDOW)]


def night(given: Any) -> Parsed:
    bodies = [(page, page.body.open().__enter__().read()) for page in SOURCE.fetch(given, WINDOW)]
    pages = [LandedPage(page.name, hashlib.sha256(body).hexdigest(), page.body) for page, body in bodies]
    first, *others = SOURCE.parse(given, WINDOW, pages)
    return Parsed(
        first.rows,
        rejects=first.rejects,
        duplicate_count=first.duplicate_count,
        notices=tuple(notice for chunk in (first, *others) for notice in chunk.notices),
    )


def test_the_day_is_asked_for_with_its_bounds_and_the_key(server: FaultyServer) -> None:
    serve(server, [span(number, CALL) for number in range(5, 0, -1)])
    assert landed(settings(server.url, spans_per_answer=2))[0].count(b"\n") == 5
    assert [request.query.get("cursor") for request in server.requests] == [None, ["2"], ["4"]]
    for request in server.requests:
        assert request.query["start_time"] == ["2026-11-21T00:00:00Z"]
        assert request.query["end_time"] == ["2026-11-22T00:00:00Z"]
        assert request.headers["Authorization"] == f"Bearer {KEY}"


def test_a_server_without_sign_in_is_asked_without_a_key(server: FaultyServer) -> None:
    serve(server, [])
    assert landed(settings(server.url, api_key=None)) == []
    assert "Authorization" not in server.requests[0].headers


def test_a_project_s_name_is_one_part_of_the_address(server: FaultyServer) -> None:
    server.route("/v1/projects/support bot & more/spans", json_answer(b'{"data": [], "next_cursor": null}'))
    assert SOURCE.probe(settings(server.url, project="support bot & more")).endswith("with no spans")


def test_tokens_that_a_store_computed_are_rounded_within_a_hundredth(server: FaultyServer) -> None:
    prompt, read = "llm.token_count.prompt", "llm.token_count.prompt_details.cache_read"
    close, odd = {**CALL, prompt: 1200.0, read: 1023.9999999999999}, {**CALL, read: 1023.5}
    serve(server, [span(2, odd), span(1, close)])
    found = night(settings(server.url))
    assert found.rows.select(["input_total_tokens", "cache_read_tokens"]).to_pylist() == [
        {"input_total_tokens": 1200, "cache_read_tokens": 1024}
    ]
    assert [reject.reason for reject in found.rejects] == ["unreadable_value"]


def test_nothing_that_was_said_reaches_a_page(server: FaultyServer) -> None:
    said = {"input.value": "canary-1", "output.value": "canary-2", "llm.input_messages.0.message.content": "canary-3"}
    serve(server, [span(2, CALL | said, parent=1), span(1, AGENT, "AGENT")])
    (page,) = landed(settings(server.url))
    assert b"canary" not in page
    assert b"alice" not in page


@pytest.mark.parametrize("body", [b'{"detail": []}', b'{"data": {}}', b"[]", b'{"data": ['])
def test_an_answer_of_another_kind_is_no_delivery(body: bytes, server: FaultyServer) -> None:
    server.route(PATH, json_answer(body))
    with pytest.raises(SourceError, match="is it a Phoenix server"):
        landed(settings(server.url))


def test_a_span_that_is_none_is_refused(server: FaultyServer) -> None:
    serve(server, ["canary", {"name": "canary"}, span(1, CALL)])
    found = night(settings(server.url))
    assert [reject.reason for reject in found.rejects] == ["unknown_format", "unknown_format"]
    assert found.rows.num_rows == 1


def test_a_captured_answer_of_the_real_server_is_read(server: FaultyServer) -> None:
    if not CAPTURE.is_file():
        pytest.skip("the captured answers are not beside this checkout")
    captured = json.loads(CAPTURE.read_text())

    def answer(request: Request) -> Any:
        is_first = "cursor" not in request.query
        return json_answer(json.dumps(captured if is_first else {"data": [], "next_cursor": None}).encode())

    server.route(PATH, answer)
    (row,) = night(settings(server.url)).rows.to_pylist()
    assert (row["request_id"], row["billed_model"]) == ("5d6d1079e3233395", "gpt-4o-2024-08-06")
    assert (row["input_uncached_tokens"], row["cache_read_tokens"], row["output_text_tokens"]) == (176, 1024, 300)
    assert (row["gateway_team_id"], row["tags"]) == ("support", '["env:prod"]')


@pytest.mark.parametrize(
    "over", [{"url": "phoenix.example.com"}, {"url": "https://u:p@phoenix.example.com"}, {"project": "a/b"}]
)
def test_settings_that_cannot_be_meant_are_refused(over: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        settings(**{"url": "https://phoenix.example.com", **over})
