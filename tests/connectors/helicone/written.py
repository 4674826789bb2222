"""Requests such as Helicone tells them, made by hand, and an organisation that answers for them."""

import json
from collections.abc import Sequence
from typing import Any

from tests.connectors.faulty_server import Answer, FaultyServer, Request, json_answer

HASH_KEY = "a key of the tests' own"
API_KEY = "sk-helicone-secret"
PATH = "/v1/request/query-clickhouse"
NOBODY = "00000000-0000-0000-0000-000000000000"


def request(number: int = 1, **over: Any) -> dict[str, Any]:
    """gpt-4o: 176 new tokens, 1,024 read from the cache, 300 out; 0.00472 USD."""
    return {
        "response_id": "11111111-1111-1111-1111-111111111111",
        "response_created_at": "2026-11-21T01:38:41.441Z",
        "response_status": 200,
        "response_body": {"choices": [{"message": {"content": "an answer"}}]},
        "response_model": None,
        "request_id": f"req-{number}",
        "request_created_at": "2026-11-21T01:38:40.440Z",
        "request_body": {"messages": [{"role": "user", "content": "a prompt"}]},
        "request_path": "https://api.openai.com/v1/chat/completions?key=private",
        "request_user_id": "alice@corp.test",
        "request_properties": {"team": "search", "ticket": "T-1", "Helicone-Session-Id": "s1", "note": "private"},
        "properties": {"team": "search", "ticket": "T-1", "Helicone-Session-Id": "s1", "note": "private"},
        "request_model": "gpt-4o-2024-08-06",
        "model_override": None,
        "helicone_user": "alice@corp.test",
        "provider": "OPENAI",
        "delay_ms": 1001,
        "time_to_first_token": None,
        "total_tokens": 476,
        "prompt_tokens": 176,
        "prompt_cache_write_tokens": 0,
        "prompt_cache_read_tokens": 1024,
        "completion_tokens": 300,
        "cost": 0.00472,
        "model": "gpt-4o-2024-08-06",
        "cache_enabled": False,
        "cache_reference_id": NOBODY,
        "country_code": "US",
        "scores": {},
        "target_url": "https://api.openai.com/v1/chat/completions",
        "signed_body_url": "https://bodies.test/req?X-Amz-Signature=private",
        "updated_at": "2026-11-21T02:39:54.000Z",
        **over,
    }


class Organisation:
    """A Helicone that gives out requests by offset, the same ones once a page however often its table holds them."""

    def __init__(self, rows: Sequence[dict[str, Any]], *, ignores_offset: bool = False) -> None:
        self.rows = list(rows)
        self.ignores_offset = ignores_offset
        self.asked: list[dict[str, Any]] = []

    def install(self, server: FaultyServer) -> None:
        server.route(PATH, self.answer)

    def answer(self, request: Request) -> Answer:
        known = {name.lower(): value for name, value in request.headers.items()}
        if known.get("authorization") != f"Bearer {API_KEY}":
            return json_answer(b'{"error": "unauthorized"}', 401)
        asked = json.loads(request.body)
        self.asked.append(asked)
        if asked["limit"] > 1000 or asked["sort"] != {"created_at": "asc"}:
            return json_answer(b'{"data": null, "error": "invalid limit"}', 500)
        since = asked["filter"]["left"]["request_response_rmt"]["request_created_at"]["gte"]
        before = asked["filter"]["right"]["request_response_rmt"]["request_created_at"]["lt"]
        found = [row for row in self.rows if since <= row["request_created_at"] < before]
        first = 0 if self.ignores_offset else asked["offset"]
        rows = {row["request_id"]: row for row in found[first : first + asked["limit"]]}
        return json_answer(json.dumps({"data": list(rows.values()), "error": None}).encode())


def page(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as they are landed: compact, keys in order."""
    return b"".join(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in rows)
