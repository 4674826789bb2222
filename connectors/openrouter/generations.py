"""One generation: what of it may be landed, and which attempt it tells of.

Here belongs: what a generation's fields mean. Here does not belong: where they are found (`broadcast`), the activity
report (`activity`).
"""

from collections.abc import Mapping
from typing import Any

from connectors.logs.allow_list import AllowList, Fields, UnlandableError, allow, at, compiled, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Buckets, Counts, exclusive, of_call
from connectors.logs.calls import later, number
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.usage_bodies import service_tier
from connectors.logs.values import count, flag, instant, money
from connectors.openrouter.activity import PROVIDER
from connectors.openrouter.settings import OpenRouterLogSettings

ESSENTIAL = frozenset({"id", "created_at", "is_byok", "is_failed", "finish_reason"})

_TEXTS = (
    "id model answered_model provider_name api_key_name entity_id session_id api_type finish_reason upstream_id router "
    "service_tier data_region trace_id"
)
_COUNTED = (
    "tokens_prompt tokens_completion native_tokens_prompt native_tokens_completion native_tokens_total "
    "native_tokens_cached native_tokens_cache_write native_tokens_audio native_tokens_reasoning "
    "native_tokens_completion_images num_search_results num_fetches num_media_prompt num_media_completion"
)
_EXTRA = (
    *("provider_name", "upstream_id", "session_id", "trace_id", "data_region", "cancelled", "is_byok"),
    *("cache_discount", "native_tokens_completion_images", "num_search_results", "num_fetches", "num_media_prompt"),
    "num_media_completion",
)


def allowed(settings: OpenRouterLogSettings) -> AllowList:
    """The fields of a generation, without its prompt, its answer and where it came from."""
    rules = rules_of(settings.hash_key)
    metadata: Fields = each_of(settings.asked_keys, rules.text)
    allow(metadata, settings.team_id_field, rules.text)
    fields: Fields = {
        **each_of("created_at ended_at", instant),
        **each_of("total_cost usage upstream_inference_cost cache_discount", money),
        **each_of("is_byok is_failed streamed cancelled", flag),
        **each_of("external_user creator_user_id", rules.person),
        **each_of(_TEXTS, rules.text),
        **each_of(_COUNTED, count),
        "latency": number,
        "metadata": metadata,
    }
    redact = compiled(fields)

    def generation(row: Mapping[str, Any]) -> dict[str, Any]:
        if "created_at" not in row and "id" not in row:
            raise UnlandableError("unknown_format")
        return redact(row)

    return AllowList(generation, frozenset(fields))


def reported_cost(record: Record) -> str | None:
    """What was paid to whom the attempt names: OpenRouter's credits, or with an own key what its provider took."""
    if record.get("is_byok"):
        return record.get("upstream_inference_cost")
    cost = record.get("total_cost")
    return record.get("usage") if cost is None else cost


def attempt(settings: OpenRouterLogSettings, record: Record) -> Attempt:
    """The attempt that a landed record tells of. Raises UsageError for usage that contradicts itself."""
    metadata: Record = record.get("metadata") or NOTHING
    said = asked(settings, (metadata,))
    start, end = microseconds(record.get("created_at")), record.get("ended_at")
    model, router = record.get("model"), record.get("router")
    is_routed = bool(model) and str(model).startswith("openrouter/")
    is_failure = record.get("is_failed") or record.get("finish_reason") == "error"
    return Attempt(
        request_id=record.get("id"),
        response_id=record.get("id"),
        dedup_key=record.get("id"),  # OpenRouter's own, the same in a trace and in a record
        started_at=start,
        ended_at=later(start, record.get("latency")) if end is None else microseconds(end),
        status="failure" if is_failure else "success",
        usage=_used(record),
        call_type=record.get("api_type"),
        provider=record.get("provider_name") if record.get("is_byok") else PROVIDER,
        requested_model=router or model,
        billed_model=record.get("answered_model") if is_routed or not model else model,
        key_alias=record.get("api_key_name"),
        gateway_team_id=at(metadata, settings.team_id_field),
        organization_id=record.get("entity_id"),
        user_hash=record.get("creator_user_id"),
        customer_hash=record.get("external_user"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_stream=record.get("streamed"),
        service_tier=service_tier(record.get("service_tier")),
        source_cost_basis="after_discount",
        extra=_extra(record),
    )


def _used(record: Record) -> Buckets:
    """The provider's own counts, by which is billed; else OpenRouter's, which it makes for every model in one way."""
    native = Counts(
        input_tokens=record.get("native_tokens_prompt"),
        output_tokens=record.get("native_tokens_completion"),
        total_tokens=record.get("native_tokens_total"),
        cache_read_tokens=record.get("native_tokens_cached"),
        cache_write_5m_tokens=record.get("native_tokens_cache_write"),
        input_audio_tokens=record.get("native_tokens_audio"),
        output_reasoning_tokens=record.get("native_tokens_reasoning"),
    )
    told = (record.get("api_type"), record.get("model"))
    if native.input_tokens is None and native.output_tokens is None:
        normalised = Counts(record.get("tokens_prompt"), record.get("tokens_completion"))
        return exclusive(of_call(normalised, *told), CONVENTIONS["openrouter"], "gateway_tokenizer")
    return exclusive(of_call(native, *told), CONVENTIONS["openrouter"])


def _extra(record: Record) -> dict[str, Any]:
    kept = {name: record[name] for name in _EXTRA if record.get(name) not in (None, "", False, 0)}
    if record.get("is_byok") and record.get("total_cost") is not None:
        kept["openrouter_fee"] = record["total_cost"]
    return kept
