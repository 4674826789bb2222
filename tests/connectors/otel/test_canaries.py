"""Nothing that was said to or by a model reaches disk, wherever in a span it stands."""

from typing import Any

import pytest

from tests.connectors.otel.written import CHAT, LLM, RESOURCE, SCOPE, envelope, span
from tests.connectors.stored_log import LogFolder, places, planted

FILE = "2026-11-21/a.jsonl"
TEXTS = {
    *("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"),
    *("gen_ai.response.id", "openinference.span.kind", "llm.provider", "llm.model_name", "server.address"),
    *("service.name", "deployment.environment.name", "tag.tags", "metadata.team", "error.type"),
}
"""Attributes that hold short texts: models, providers, names that the settings ask for."""
SAID = {
    **CHAT,
    **LLM,
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.request.stream": True,
    "gen_ai.usage.cost": 0.5,
    "server.address": "api.openai.com",
    "user.id": "alice@corp.test",
    "tag.tags": ["env:prod"],
    "metadata.team": "support",
    "gen_ai.input.messages": "a prompt",
    "gen_ai.response.finish_reasons": ["stop"],
}
CONTENT = {
    **dict.fromkeys(
        [
            *(
                "gen_ai.input.messages",
                "gen_ai.output.messages",
                "gen_ai.system_instructions",
                "gen_ai.tool.definitions",
            ),
            *("gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.content", "gen_ai.completion.0.content"),
            *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.agent.description", "hidden_params"),
            *("input.value", "output.value", "llm.input_messages.0.message.content", "llm.prompts.0.prompt.text"),
            *("llm.output_messages.0.message.content", "llm.invocation_parameters", "llm.prompt_template.template"),
            *("llm.prompt_template.variables", "llm.tools.0.tool.json_schema", "embedding.text", "url.full"),
            *("embedding.embeddings.0.embedding.text", "document.content", "tool.parameters", "exception.message"),
            *("traceloop.entity.input", "traceloop.entity.output", "traceloop.association.properties.note"),
            *("http.request.header.authorization", "client.address", "metadata.note", "metadata.requester_ip_address"),
            *("llm.openai.messages", "llm.anthropic.content", "ai.prompt.messages", "ai.response.text"),
        ],
        "canary-5f3a",
    ),
    "metadata": '{"note": "canary-5f3a", "inner": {"note": "canary-5f3a"}}',
    "llm.input_messages": [{"message.content": "canary-5f3a"}],
}
BESIDE = {
    "name": "canary-5f3a",
    "status": {"code": 2, "message": "canary-5f3a"},
    "events": [{"name": "canary-5f3a", "attributes": [{"key": "exception.stacktrace", "value": "canary-5f3a"}]}],
    "links": [{"traceId": "canary-5f3a", "attributes": []}],
    "traceState": "vendor=canary-5f3a,ot=th:8;canary-5f3a",
}


def is_text(row: dict[str, Any], path: tuple[Any, ...]) -> bool:
    """Whether a short text stands there that is meant to be landed."""
    if path[-2:] == ("scope", "name"):
        return True
    holder: Any = row
    for step in path:
        holder = holder[step]
        if isinstance(holder, dict) and holder.get("key") in TEXTS and path[-1] != "key":
            return isinstance(path[-1], str) and path[-1].endswith("Value")
    return False


@pytest.mark.parametrize("secret", ["canary-5f3a", {"text": "canary-5f3a"}, ["canary-5f3a"], [[{"b": "1canary-5f3a"}]]])
def test_a_secret_planted_anywhere_outside_of_the_short_texts_is_in_no_page(secret: Any, log: LogFolder) -> None:
    row = envelope(span(1, SAID, parent=2), resource=RESOURCE)
    paths = [path for path in places(row) if not is_text(row, path)]
    assert len(paths) > 100
    log.file(FILE, [planted(row, path, secret, name) for path in paths for name in ("text", "canary-5f3a")])
    landed = log.landed_bytes()
    assert landed.count(b"\n") >= len(paths)
    for word in (b"canary-5f3a", b"a prompt", b"alice", b"stop"):
        assert word not in landed


def test_no_attribute_that_holds_content_has_a_name_in_the_allow_list(log: LogFolder) -> None:
    row = envelope(
        {**span(1, {**CHAT, **CONTENT}), **BESIDE}, span(2, CONTENT), resource={**CONTENT, "host.ip": "1.2.3.4"}
    )
    log.file(FILE, [row])
    landed = log.landed_bytes()
    assert landed.count(b"\n") == 2
    assert b"canary-5f3a" not in landed
    assert b"1.2.3.4" not in landed
    assert log.rows()[0]["input_total_tokens"] == 1200


def test_of_a_span_that_is_no_model_s_only_ids_and_callers_are_kept(log: LogFolder) -> None:
    plain = {"server.address": "intern.example.com", "user.id": "alice", "session.id": "s-1", "error.type": "x"}
    log.file(FILE, [envelope(span(2, plain, parent=1), scope="intern.scope")])
    landed = log.landed_bytes()
    assert b'"session.id":"s-1"' in landed
    for word in (b"intern", b"alice", b"support-agent", b"error"):
        assert word not in landed


def test_an_address_of_a_person_in_a_short_text_is_a_hash(log: LogFolder) -> None:
    said = {
        **CHAT,
        "session.id": "alice@corp.test",
        "gen_ai.request.model": "ft:gpt-4o:bob@corp.test",
        "tag.tags": ["x:eve@corp.test"],
    }
    log.file(FILE, [envelope(span(1, said), scope=SCOPE)])
    landed = log.landed_bytes()
    for word in (b"alice", b"bob", b"eve", b"corp.test"):
        assert word not in landed
