"""What each field of a mapping says, in which unit, and how a log may write it: the page's table is made of it.

Here belongs: words for who writes a mapping. Here does not belong: rules (`fields`, `settings`). A field that is a
column of `gateway_requests` means what the contract says of that column.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from connectors.mapped_log.fields import SORTS, Sort
from connectors.mapped_log.settings import NEEDED, PLACES
from contracts import contract


class FieldMeaning(NamedTuple):
    """One field: what it says, its unit or form, whether it has to be there, and a value as a log may hold it."""

    name: str
    meaning: str
    unit: str
    needed: str
    example: str


_UNITS: Mapping[Sort, str] = MappingProxyType(
    {
        "text": "text",
        "person": "text or number; only its keyed hash is landed",
        "key": "text; only its keyed hash is landed, a SHA-256 as it is",
        "content": "anything; only its keyed hash is landed",
        "address": "address; without user, password and query",
        "instant": "`time_unit`: ISO 8601, or s, ms, us, ns since 1970",
        "duration": "`latency_unit`: ms unless it says otherwise",
        "flag": "true or false, or what `words` make of it",
        "count": "whole tokens",
        "money": "`cost_unit` of `currency`: whole USD unless they say otherwise",
        "status": "success, failure, a code of HTTP, true or false, or what `words` make of it",
        "tags": "list of texts",
        "metadata": "object; of it only the keys that settings name",
        "usage": "object; of it only counts, model and tier",
    }
)
_OWN: Mapping[str, str] = MappingProxyType(
    {
        "gateway": "What wrote the log, by a name of your own.",
        "region_id": "Region of the endpoint in the cloud's words; `api_base` may tell it, too.",
        "latency": "How long the attempt took: gives its end where `ended_at` does not.",
        "cost": "What the log says that the attempt cost: evidence, never booked.",
        "margin": "The margin in `cost`, positive.",
        "discount": "The discount that was taken off `cost`, positive.",
        "avoided_cost": "What a hit of the gateway's own cache would have cost.",
        "metadata": "Where `feature_key`, `environment_key`, `outcome_keys` and `team_id_field` are looked up.",
        "usage": "A provider's own usage object, or its whole answer, in place of single counts.",
        "input_tokens": "Input; whether with the classes below or without, `convention` says.",
        "output_tokens": "Output; whether with the classes below or without, `convention` says.",
        "total_tokens": "Input and output together: never priced, the other counts are held against it.",
        "requested_model": "Model or alias that the caller asked for.",
        "billed_model": "Model that answered: what is priced. Without it nothing is.",
        "provider": "Provider that answered: with the model it says whose price holds.",
        "key_id": "The caller's virtual key.",
        "prompt_hash": "The prompt: equal ones are recognised, none is kept.",
        "prefix_hash": "The part of the prompt that a provider's cache may hold.",
        "user_hash": "The calling user.",
        "customer_hash": "The end user or customer.",
    }
)
_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "request_id": "req_8f2c41",
        "response_id": "chatcmpl-9xYz",
        "trace_id": "4bf92f3577b34da6",
        "attempt_group_id": "op-77",
        "gateway": "acme-gateway",
        "call_type": "chat.completion",
        "provider": "openai",
        "requested_model": "fast",
        "billed_model": "gpt-5-mini-2025-08-07",
        "deployment_id": "gpt5-weu-1",
        "region_id": "eu-west-1",
        "key_alias": "search-prod",
        "gateway_team_id": "search",
        "organization_id": "acme-eu",
        "feature": "autocomplete",
        "environment": "production",
        "service_tier": "batch",
        "user_hash": "alice@corp.example",
        "customer_hash": "C-1017",
        "key_id": "sk-team-search",
        "prompt_hash": '[{"role": "user"}]',
        "prefix_hash": "You are a ...",
        "api_base": "https://api.example.com/v1",
        "started_at": "2026-11-21T02:00:00.25Z",
        "ended_at": "2026-11-21T02:00:01.75Z",
        "latency": "1500",
        "is_cache_hit": "true",
        "is_stream": "false",
        "has_begun": "true",
        "input_tokens": "1000",
        "output_tokens": "50",
        "total_tokens": "1050",
        "cache_read_tokens": "600",
        "cache_write_5m_tokens": "200",
        "cache_write_1h_tokens": "0",
        "input_audio_tokens": "0",
        "output_reasoning_tokens": "20",
        "output_audio_tokens": "0",
        "cost": "0.000215",
        "margin": "0.00001",
        "discount": "0.00002",
        "avoided_cost": "0.000215",
        "status": "200",
        "tags": '["eu", "beta"]',
        "metadata": '{"feature": "autocomplete"}',
        "usage": '{"prompt_tokens": 1000, "completion_tokens": 50}',
    }
)


def field_meanings() -> list[FieldMeaning]:
    """Every field that `fields` may name: the needed ones first, then by sort, as `SORTS` has them."""
    columns = {column.name: column.description for column in contract("gateway_requests").columns}
    names = [*NEEDED, *(name for name in SORTS if name not in NEEDED)]
    return [
        FieldMeaning(name, _OWN.get(name) or columns[name], _UNITS[SORTS[name]], _needed(name), _EXAMPLES[name])
        for name in names
    ]


def _needed(name: str) -> str:
    by_name = {
        "request_id": "wherever the log has one",
        "status": "yes, here or in `constants`",
        "started_at": "yes",
        "provider": "where a model's name alone does not say whose it is",
        "billed_model": "to be priced",
        "input_tokens": "to be priced, or `usage`",
        "output_tokens": "to be priced, or `usage`",
    }
    if name in PLACES:
        return f"no; with it, `{PLACES[name]}` in `convention`"
    return by_name.get(name, "no")
