"""OTLP/JSON and landed spans, written by hand."""

import json
from typing import Any

START = 1_795_225_120_440_000_000  # 2026-11-21T01:38:40.44Z
TRACE = "5b8efff798038103d269b633813fc60c"
RESOURCE = {"service.name": "support-agent", "deployment.environment.name": "prod"}
SCOPE = "opentelemetry.instrumentation.openai_v2"
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 300,
    "gen_ai.usage.cache_read.input_tokens": 1024,
}
LLM: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.token_count.prompt": 1200,
    "llm.token_count.completion": 300,
    "llm.token_count.total": 1500,
    "llm.token_count.prompt_details.cache_read": 1024,
}


def value(plain: Any) -> dict[str, Any]:
    """OTLP's AnyValue; 64-bit integers are text."""
    if isinstance(plain, bool):
        return {"boolValue": plain}
    if isinstance(plain, int):
        return {"intValue": str(plain)}
    if isinstance(plain, float):
        return {"doubleValue": plain}
    if isinstance(plain, list):
        return {"arrayValue": {"values": [value(item) for item in plain]}}
    if isinstance(plain, dict):
        return {"kvlistValue": {"values": pairs(plain)}}
    return {"stringValue": plain}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": value(plain)} for name, plain in attributes.items()]


def span(number: int, attributes: dict[str, Any], parent: int | None = None, **over: Any) -> dict[str, Any]:
    """A span of one second that starts `number` microseconds after START."""
    return {
        "traceId": TRACE,
        "spanId": f"{number:016x}",
        **({} if parent is None else {"parentSpanId": f"{parent:016x}"}),
        "name": "a name",
        "kind": 3,
        "startTimeUnixNano": str(START + number * 1000),
        "endTimeUnixNano": str(START + number * 1000 + 10**9),
        "attributes": pairs(attributes),
        "status": {},
        **over,
    }


def envelope(*spans: dict[str, Any], resource: dict[str, Any] = RESOURCE, scope: str = SCOPE) -> dict[str, Any]:
    """TracesData."""
    scoped = {"scope": {"name": scope, "version": "2.1b0"}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": pairs(resource)}, "scopeSpans": [scoped]}]}


def landed(number: int, **over: Any) -> dict[str, Any]:
    """A span as it lies in a landed page."""
    return {
        "attributes": CHAT,
        "end": "2026-11-21T01:38:41",
        "span_id": f"{number:016x}",
        "start": "2026-11-21T01:38:40",
        "status": "success",
        "trace_id": TRACE,
        **over,
    }


def page(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
