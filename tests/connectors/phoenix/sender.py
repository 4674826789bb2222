"""Sends one trace to a Phoenix server as applications do; run by the environment that Phoenix is installed in.

Usage: sender.py ENDPOINT PROJECT SECONDS
"""

# pyright: basic, reportMissingImports=false

import json
import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode, set_span_in_context

SAID = {
    "input.value": "canary-prompt",
    "output.value": "canary-answer",
    "llm.input_messages.0.message.content": "canary-3",
}
AGENT = {
    "openinference.span.kind": "AGENT",
    "user.id": "alice@corp.test",
    "session.id": "sess-9",
    "tag.tags": ["env:prod"],
    "metadata": json.dumps({"team": "support", "ticket": "T-9", "note": "canary-note"}),
    **SAID,
}
LLM = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.system": "openai",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.token_count.prompt": 1200,
    "llm.token_count.completion": 300,
    "llm.token_count.total": 1500,
    "llm.token_count.prompt_details.cache_read": 1024,
    "llm.token_count.completion_details.reasoning": 100,
    "llm.cost.total": 0.00472,
    **SAID,
}
GEN_AI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 300,
    "gen_ai.usage.cache_read.input_tokens": 1024,
    "gen_ai.input.messages": "canary-prompt",
    "server.address": "api.openai.com",
}
# an older instrumentation: cached input is not inside of the prompt
ANTHROPIC = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 300,
    "llm.token_count.prompt_details.cache_read": 700,
    "llm.token_count.prompt_details.cache_write": 400,
}
EMBEDDING = {
    "gen_ai.operation.name": "embeddings",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "text-embedding-3-small",
    "gen_ai.usage.input_tokens": 8,
}
FAILED = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}
INVOKED = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.usage.input_tokens": 5000,
    "gen_ai.usage.output_tokens": 900,
}


def main(endpoint: str, project: str, seconds: int) -> None:
    resource = Resource.create({"openinference.project.name": project, "service.name": "support-agent"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint)))
    tracer, start = provider.get_tracer("a.scope"), seconds * 10**9

    def span(name, attributes, second, parent=None):
        context = None if parent is None else set_span_in_context(parent)
        return tracer.start_span(name, context, attributes=attributes, start_time=start + second * 10**9)

    agent = span("agent", AGENT, 0)
    outer = span("ChatCompletion", LLM, 1, agent)
    inner = span("chat gpt-4o", GEN_AI, 2, outer)
    others = [span("messages", ANTHROPIC, 3, agent), span("embeddings gpt", EMBEDDING, 4, agent)]
    failed = span("chat gpt-4o", FAILED, 5, agent)
    failed.set_status(Status(StatusCode.ERROR, "canary-message"))
    failed.record_exception(ValueError("canary-exception"))
    later = span("chat of the next day", GEN_AI | {"gen_ai.response.id": "chatcmpl-2"}, 24 * 3600)
    for number, one in enumerate([inner, outer, *others, failed, span("invoke_agent", INVOKED, 6, agent), agent]):
        one.end(end_time=start + (10 + number) * 10**9)
    later.end(end_time=start + (24 * 3600 + 10) * 10**9)
    provider.shutdown()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
