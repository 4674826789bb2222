"""Single requests in the two forms in which OpenRouter gives them away, as records of one form.

Broadcast writes a trace of each request (OTLP as JSON, one file each); `GET /generation` answers with a record. Spans
are put under the record's names before anything is landed, so that both are one thing from there on.

Here belongs: finding the generations, and what spans call their parts. Here does not belong: what a part means
(`generations`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from connectors.logs.traces.spans import spans_of

_USAGE, _OWN = "gen_ai.usage.", "trace.metadata.openrouter."
_OF_A_SPAN: Mapping[str, tuple[str, ...]] = {
    "id": ("gen_ai.response.id",),
    "model": ("gen_ai.request.model",),
    "answered_model": ("gen_ai.response.model",),
    "provider_name": (f"{_OWN}provider_name", "openrouter.provider_name"),
    "api_key_name": (f"{_OWN}api_key_name", "openrouter.api_key_name"),
    "entity_id": (f"{_OWN}entity_id", "openrouter.entity_id"),
    "creator_user_id": (f"{_OWN}creator_user_id", f"{_OWN}user_id", "openrouter.user_id"),
    "external_user": ("user.id",),
    "session_id": ("session.id",),
    "api_type": ("gen_ai.operation.name",),
    "finish_reason": ("gen_ai.response.finish_reason",),
    "total_cost": (f"{_USAGE}total_cost",),
    "native_tokens_prompt": (f"{_USAGE}input_tokens",),
    "native_tokens_completion": (f"{_USAGE}output_tokens",),
    "native_tokens_total": (f"{_USAGE}total_tokens",),
    "native_tokens_cached": (f"{_USAGE}input_tokens.cached",),
    "native_tokens_cache_write": (f"{_USAGE}input_tokens.cache_write",),
    "native_tokens_audio": (f"{_USAGE}input_tokens.audio",),
    "native_tokens_reasoning": (f"{_USAGE}output_tokens.reasoning",),
}
_MARKS = ("gen_ai.response.id", "gen_ai.request.model", f"{_USAGE}input_tokens", f"{_USAGE}total_cost")
_FAILED = frozenset({2, "2", "ERROR", "STATUS_CODE_ERROR"})
_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")


def generations_of(row: Mapping[str, Any], wanted: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """The generations that a row of a file holds: those of a trace, an answer of the API, or a record itself.

    `wanted` are the keys of the request's own metadata that are asked for.
    """
    if "resourceSpans" in row or "resource_spans" in row:
        yield from _of_a_trace(row, tuple(wanted))
        return
    inner = row.get("data")
    for found in cast("list[object]", inner) if isinstance(inner, list) else [inner if "data" in row else row]:
        record = cast("Mapping[str, Any]", found if isinstance(found, Mapping) else {})
        yield {_CAPITAL.sub(lambda sign: f"_{sign[0].lower()}", name): value for name, value in record.items()}


def _of_a_trace(row: Mapping[str, Any], wanted: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    """The outermost spans of generations: those in them (tries at providers) tell the same request again."""
    spans = list(spans_of(row, ()))
    parents = {span.get("span_id"): span.get("parent_id") for span in spans}
    calls = {span.get("span_id") for span in spans if _is_generation(span)}
    if spans and not calls:
        yield {}  # a trace of something else: refused, not left out
    for span in spans:
        if span.get("span_id") in calls and not _stands_in_one(span, parents, calls):
            yield _under_the_records_names(span, wanted)


def _is_generation(span: Mapping[str, Any]) -> bool:
    return any(name in span["attributes"] for name in _MARKS) if "attributes" in span else False


def _stands_in_one(span: Mapping[str, Any], parents: Mapping[Any, Any], calls: set[Any]) -> bool:
    above, seen = span.get("parent_id"), {span.get("span_id")}
    while above is not None and above not in seen:
        if above in calls:
            return True
        seen.add(above)
        above = parents.get(above)
    return False


def _under_the_records_names(span: Mapping[str, Any], wanted: tuple[str, ...]) -> Mapping[str, Any]:
    attributes = cast("Mapping[str, Any]", span["attributes"])
    named = {
        name: next((attributes[key] for key in keys if attributes.get(key) is not None), None)
        for name, keys in _OF_A_SPAN.items()
    }
    said = {key: attributes.get(f"trace.metadata.{key}") for key in wanted}
    return {
        **named,
        "id": named["id"] or f"{span.get('trace_id')}/{span.get('span_id')}",
        "trace_id": span.get("trace_id"),
        "created_at": span.get("start"),
        "ended_at": span.get("end"),
        "is_failed": span.get("status") in _FAILED if isinstance(span.get("status"), int | str) else None,
        "metadata": said,
    }
