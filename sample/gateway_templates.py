"""Texts of log rows with slots for what changes from request to request: one for each workload and outcome.

A slot is the string `@@name@@` while the row is an object, and `%(name)s` once it is text. What fills it is JSON.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from sample.company import DOMAIN, MODELS, TEAMS, Model, Workload, names
from sample.gateway_fields import (
    AGENTS,
    ERROR,
    HEADERS,
    HIDDEN_PARAMS,
    NO_ERROR,
    PAYLOAD_FIELDS,
    PAYLOAD_METADATA,
    SPEND_LOG_FIELDS,
    SPEND_LOG_METADATA,
)
from sample.outcomes import DOCUMENT_FEATURES, TICKET_FEATURES

SLOTS = names(
    "id call_id trace_id ticket document start end created seconds duration cache_key prompt completion total uncached "
    "read written text reasoning spend original margin input_cost output_cost read_cost written_cost"
)
DEVELOPMENT = frozenset({"playground", "prototype", "ranking-evals", "eval-harness"})
_TOTALS = frozenset({"total_tokens", "prompt_tokens", "completion_tokens"})


class Outcome(NamedTuple):
    """What, besides the workload, gives a row its shape."""

    status: str
    is_cache_hit: bool
    is_stream: bool


def _slot(name: str) -> str:
    return f"@@{name}@@"


def _opened(text: str) -> str:
    text = text.replace("%", "%%")
    for name in SLOTS:
        text = text.replace(f'"{_slot(name)}"', f"%({name})s")
    return text


def _key_hash(workload: Workload) -> str:
    return hashlib.sha256(f"sk-{workload.key_alias}".encode()).hexdigest()


def _user(workload: Workload) -> str:
    return f"{workload.key_alias}@{DOMAIN}"


def _team(workload: Workload) -> tuple[str | None, str | None]:
    found = next((team for team in TEAMS if team.team_id == workload.team_id), None)
    return (found.gateway_team_id, found.name) if found else (None, None)


def _context(workload: Workload) -> dict[str, str]:
    """What callers say of their request: the feature, the environment, and the ticket or the document it is for."""
    environment = "development" if workload.feature in DEVELOPMENT else "production"
    said = {"feature": workload.feature, "environment": environment}
    if workload.feature in TICKET_FEATURES:
        said["ticket_id"] = _slot("ticket")
    if workload.feature in DOCUMENT_FEATURES:
        said["document_id"] = _slot("document")
    return said


def _usage(model: Model, status: str) -> dict[str, object]:
    """The provider's usage as the gateway keeps it: its input includes cached tokens, for every provider."""
    totals: dict[str, object] = {
        "total_tokens": _slot("total"),
        "prompt_tokens": _slot("prompt"),
        "completion_tokens": _slot("completion"),
    }
    if status == "failure":
        return totals
    if model.provider != "anthropic":
        refused = {"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
        return {
            **totals,
            "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": _slot("read")},
            "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": _slot("reasoning"), **refused},
        }
    details: dict[str, object] = {
        "text_tokens": _slot("uncached"),
        **dict.fromkeys(("audio_tokens", "image_tokens", "video_tokens")),
        "cached_tokens": _slot("read"),
        "cache_write_tokens": _slot("written"),
        "cache_creation_tokens": _slot("written"),
        "cache_creation_token_details": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": _slot("written")},
    }
    return {
        **totals,
        "speed": None,
        "iterations": None,
        "service_tier": "standard",
        "inference_geo": None,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"text_tokens": _slot("text"), "reasoning_tokens": _slot("reasoning")},
        "cache_read_input_tokens": _slot("read"),
        "cache_creation_input_tokens": _slot("written"),
    }


def _cost_breakdown(model: Model, status: str) -> dict[str, object] | None:
    if status == "failure":
        return None
    nothing = ("discount_percent", "discount_amount", "margin_percent", "margin_fixed_amount")
    return {
        "input_cost": _slot("input_cost"),
        "output_cost": _slot("output_cost"),
        "total_cost": _slot("spend"),
        "tool_usage_cost": 0,
        "service_tier": "standard" if model.provider == "anthropic" else "default",
        "data_residency": None,
        "vertex_location": None,
        "cache_read_cost": _slot("read_cost"),
        **({"cache_creation_cost": _slot("written_cost")} if model.provider == "anthropic" else {}),
        "original_cost": _slot("original"),
        **dict.fromkeys(nothing, 0),
        "margin_total_amount": _slot("margin"),
    }


