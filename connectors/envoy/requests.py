"""One line of the access log: what of it may be landed, and which attempt it tells of.

A landed record names things as the settings do (`input_tokens`, `backend`), whatever the deployment's keys are.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.envoy.keys import TOKENS, rule_of
from connectors.envoy.settings import EnvoySettings
from connectors.exact import read_decimal
from connectors.logs.allow_list import AllowList, rules_of
from connectors.logs.attempt import Attempt, NoAttemptError, Record
from connectors.logs.buckets import Buckets, Counts, exclusive, of_call
from connectors.logs.calls import OTHER, is_streaming, later, status_of
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.paths import value_at
from connectors.logs.regions import region_of

_BACKEND = re.compile(r"(?P<backend>[^/]+/(?P<name>[^/]+))/route/.+")
_NO_FLAGS = "-"
_FROM_CACHE = frozenset({"RFCF", "ResponseFromCacheFilter"})
_OF_A_MODEL = frozenset({"requested_model", "response_model", "model_override", "backend", *TOKENS})


def allowed(settings: EnvoySettings) -> AllowList:
    """What the settings' keys say, by name, and the keys that the settings ask for beside them."""
    rules = rules_of(settings.hash_key)
    wanted = [(name, key, rule_of(name, rules)) for name, key in settings.keys_by_name.items()]
    wanted.append(("team", settings.team_id_field, rules.text))
    wanted += [(f"asked:{key}", key, rules.text) for key in settings.asked_keys]

    def redact(row: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict[str, Any]()
        for name, key, rule in wanted:
            value = value_at(row, key)
            if value is not None and (shown := rule(value)) is not None:
                kept[name] = shown
        return kept

    return AllowList(redact, frozenset(name for name, _, _ in wanted))


def started(settings: EnvoySettings, row: Mapping[str, Any]) -> int | None:
    """When a line's request started, in microseconds since 1970."""
    return microseconds(value_at(row, settings.keys_by_name["start_time"]))


def reported_cost(settings: EnvoySettings, record: Record) -> str | Decimal | None:
    """What a deployment's own expression computed, in USD; as it was written where that is no number."""
    cost = record.get("cost")
    found = None if cost is None else read_decimal(cost)
    return cost if found is None else found * settings.cost_unit


def attempt(settings: EnvoySettings, record: Record) -> Attempt:
    """The attempt that a landed record tells of: the last of its retries, which have no lines of their own.

    Raises NoAttemptError for a request that was for no model, UsageError for counts that contradict themselves.
    """
    if record.get("path") == OTHER and not _OF_A_MODEL & record.keys():
        raise NoAttemptError(is_repeated=False)
    start, flags = microseconds(record.get("start_time")), record.get("response_flags", _NO_FLAGS)
    backend, provider = _backend(settings, record.get("backend"))
    model = record.get("response_model") or record.get("model_override") or record.get("requested_model")
    said = asked(settings, ({key: record.get(f"asked:{key}") for key in settings.asked_keys},))
    attempts = record.get("attempts")
    return Attempt(
        request_id=record.get("request_id"),
        started_at=start,
        ended_at=later(start, record.get("duration")),
        status=status_of(record.get("response_code")),
        usage=_used(record),
        gateway="envoy_ai_gateway",
        call_type=record.get("path"),
        provider=provider,
        requested_model=record.get("requested_model"),
        billed_model=without_provider(model, provider),
        deployment_id=backend,
        api_base=record.get("address"),
        region_id=region_of(record.get("address")),
        key_id=record.get("key"),
        gateway_team_id=record.get("team"),
        user_hash=record.get("user"),
        customer_hash=record.get("customer"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_cache_hit=not _FROM_CACHE.isdisjoint(flags.split(",")),
        is_stream=record.get("content_type", is_streaming(record.get("path"))),
        extra={
            **({"attempts": attempts} if attempts is not None and attempts != 1 else {}),
            **({"response_flags": flags} if flags != _NO_FLAGS else {}),
        },
    )


def _used(record: Record) -> Buckets:
    """Cached and reasoning tokens are inside of input and output."""
    counts = Counts(
        input_tokens=record.get("input_tokens"),
        output_tokens=record.get("output_tokens"),
        total_tokens=record.get("total_tokens"),
        cache_read_tokens=record.get("cached_input_tokens"),
        cache_write_5m_tokens=record.get("cache_creation_input_tokens"),
        output_reasoning_tokens=record.get("reasoning_tokens"),
    )
    told = (record.get(name) for name in ("path", "requested_model", "response_model"))
    return exclusive(of_call(counts, *told), CONVENTIONS["envoy"])


def _backend(settings: EnvoySettings, path: str | None) -> tuple[str | None, str | None]:
    """The backend as namespace/name, and its provider, from `namespace/name/route/route/rule/0/ref/0`."""
    if path is None:
        return None, None
    found = _BACKEND.fullmatch(path)
    backend, name = (found["backend"], found["name"]) if found else (path, path.rpartition("/")[2])
    return backend, settings.providers.get(backend) or settings.providers.get(name) or name
