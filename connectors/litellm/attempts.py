"""One landed record as one row of the fact, whichever format logged it.

Here belongs: which field of which format means what. Here does not belong: token arithmetic (`buckets`), files.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from connectors.litellm.settings import LiteLlmSettings

Record = Mapping[str, Any]
_NOTHING: Record = {}
_TIERS = {"standard": "default", "auto": "default"}  # Anthropic's and OpenAI's names of the ordinary tier


class Logged(NamedTuple):
    """What both formats say of an attempt, under one name. Values are as landed, not yet checked."""

    request_id: Any
    call_id: Any
    trace_id: Any
    key_id: Any
    organization_id: Any
    team_id: Any
    user_hash: Any
    status: Any
    is_stream: Any
    reported_cost: Any
    saved_cost: Any
    breakdown: Record
    error: Record


def logged(record: Record, team_id_field: str) -> Logged:
    """The fields of a record that the two formats keep in different places."""
    metadata: Record = record.get("metadata") or _NOTHING
    team_id = _at(metadata, team_id_field)
    if "request_id" in record:
        error: Record = metadata.get("error_information") or _NOTHING
        status = record.get("status") or metadata.get("status") or ("failure" if error else "success")
        standard_team = team_id_field == "user_api_key_team_id"
        return Logged(
            request_id=record["request_id"],
            call_id=metadata.get("litellm_call_id"),
            trace_id=record.get("session_id"),
            key_id=record.get("api_key") or metadata.get("user_api_key_hash"),
            organization_id=record.get("organization_id") or metadata.get("user_api_key_org_id"),
            team_id=team_id or (record.get("team_id") if standard_team else None),
            user_hash=record.get("user"),
            status=status,
            is_stream=None,
            reported_cost=record.get("spend"),
            saved_cost=None,
            breakdown=metadata.get("cost_breakdown") or _NOTHING,
            error=error,
        )
    stream = record.get("stream")
    return Logged(
        request_id=record.get("id"),
        call_id=record.get("litellm_call_id"),
        trace_id=record.get("trace_id"),
        key_id=metadata.get("user_api_key_hash"),
        organization_id=metadata.get("user_api_key_org_id"),
        team_id=team_id,
        user_hash=metadata.get("user_api_key_user_id"),
        status=record.get("status"),
        is_stream=stream if stream is not None else (record.get("model_parameters") or _NOTHING).get("stream"),
        reported_cost=record.get("response_cost"),
        saved_cost=record.get("saved_cache_cost"),
        breakdown=record.get("cost_breakdown") or _NOTHING,
        error=record.get("error_information") or _NOTHING,
    )


def billed_model(model: Any, provider: Any) -> str | None:
    """The model's name without the provider that LiteLLM puts before it."""
    if not model:
        return None
    prefix, slash, rest = str(model).partition("/")
    # `vertex_ai/gemini-...` is answered by the provider `vertex_ai-language-models`.
    return rest if slash and provider and (provider == prefix or str(provider).startswith(f"{prefix}-")) else str(model)


def asked(record: Record, key: str) -> str | None:
    """What the request's metadata says under the key, or else the tag `key:value`."""
    metadata: Record = record.get("metadata") or _NOTHING
    for place in ("spend_logs_metadata", "requester_metadata"):
        found = (metadata.get(place) or _NOTHING).get(key)
        if found is not None:
            return str(found)
    mark = f"{key}:"
    return next((tag[len(mark) :] or None for tag in record.get("request_tags") or () if tag.startswith(mark)), None)


def outcome_ids(record: Record, settings: LiteLlmSettings) -> str | None:
    """The outcome ids of the request's metadata as a JSON object, or None when it names none."""
    if not settings.outcome_keys:
        return None
    found = {key: value for key in settings.outcome_keys if (value := asked(record, key)) is not None}
    return json_text(found) if found else None


def service_tier(record: Record, breakdown: Record) -> str | None:
    """The tier that priced the attempt; the ordinary one is `default` whatever the provider calls it."""
    usage: Record = (record.get("metadata") or _NOTHING).get("usage_object") or _NOTHING
    tier = breakdown.get("service_tier") or usage.get("service_tier")
    return _TIERS.get(tier, tier) if tier else None


def extra_json(record: Record, found: Logged, unknown: Record) -> str | None:
    """What was landed and has no column of its own, as a JSON object; amounts of zero are left out."""
    metadata: Record = record.get("metadata") or _NOTHING
    amounts = {**found.breakdown, "saved_cache_cost": found.saved_cost}
    kept: dict[str, Any] = {name: text for name, text in amounts.items() if name != "service_tier" and is_sum(text)}
    kept |= unknown
    for name in ("original_model_group", "attempted_retries", "attempted_fallbacks", "user_api_key_team_alias"):
        if name in metadata:
            kept[name] = metadata[name]
    if found.trace_id:
        kept["trace_id"] = found.trace_id
    kept |= {name: value for name, value in found.error.items() if value}
    return json_text(kept) if kept else None


def is_sum(text: str | None) -> bool:
    """Whether an amount was stated and is not zero."""
    return text is not None and text.strip("+-0.") != "" and Decimal(text) != 0


def json_text(value: object) -> str:
    """Compact JSON, keys in order: the one form that JSON columns hold."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _at(metadata: Record, path: str) -> Any:
    found: Any = metadata
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if not isinstance(found, Mapping) else None
