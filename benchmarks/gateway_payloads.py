"""Payloads such as LiteLLM's object loggers write, about 11 KB each, in gzip files of one day. All of it is made up."""

import gzip
import hashlib
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

DAY = datetime(2026, 11, 21)
FILES = 8
_WORDS = (
    "invoice", "token", "cluster", "gateway", "budget", "latency", "reserve", "model", "prompt", "answer", "cache",
    "region", "tenant", "ledger",
)  # fmt: skip
_HEADERS = {f"x-stainless-{name}": "a header's value" for name in _WORDS} | {"user-agent": "OpenAI/Python 2.54.0"}
_PRICES = {f"{name}_{kind}": None for name in _WORDS for kind in ("cost_per_token", "cost_per_image", "above_200k")}
_MODELS = (
    ("openai", "gpt-4o", "0.0000025"),
    ("openai", "gpt-5-mini", "0.00000025"),
    ("anthropic", "claude-sonnet-4-5", "0.000003"),
)


def payload(number: int, random_of: random.Random) -> dict[str, Any]:
    """A payload such as the object loggers write, about 11 KB: prompts, answer, headers and a price map in it."""
    provider, model, price = _MODELS[number % len(_MODELS)]
    cached, fresh, out = random_of.randrange(4000), random_of.randrange(1, 4000), random_of.randrange(1, 900)
    cost = fresh * float(price) + cached * float(price) / 10 + out * float(price) * 4
    start = DAY.timestamp() + number * 86_400 / 250_000 + 0.123456
    usage = {
        "prompt_tokens": fresh + cached, "completion_tokens": out, "total_tokens": fresh + cached + out,
        "prompt_tokens_details": {
            "audio_tokens": 0, "cached_tokens": cached, "text_tokens": None, "image_tokens": None,
        },
        "completion_tokens_details": {
            "reasoning_tokens": out // 3, "audio_tokens": 0, "accepted_prediction_tokens": 0, "text_tokens": None,
        },
    }  # fmt: skip
    call = f"{random_of.getrandbits(128):032x}"
    return {
        "id": f"chatcmpl-{call}", "litellm_call_id": call, "trace_id": call[::-1], "session_id": "",
        "call_type": "acompletion", "cache_hit": None, "stream": number % 3 == 0, "status": "success",
        "status_fields": {"llm_api_status": "success", "guardrail_status": "not_run"}, "custom_llm_provider": provider,
        "saved_cache_cost": 0.0, "startTime": start, "endTime": start + 1.75, "completionStartTime": start + 0.5,
        "response_time": 1.75, "model": f"{provider}/{model}", "model_group": model, "model_id": f"deployment-{model}",
        "metadata": {
            "user_api_key_hash": hashlib.sha256(str(number % 300).encode()).hexdigest(),
            "user_api_key_alias": f"key-{number % 300}", "user_api_key_team_id": f"team-{number % 40}",
            "user_api_key_team_alias": f"Team {number % 40}", "user_api_key_org_id": "org-1",
            "user_api_key_user_id": f"user-{number % 5000}@corp.test", "user_api_key_user_email": f"{number}@corp.test",
            **{f"user_api_key_{name}": None for name in _WORDS}, "requester_ip_address": "10.0.0.1",
            "spend_logs_metadata": {"ticket_id": f"T-{number}"}, "requester_metadata": {"headers": _HEADERS},
            "usage_object": usage, "applied_guardrails": [], "requester_custom_headers": _HEADERS,
        },
        "cache_key": "Cache OFF", "response_cost": cost, "total_tokens": usage["total_tokens"],
        "prompt_tokens": usage["prompt_tokens"], "completion_tokens": out,
        "request_tags": ["feature:search", "env:production"],
        "end_user": f"customer-{number % 20_000}", "api_base": "https://api.example.com/v1/",
        "messages": [
            {"role": "system", "content": _text(random_of, 1500)}, {"role": "user", "content": _text(random_of, 2500)},
        ],
        "response": {"choices": [{"message": {"content": _text(random_of, 1500)}}], "usage": usage},
        "model_parameters": {"stream": number % 3 == 0, "temperature": 0.2},
        "hidden_params": {"additional_headers": _HEADERS},
        "model_map_information": {"model_map_key": model, "model_map_value": _PRICES}, "error_str": None,
        "cost_breakdown": {
            "input_cost": cost, "output_cost": 0.0, "total_cost": cost, "original_cost": cost, "discount_amount": 0.0,
            "discount_percent": 0.0, "margin_total_amount": 0.0, "margin_fixed_amount": 0.0, "tool_usage_cost": 0.0,
            "service_tier": "default",
        },
        "error_information": None, "standard_logging_guardrail_information": None,
    }  # fmt: skip


def _text(random_of: random.Random, size: int) -> str:
    start = random_of.randrange(len(_PROSE) - size)
    return _PROSE[start : start + size] + ' said "yes"\n'


_PROSE = " ".join(random.Random(0).choices(_WORDS, k=30_000))


def write(folder: Path, count: int) -> int:
    """The payloads in `FILES` files of one day; gives their bytes before they were packed."""
    target = folder / f"{DAY.date()}"
    target.mkdir(parents=True)
    size = 0
    for file in range(FILES):
        random_of = random.Random(file)
        with gzip.open(target / f"{file:02d}.jsonl.gz", "wb", compresslevel=6) as stream:
            for number in range(file, count, FILES):
                size += stream.write(orjson.dumps(payload(number, random_of), option=orjson.OPT_APPEND_NEWLINE))
    return size
