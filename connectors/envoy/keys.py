"""What a line of the access log can say, the key under which it is recommended to say it, and what may be landed.

Here belongs: names and rules. Here does not belong: what values mean (`requests`).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from connectors.logs.allow_list import Rules
from connectors.logs.calls import number, operation, streamed
from connectors.logs.values import Rule, count, instant, money

TOKENS = (
    "input_tokens",
    "cached_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "total_tokens",
)

KEYS: Mapping[str, str | None] = MappingProxyType(
    {
        "request_id": "x-request-id",
        "start_time": "start_time",
        "duration": "duration",
        "response_code": "response_code",
        "response_flags": "response_flags",
        "attempts": "request_attempt_count",
        "path": "x-envoy-origin-path",
        "requested_model": "gen_ai.request.model",
        "model_override": "gen_ai.request.model_override",
        "response_model": "gen_ai.response.model",
        "backend": "gen_ai.provider.name",
        **{name: f"gen_ai.usage.{name}" for name in TOKENS},
        "key": None,
        "user": None,
        "customer": None,
        "address": None,
        "content_type": None,
        "cost": None,
    }
)
"""What a line can say, and the key that Envoy AI Gateway's documentation recommends for it; None: there is none."""

_HOST = re.compile(r"[\w.-]+(:\d{1,5})?", re.ASCII)
_TEXTS = frozenset({"request_id", "response_flags", "requested_model", "model_override", "response_model", "backend"})


def rule_of(name: str, rules: Rules) -> Rule:
    """What may be landed of the value that `name` stands for."""
    if name in TOKENS or name in ("response_code", "attempts"):
        return count
    if name in _TEXTS:
        return rules.text
    by_name: Mapping[str, Rule] = {
        "start_time": instant,
        "duration": number,
        "path": operation,
        "content_type": streamed,
        "key": rules.key,
        "user": rules.person,
        "customer": rules.person,
        "address": _address_rule(rules),
        "cost": money,
    }
    return by_name[name]


def _address_rule(rules: Rules) -> Rule:
    """An endpoint, or a host with its port, as Envoy writes its upstreams."""

    def address(value: object) -> object:
        is_host = isinstance(value, str) and _HOST.fullmatch(value)
        return rules.text(value) if is_host else rules.address(value)

    return address
