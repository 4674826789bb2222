"""A company's own log, in fields that nobody else has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.mapped_log import SOURCE
from tests.connectors.stored_log import LogFolder

FIELDS = {
    "request_id": "id",
    "started_at": "at",
    "latency": "took_ms",
    "status": "result",
    "provider": "vendor",
    "billed_model": "answer.model",
    "input_tokens": "used.in",
    "output_tokens": "used.out",
    "cache_read_tokens": "used.cached",
    "output_reasoning_tokens": "used.thought",
    "cost": "price",
    "user_hash": "caller.mail",
    "prompt_hash": "messages",
    "gateway_team_id": "caller.team",
    "is_cache_hit": "cache",
    "api_base": "url",
}
GIVEN = {
    "fields": FIELDS,
    "words": {"status": {"ok": "success", "err": "failure"}, "is_cache_hit": {"HIT": "true", "MISS": "false"}},
    "convention": {"cache_read": "inside", "reasoning": "inside"},
    "tags_from": {"country": "geo.country"},
    "extras": {"attempt": "try"},
}


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", SOURCE, GIVEN)


@pytest.fixture(scope="session")
def row() -> Callable[..., dict[str, Any]]:
    """A row made by hand: 1000 tokens in, of which 600 cached; 50 out, of which 20 reasoning."""

    def make(**over: Any) -> dict[str, Any]:
        return {
            "id": "r1",
            "at": "2026-11-21T02:00:00.25Z",
            "took_ms": 1500,
            "result": "ok",
            "vendor": "openai",
            "answer": {"model": "openai/gpt-5-mini", "text": "an answer"},
            "used": {"in": 1000, "out": 50, "cached": 600, "thought": 20},
            "price": 0.000215,
            "caller": {"mail": "alice@corp.test", "team": "search"},
            "messages": [{"role": "user", "content": "a prompt"}],
            "cache": "MISS",
            "url": "https://user:pw@api.example.com/v1/?key=secret",
            "geo": {"country": "DE"},
            "try": 2,
            **over,
        }

    return make
