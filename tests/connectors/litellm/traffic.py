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
ATTEMPTS = 10


@dataclass(frozen=True)
class Traffic:
    """The gateway after the requests: `captured` is what its own writer would put into its database."""

    proxy: Proxy
    captured: list[dict[str, Any]]
    objects: list[str]

    @property
    def usage(self) -> dict[str, dict[str, Any]]:
        """What the provider answered, by the id that the gateway logs."""
        known = dict(self.proxy.upstream.answered)
        for entry in self.captured:
            found = entry["row"]["request_id"]
            if found not in known:
                # LiteLLM makes ids of its own for embeddings, and for Anthropic's answers in OpenAI's shape
                known[found] = known.get(entry["row"]["model"].partition("/")[2], {})
        return known


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
    return Traffic(proxy, proxy.captured(ATTEMPTS), proxy.objects(ATTEMPTS))