@cache
def spend_log(workload: Workload, outcome: Outcome) -> str:
    """The line of a SpendLogs row as the database's `row_to_json` writes it."""
    model = MODELS[workload.model]
    row = SPEND_LOG_FIELDS | {
        "request_id": _slot("id"),
        "api_key": _key_hash(workload),
        **{f"{name}_tokens": _slot(name) for name in ("total", "prompt", "completion")},
        "spend": _slot("spend"),
        "startTime": _slot("start"),
        "endTime": _slot("end"),
        "completionStartTime": _slot("end"),
        "model": model.logged_name,
        "model_id": model.deployment_id,
        "model_group": model.alias,
        "custom_llm_provider": model.provider,
        "api_base": model.api_base,
        "user": _user(workload),
        "metadata": _spend_log_metadata(workload, model, outcome),
        "cache_hit": "True" if outcome.is_cache_hit else "False" if outcome.is_stream else "None",
        "cache_key": _slot("cache_key"),
        "request_tags": [f"feature:{workload.feature}", *AGENTS],
        "team_id": _team(workload)[0] or "",
        "session_id": _slot("trace_id"),
        "status": outcome.status,
        "request_duration_ms": _slot("duration"),
        "created_at": _slot("created"),
        "updated_at": _slot("created"),
    }
    return _opened("{" + ",".join(f'"{name}":{json.dumps(value)}' for name, value in row.items()) + "}\n")


def _spend_log_metadata(workload: Workload, model: Model, outcome: Outcome) -> Mapping[str, object]:
    usage = _usage(model, outcome.status)
    failed = outcome.status == "failure"
    team_id, team_name = _team(workload)
    return SPEND_LOG_METADATA | {
        "status": "failure" if failed else None,
        "usage_object": usage,
        "user_api_key": _key_hash(workload),
        "cost_breakdown": _cost_breakdown(model, outcome.status),
        "litellm_call_id": _slot("call_id"),
        "error_information": ERROR | {"llm_provider": model.provider} if failed else None,
        "user_api_key_alias": workload.key_alias,
        "spend_logs_metadata": _context(workload),
        "original_model_group": model.alias,
        "user_api_key_team_id": team_id,
        "user_api_key_team_alias": team_name,
        "user_api_key_user_id": _user(workload),
        "model_map_information": {"model_map_key": model.logged_name, "model_map_value": None},
        "additional_usage_values": {name: value for name, value in usage.items() if name not in _TOTALS},
    }


@cache
def payload(workload: Workload, outcome: Outcome) -> str:
    """The text of a StandardLoggingPayload as the S3 logger writes it, with the texts of prompt and answer."""
    model = MODELS[workload.model]
    failed = outcome.status == "failure"
    tags = [f"feature:{workload.feature}", *AGENTS]
    question = f"Please redact me: a customer's own words about {workload.feature}."
    row = PAYLOAD_FIELDS | {
        "id": _slot("id"),
        "litellm_call_id": _slot("call_id"),
        "trace_id": _slot("trace_id"),
        "cache_hit": False if failed else None,
        "stream": True if outcome.is_stream else None,
        "status": outcome.status,
        "status_fields": {"llm_api_status": outcome.status, "guardrail_status": "not_run"},
        "custom_llm_provider": model.provider,
        "startTime": _slot("start"),
        "endTime": _slot("end"),
        "completionStartTime": _slot("end"),
        "response_time": _slot("seconds"),
        "model": model.logged_name,
        "metadata": _payload_metadata(workload, model, outcome),
        "response_cost": _slot("spend"),
        "cost_breakdown": _cost_breakdown(model, outcome.status),
        **{f"{name}_tokens": _slot(name) for name in ("total", "prompt", "completion")},
        "request_tags": tags,
        "api_base": model.api_base,
        "model_group": model.alias,
        "model_id": model.deployment_id,
        "messages": [{"role": "user", "content": question}],
        "response": {} if failed else _response(model),
        "model_parameters": {"stream": outcome.is_stream},
        "hidden_params": HIDDEN_PARAMS
        | {"model_id": model.deployment_id, "api_base": model.api_base, "response_cost": _slot("spend")},
        "model_map_information": {"model_map_key": model.logged_name, "model_map_value": None},
        "error_str": ERROR["error_message"] if failed else None,
        "error_information": ERROR | {"llm_provider": model.provider} if failed else NO_ERROR,
    }
    return _opened(json.dumps(row))


def _response(model: Model) -> dict[str, object]:
    message = {"role": "assistant", "content": "Redact me too: what the model answered."}
    choice = {"finish_reason": "stop", "index": 0, "message": message}
    usage = _usage(model, "success")
    return {"id": _slot("id"), "model": model.name, "object": "chat.completion", "choices": [choice], "usage": usage}


def _payload_metadata(workload: Workload, model: Model, outcome: Outcome) -> Mapping[str, object]:
    team_id, team_name = _team(workload)
    said = _context(workload)
    return PAYLOAD_METADATA | {
        "user_api_key_hash": _key_hash(workload),
        "user_api_key_alias": workload.key_alias,
        "user_api_key_team_id": team_id,
        "user_api_key_team_alias": team_name,
        "user_api_key_user_id": _user(workload),
        "user_api_key_user_email": _user(workload),
        "spend_logs_metadata": said,
        "requester_metadata": {"spend_logs_metadata": said, "headers": HEADERS},
        "usage_object": _usage(model, outcome.status),
    }
