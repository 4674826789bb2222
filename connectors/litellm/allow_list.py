"""What of a logged attempt may be landed. Everything that is not named here is dropped before anything is written.

Dropped that way: messages, responses, tool definitions, headers, e-mail addresses, IP addresses, error texts,
budgets, price maps. Kept under a keyed hash: ids of users and customers.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from connectors.litellm.settings import LiteLlmSettings
from connectors.logs.values import (
    WITHHELD,
    Rule,
    address_rule,
    count,
    flag,
    instant,
    json_value,
    key_rule,
    keyed_hash,
    money,
    person_rule,
    tags_rule,
    text_rule,
)

Fields = dict[str, "Rule | Fields"]
Redactor = Callable[[Mapping[str, Any]], dict[str, Any]]

_INPUT_DETAILS: Fields = {
    "cached_tokens": count,
    "cache_write_tokens": count,
    "cache_creation_tokens": count,
    "audio_tokens": count,
    "image_tokens": count,
    "cached_tokens_details": {"audio_tokens": count},
    "cache_creation_token_details": {"ephemeral_5m_input_tokens": count, "ephemeral_1h_input_tokens": count},
}
_OUTPUT_DETAILS: Fields = {"reasoning_tokens": count, "audio_tokens": count, "image_tokens": count}
_BREAKDOWN: Fields = dict.fromkeys(
    ("original_cost", "total_cost", "discount_amount", "margin_total_amount", "margin_fixed_amount", "tool_usage_cost"),
    money,
)


def redactors(settings: LiteLlmSettings) -> Mapping[str, Redactor]:
    """The allow-list of each format, `payload` and `spend_logs`, as a function from a row to what may be landed."""
    return {name: _compiled(fields) for name, fields in _allowed(settings).items()}


def known_fields(settings: LiteLlmSettings) -> frozenset[str]:
    """The top-level fields that a landed record may have."""
    return frozenset(name for fields in _allowed(settings).values() for name in fields)


def format_of(row: Mapping[str, Any]) -> str | None:
    """`payload`, `spend_logs`, or None for neither: told by the fields that only one of them has."""
    if "request_id" in row:
        return "spend_logs"
    return "payload" if "id" in row and ("metadata" in row or "call_type" in row) else None


def _allowed(settings: LiteLlmSettings) -> Mapping[str, Fields]:
    hashed = keyed_hash(settings.hash_key.get_secret_value())
    text, person, key = text_rule(hashed), person_rule(hashed), key_rule(hashed)
    metadata = _metadata(settings, text, key)
    common: Fields = {
        **dict.fromkeys(("call_type", "session_id", "status", "custom_llm_provider"), text),
        **dict.fromkeys(("model", "model_group", "model_id"), text),
        **dict.fromkeys(("total_tokens", "prompt_tokens", "completion_tokens"), count),
        **dict.fromkeys(("startTime", "endTime"), instant),
        "api_base": address_rule(text),
        "cache_hit": flag,
        "request_tags": tags_rule(text),
        "end_user": person,
        "metadata": metadata,
    }
    payload: Fields = {
        **common,
        **dict.fromkeys(("id", "litellm_call_id", "trace_id"), text),
        "stream": flag,
        "response_cost": money,
        "saved_cache_cost": money,
        "cost_breakdown": {**_BREAKDOWN, "service_tier": text},
        "error_information": {"error_code": text, "error_class": text},
        "model_parameters": {"stream": flag},
        "metadata": {**metadata, "user_api_key_user_id": person},
    }
    spend_logs: Fields = {
        **common,
        **dict.fromkeys(("request_id", "team_id", "organization_id"), text),
        "api_key": key,
        "spend": money,
        "user": person,
    }
    return {"payload": payload, "spend_logs": spend_logs}


def _metadata(settings: LiteLlmSettings, text: Rule, key: Rule) -> Fields:
    asked: Fields = dict.fromkeys((settings.feature_key, settings.environment_key, *settings.outcome_keys), text)
    found: Fields = {
        "user_api_key_hash": key,
        **dict.fromkeys(("user_api_key_alias", "user_api_key_team_id", "user_api_key_team_alias"), text),
        **dict.fromkeys(("user_api_key_org_id", "user_api_key_project_id"), text),
        **dict.fromkeys(("litellm_call_id", "original_model_group", "status"), text),
        **dict.fromkeys(("attempted_retries", "attempted_fallbacks"), count),
        "spend_logs_metadata": asked,
        "requester_metadata": asked,
        "cost_breakdown": {**_BREAKDOWN, "service_tier": text},
        "error_information": {"error_code": text, "error_class": text},
        "usage_object": {
            **dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), count),
            **dict.fromkeys(("cache_read_input_tokens", "cache_creation_input_tokens"), count),
            "prompt_tokens_details": _INPUT_DETAILS,
            "completion_tokens_details": _OUTPUT_DETAILS,
            "service_tier": text,
        },
    }
    _allow(found, settings.team_id_field.split("."), text)
    return found


def _allow(fields: Fields, path: list[str], rule: Rule) -> None:
    """Adds the field at `path`, where the list does not already know it."""
    name, *rest = path
    if not rest:
        fields.setdefault(name, rule)
        return
    inner = fields.setdefault(name, {})
    if isinstance(inner, dict):
        fields[name] = inner = dict(inner)
        _allow(inner, rest, rule)


def _compiled(fields: Fields) -> Redactor:
    """The fields as one function: what is absent or empty of meaning is left out."""
    rules = [(name, _object(_compiled(rule)) if isinstance(rule, dict) else rule) for name, rule in fields.items()]

    def redact(row: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, rule in rules:
            value = row.get(name)
            if value is not None and (shown := rule(value)) is not None:
                kept[name] = shown
        return kept

    return redact


def _object(redact: Redactor) -> Rule:
    """The rule of a field that holds an object, or an object as text (a jsonb column in a CSV export)."""

    def rule(value: object) -> object:
        found = json_value(value) if isinstance(value, str) else value
        if not isinstance(found, dict):
            return None if found in (None, "", []) else WITHHELD
        return redact(cast("dict[str, Any]", found)) or None

    return rule
