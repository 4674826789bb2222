"""Entries such as Kong's logging plugins write, made by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.kong import SOURCE
from tests.connectors.stored_log import LogFolder


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    (tmp_path / "log").mkdir()
    return LogFolder(tmp_path / "log", SOURCE, {"layout": "*", "outcome_keys": ["x-ticket"]})


@pytest.fixture(scope="session")
def call() -> Callable[..., dict[str, Any]]:
    """One call of a model: 1200 in, of them 1024 cached; 300 out, of them 128 reasoning; Kong's price is 0.006."""

    def make(**usage: Any) -> dict[str, Any]:
        return {
            "payload": {"request": "a prompt", "response": "an answer"},
            "meta": {
                "plugin_id": "p1",
                "provider_name": "openai",
                "request_model": "gpt-5",
                "response_model": "gpt-5-2025-08-07",
                "llm_latency": 985,
                "request_mode": "oneshot",
            },
            "usage": {
                "time_per_token": 3.28,
                "prompt_tokens": 1200,
                "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
                "completion_tokens": 300,
                "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
                "total_tokens": 1500,
                "cost": 0.006,
                **usage,
            },
        }

    return make


@pytest.fixture(scope="session")
def entry(call: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The entry of a request that took 1.001 s from 2026-11-21T01:38:40.440Z; `ai` is the call alone, as of today."""

    def make(**over: Any) -> dict[str, Any]:
        return {
            "started_at": 1795225120440,
            "client_ip": "203.0.113.77",
            "request": {
                "id": "9ec9264a",
                "uri": "/v1/chat/completions?key=a-key",
                "method": "POST",
                "querystring": {"key": "a-key"},
                "headers": {
                    "authorization": "Bearer a-key",
                    "user-agent": "an agent",
                    "x-feature": "answer",
                    "x-ticket": "T-1",
                    "x-user-id": "alice@corp.test",
                    "x-team-id": "search",
                },
            },
            "response": {"status": 200, "size": 812, "headers": {"set-cookie": "a-key"}},
            "consumer": {"id": "c1", "username": "search-svc", "custom_id": "CC-100"},
            "authenticated_entity": {"id": "k1"},
            "latencies": {"proxy": 990, "request": 1001, "kong": 11},
            "tries": [{"ip": "162.159.140.245", "port": 443, "balancer_latency": 0}],
            "service": {"id": "s1", "name": "llm", "host": "api.openai.com"},
            "route": {"id": "r1", "name": "openai-chat"},
            "workspace_name": "default",
            "ai": {"proxy": call()},
            **over,
        }

    return make
