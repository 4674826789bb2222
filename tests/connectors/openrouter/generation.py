"""One request to OpenRouter in both forms: as its record, and as the trace that Broadcast stores."""

from typing import Any

START = 1_795_225_120_440_000_000  # 2026-11-21T01:38:40.44Z


def record(**over: Any) -> dict[str, Any]:
    """1,200 tokens in, 700 of them from the cache, 300 out, 50 of them reasoning, by the provider's own count."""
    return {
        "id": "gen-1",
        "upstream_id": "chatcmpl-1",
        "created_at": "2026-11-21T01:38:40.44+00:00",
        "model": "openai/gpt-4.1",
        "provider_name": "OpenAI",
        "total_cost": 0.0031,
        "usage": 0.0031,
        "upstream_inference_cost": 0.0029,
        "cache_discount": 0.00105,
        "latency": 1001,
        "generation_time": 900,
        "tokens_prompt": 1100,
        "tokens_completion": 280,
        "native_tokens_prompt": 1200,
        "native_tokens_cached": 700,
        "native_tokens_completion": 300,
        "native_tokens_reasoning": 50,
        "streamed": True,
        "cancelled": False,
        "is_byok": False,
        "finish_reason": "stop",
        "api_type": "completions",
        "service_tier": "priority",
        "external_user": "alice@corp.test",
        "origin": "https://private.corp.test/",
        "http_referer": "https://private.corp.test/page",
        "user_agent": "a private agent",
        "provider_responses": [{"status": 200, "endpoint_id": "private"}],
        **over,
    }


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [
        {"key": key, "value": {kinds[type(value)]: str(value) if isinstance(value, int) else value}}
        for key, value in values.items()
    ]


def span(number: int, parent: int | None, name: str, values: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": name,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1_001_000_000),
        "status": {"code": 1},
        "attributes": attributes(values),
        **over,
    }


def told(**over: Any) -> dict[str, Any]:
    """What the trace's outermost span says of the same request."""
    return {
        "gen_ai.response.id": "gen-1",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "openai/gpt-4.1",
        "gen_ai.response.model": "openai/gpt-4.1-2025-04-14",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 300,
        "gen_ai.usage.total_tokens": 1500,
        "gen_ai.usage.input_tokens.cached": 700,
        "gen_ai.usage.output_tokens.reasoning": 50,
        "gen_ai.usage.total_cost": 0.0031,
        "gen_ai.response.finish_reason": "stop",
        "gen_ai.prompt": '{"messages": [{"role": "user", "content": "a prompt"}]}',
        "gen_ai.completion": '{"completion": "an answer"}',
        "user.id": "alice@corp.test",
        "session.id": "session-1",
        "trace.metadata.team": "search",
        "trace.metadata.ticket": "T-1",
        "trace.metadata.note": "private",
        "trace.metadata.openrouter.provider_name": "OpenAI",
        "trace.metadata.openrouter.api_key_name": "search-prod",
        "trace.metadata.openrouter.entity_id": "org-1",
        "trace.metadata.openrouter.creator_user_id": "bob@corp.test",
        **over,
    }


def trace(*spans: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "openrouter"}, "spans": list(spans)}]}
        ]
    }


def broadcast(**over: Any) -> dict[str, Any]:
    """The file of one request: under the span of the request those of its generation and of a try at a provider."""
    inner = {name: value for name, value in told(**over).items() if name.startswith("gen_ai")}
    return trace(
        span(1, None, "LLM Generation", told(**over)),
        span(2, 1, "generation", inner),
        span(3, 2, "provider attempt 1: OpenAI", {"gen_ai.response.id": "gen-1"}),
    )
