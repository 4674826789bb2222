"""What of a logged attempt may be landed. Everything that is not named here is dropped before anything is written.

Dropped that way: messages, responses, tool definitions, headers, e-mail addresses, IP addresses, error texts,
budgets, price maps. Kept under a keyed hash: ids of users and customers.
"""

from collections.abc import Mapping
from typing import Any

from connectors.litellm.settings import LiteLlmNames, LiteLlmSettings
from connectors.logs.allow_list import AllowList, Fields, Rules, UnlandableError, allow, compiled, each_of, rules_of
from connectors.logs.plain_lines import PlainForm
from connectors.logs.values import count, flag, instant, money

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
_BREAKDOWN = each_of(
    "original_cost total_cost discount_amount margin_total_amount margin_fixed_amount tool_usage_cost", money
)


def allowed(settings: LiteLlmSettings) -> AllowList:
    """The allow-list of both formats; a row of neither, or of the one that is not asked for, is unlandable."""
    fields = _formats(settings, rules_of(settings.hash_key))
    by_format = {name: compiled(found) for name, found in fields.items()}

    def redact(row: Mapping[str, Any]) -> dict[str, Any]:
        found = format_of(row)
        if found is None or settings.format not in ("auto", found):
            raise UnlandableError("unknown_format" if found is None else "other_format")
        return by_format[found](row)

    return AllowList(redact, frozenset(name for found in fields.values() for name in found))


def plain_payload(settings: LiteLlmNames) -> PlainForm:
    """What a plain payload looks like."""
    rules = rules_of(settings.hash_key)
    needed, barred = frozenset({"id", "metadata"}), frozenset({"request_id"})
    return PlainForm(_formats(settings, rules)["payload"], rules, "startTime", needed, barred)


def spend_log_fields(settings: LiteLlmNames) -> Fields:
    """The fields of the table SpendLogs: its columns, and those of its metadata."""
    return dict(_formats(settings, rules_of(settings.hash_key))["spend_logs"])


def format_of(row: Mapping[str, Any]) -> str | None:
    """`payload`, `spend_logs`, or None for neither: told by the fields that only one of them has."""
    if "request_id" in row:
        return "spend_logs"
    return "payload" if "id" in row and ("metadata" in row or "call_type" in row) else None


def _formats(settings: LiteLlmNames, rules: Rules) -> Mapping[str, Fields]:
    text, person = rules.text, rules.person
    metadata = _metadata(settings, rules)
    common: Fields = {
        **each_of("call_type session_id status custom_llm_provider model model_group model_id", text),
        **each_of("total_tokens prompt_tokens completion_tokens", count),
        **each_of("startTime endTime completionStartTime", instant),
        "api_base": rules.address,
        "cache_hit": flag,
        "request_tags": rules.tags,
        "end_user": person,
        "metadata": metadata,
    }
    payload: Fields = {
        **common,
        **each_of("id litellm_call_id trace_id", text),
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
        **each_of("request_id team_id organization_id", text),
        "api_key": rules.key,
        "spend": money,
        "user": person,
    }
    return {"payload": payload, "spend_logs": spend_logs}


def _metadata(settings: LiteLlmNames, rules: Rules) -> Fields:
    text = rules.text
    asked = each_of(settings.asked_keys, text)
    found: Fields = {
        "user_api_key_hash": rules.key,
        **each_of("user_api_key_alias user_api_key_team_id user_api_key_team_alias", text),
        **each_of("user_api_key_org_id user_api_key_project_id", text),
        **each_of("litellm_call_id original_model_group status", text),
        **each_of("attempted_retries attempted_fallbacks", count),
        "spend_logs_metadata": asked,
        "requester_metadata": asked,
        "cost_breakdown": {**_BREAKDOWN, "service_tier": text},
        "error_information": {"error_code": text, "error_class": text},
        "usage_object": {
            **each_of("prompt_tokens completion_tokens total_tokens", count),
            **each_of("cache_read_input_tokens cache_creation_input_tokens", count),
            "prompt_tokens_details": _INPUT_DETAILS,
            "completion_tokens_details": _OUTPUT_DETAILS,
            "service_tier": text,
        },
    }
    allow(found, settings.team_id_field, text)
    return found
