"""Attributes of spans, by what they say. OpenTelemetry's names come first, then its older ones, then other libraries'.

Conventions: https://github.com/open-telemetry/semantic-conventions-genai and
https://arize-ai.github.io/openinference/spec/attributes/semantic-conventions.html.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

CALLS = ("chat", "text_completion", "generate_content", "embeddings")
"""Operations that are one call of a model. Others (agents, workflows, tools) repeat what the calls in them used."""

NO_CALLS = frozenset(
    {
        *("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "create_memory"),
        *(
            "create_memory_store",
            "delete_memory",
            "delete_memory_store",
            "search_memory",
            "update_memory",
            "upsert_memory",
        ),
    }
)
"""Operations that the conventions know and that are no call of a model."""

KINDS: Mapping[str, str] = {"LLM": "chat", "EMBEDDING": "embeddings"}
"""OpenInference's kinds of spans that are one call of a model, as operations."""

OTHER_KINDS = frozenset(
    {
        *("CHAIN", "RETRIEVER", "RERANKER", "TOOL", "AGENT", "GUARDRAIL", "EVALUATOR", "PROMPT", "DECISION", "UNKNOWN"),
    }
)
"""OpenInference's other kinds."""

OPERATION, KIND, REQUEST_TYPE = "gen_ai.operation.name", "openinference.span.kind", "llm.request.type"
REQUEST_TYPES: Mapping[str, str] = {"completion": "text_completion", "embedding": "embeddings"}
"""OpenLLMetry's older words for operations."""

PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
REQUESTED = ("gen_ai.request.model", "llm.request.model_name")
ANSWERED = ("gen_ai.response.model", "llm.response.model_name", "llm.model_name", "embedding.model_name")
RESPONSE_ID = "gen_ai.response.id"
SESSION = ("gen_ai.conversation.id", "session.id")
USER = ("user.id", "enduser.id")
STREAM = ("gen_ai.request.stream", "llm.is_streaming", "gen_ai.is_streaming")
TIER = (
    "openai.response.service_tier",
    "anthropic.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
ADDRESS, PORT = "server.address", "server.port"
ERROR = "error.type"
TAGS = "tag.tags"
METADATA = ("metadata.", "traceloop.association.properties.")
"""What stands before the name of a key of metadata; a key may also be an attribute of its own."""
SERVICE = ("service.name", "service.namespace")
ENVIRONMENT = ("deployment.environment.name", "deployment.environment")
COST = ("llm.cost.total", "gen_ai.usage.cost", "operation.cost")
HALF_COSTS = ("llm.cost.prompt", "llm.cost.completion")


class CountNames(NamedTuple):
    """Where a vocabulary states its counts."""

    input_tokens: tuple[str, ...]
    output_tokens: tuple[str, ...]
    total_tokens: tuple[str, ...]
    cache_read_tokens: tuple[str, ...]
    cache_write_5m_tokens: tuple[str, ...]
    input_audio_tokens: tuple[str, ...]
    output_reasoning_tokens: tuple[str, ...]
    output_audio_tokens: tuple[str, ...]


def _under(space: str, *names: str) -> CountNames:
    return CountNames(*(tuple(space + name for name in group.split()) for group in names))


GEN_AI = _under(
    "gen_ai.usage.",
    "input_tokens prompt_tokens",
    "output_tokens completion_tokens",
    "total_tokens",
    "cache_read.input_tokens cache_read_input_tokens input_tokens.cached details.cache_read_tokens",
    "cache_creation.input_tokens cache_write.input_tokens cache_creation_input_tokens input_tokens.cache_write "
    "details.cache_write_tokens",
    "audio.input_tokens",
    "reasoning.output_tokens reasoning_tokens output_tokens.reasoning details.reasoning_tokens",
    "audio.output_tokens",
)._replace(total_tokens=("gen_ai.usage.total_tokens", "llm.usage.total_tokens"))
OPEN_INFERENCE = _under(
    "llm.token_count.",
    "prompt",
    "completion",
    "total",
    "prompt_details.cache_read prompt_details.cache_input",
    "prompt_details.cache_write",
    "prompt_details.audio",
    "completion_details.reasoning",
    "completion_details.audio",
)

WRITTEN_5M, WRITTEN_1H = (f"anthropic.usage.cache_creation.ephemeral_{time}_input_tokens" for time in ("5m", "1h"))
"""What Anthropic's own library says beside the written tokens: for how long they are kept."""

SHORT_TEXTS = (
    *(OPERATION, KIND, REQUEST_TYPE, RESPONSE_ID, ADDRESS, PORT, ERROR),
    *(*PROVIDER, *REQUESTED, *ANSWERED, *SESSION, *TIER),
)
COUNTS = (*(name for names in (*GEN_AI, *OPEN_INFERENCE) for name in names), WRITTEN_5M, WRITTEN_1H)
AMOUNTS = (*COST, *HALF_COSTS)
OF_ONE_CALL = frozenset({RESPONSE_ID, ADDRESS, PORT, *REQUESTED, *STREAM, *TIER, *AMOUNTS})
"""What a call takes from other spans that tell it."""
OF_ANY_SPAN = frozenset({*USER, *SESSION, TAGS})
"""What calls take from the spans that they stand in."""


def first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value under the first of the names that has one."""
    for name in names:
        if (found := attributes.get(name)) is not None:
            return found
    return None


def operation_of(attributes: Mapping[str, Any]) -> str | None:
    """What the span is, as an operation of the conventions; None for a span that is none of a model's."""
    if stated := attributes.get(OPERATION):
        return str(stated)
    if kind := attributes.get(KIND):
        return KINDS.get(str(kind).upper(), str(kind))
    if asked := attributes.get(REQUEST_TYPE):
        return REQUEST_TYPES.get(str(asked), str(asked))
    return "unnamed" if any(name in attributes for name in COUNTS) else None
