"""What a Phoenix server answers, replayed: spans newest first, a cursor, the shape of its REST interface."""

import json
from collections.abc import Sequence
from typing import Any

from tests.connectors.faulty_server import FaultyServer, Request, json_answer

KEY = "canary-phoenix-key"
PROJECT = "support-bot"
PATH = f"/v1/projects/{PROJECT}/spans"
TRACE = "d366a98035a594e6054a0f3330aa7106"
CALL: dict[str, Any] = {
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.token_count.prompt": 1200,
    "llm.token_count.completion": 300,
    "llm.token_count.total": 1500,
    "llm.token_count.prompt_details.cache_read": 1024,
}
AGENT: dict[str, Any] = {
    "input.value": "canary-prompt",
    "tag.tags": ["env:prod"],
    "session.id": "sess-9",
    "user.id": "alice@corp.test",
    "metadata.team": "support",
    "metadata.ticket": "T-9",
    "metadata.note": "canary-note",
}


def span(number: int, attributes: dict[str, Any], kind: str = "LLM", parent: int | None = None, **over: Any) -> Any:
    """A span as the server's answer holds it."""
    return {
        "id": f"U3Bhbjo{number}",
        "name": "canary-name",
        "context": {"trace_id": TRACE, "span_id": f"{number:016x}"},
        "span_kind": kind,
        "parent_id": None if parent is None else f"{parent:016x}",
        "start_time": f"2026-11-21T02:31:{number:02d}.069954+00:00",
        "end_time": f"2026-11-21T02:31:{number:02d}.319954+00:00",
        "status_code": "UNSET",
        "status_message": "canary-message",
        "attributes": attributes,
        "events": [{"name": "canary-event", "timestamp": "2026-11-21T02:31:11+00:00", "attributes": {}}],
        **over,
    }


def serve(server: FaultyServer, spans: Sequence[Any], *, loops: bool = False) -> None:
    """Answers as the server does: a cursor names the first span of the next answer."""

    def answer(request: Request) -> Any:
        limit, first = int(request.query["limit"][0]), int(request.query.get("cursor", ["0"])[0])
        more = first + limit < len(spans)
        cursor = str(first + limit) if more else "0" if loops else None
        return json_answer(json.dumps({"data": spans[first : first + limit], "next_cursor": cursor}).encode())

    server.route(PATH, answer)
