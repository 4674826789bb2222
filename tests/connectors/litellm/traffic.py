"""Callers of a real gateway: each kind of request once, with a canary in every place that may hold something personal."""

from dataclasses import dataclass
from typing import Any

from tests.connectors.litellm.proxy import Proxy

TOOL = {
    "type": "function",
    "function": {
        "name": "canary_tool",
        "description": "canary-tool-text",
        "parameters": {"type": "object", "properties": {"canary-tool-field": {"type": "string"}}},
    },
}
OBJECTS = 11  # nine answers; the flaky model's failure, which another model made good; the broken one's
ROWS = 10  # the table has no failure that was made good


@dataclass(frozen=True)
class Traffic:
    """The gateway after the requests: `captured` is what its own writer would put into its database."""

    proxy: Proxy
    captured: list[dict[str, Any]]
    objects: list[str]


def drive(proxy: Proxy) -> Traffic:
    """Asks, and waits until everything is logged."""
    marked = {
        "tags": ["feature:search", "env:production"],
        "spend_logs_metadata": {"ticket_id": "T-1", "note": "canary-note"},
    }
    answers = [
        proxy.chat("gpt-4o", user="canary-end-user", metadata={**marked, "other": "canary-metadata"}, tools=[TOOL]),
        proxy.chat("gpt-5"),
        proxy.chat("claude-sonnet", key="sk-team-support"),
        proxy.chat("flaky"),  # fails, and is answered by gpt-4o
        proxy.chat("gpt-4o", stream=True),
        proxy.ask("/v1/embeddings", {"model": "text-embedding-3-small", "input": "canary-prompt"}),
        proxy.ask(
            "/v1/messages",
            {
                "model": "claude-sonnet",
                "max_tokens": 64,
                "system": "canary-system",
                "messages": [{"role": "user", "content": "canary-prompt"}],
                "metadata": {"user_id": "canary-end-user"},
            },
            key="sk-team-support",
        ),
        *(proxy.chat("gpt-4o", temperature=0.5, cache={"use-cache": True, "ttl": 600}) for _ in range(2)),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert proxy.chat("broken").status_code == 500
    return Traffic(proxy, proxy.captured(ROWS), proxy.objects(OBJECTS))
