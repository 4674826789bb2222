"""One request of Helicone: what of it may be landed, and which attempt it tells of.

Here belongs: the fields under the API's names; the table's are given these names first. Here does not belong: pages.
"""

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlsplit

from connectors.helicone.settings import HeliconeNames
from connectors.logs.allow_list import AllowList, Fields, allow, allow_list, at, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Buckets, Counts, UsageError, exclusive, of_call
from connectors.logs.conventions import Convention
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.regions import region_of
from connectors.logs.usage_fields import part
from connectors.logs.values import count, flag, instant, money

NANO_USD = Decimal("1e-9")
"""The table holds costs in whole billionths of a dollar; the API divides."""

_SESSION = "Helicone-Session-Id"
_COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "prompt_cache_read_tokens",
    "prompt_cache_write_tokens",
    "prompt_audio_tokens",
    "completion_audio_tokens",
    "reasoning_tokens",
)
_OF_ORIGINAL = tuple(f"ref_{name}" for name in _COUNTS)
_NO_ORIGINAL = frozenset({None, "", "00000000-0000-0000-0000-000000000000"})
_PENDING = -2
ESSENTIAL = frozenset({"request_id", "request_created_at", "response_status", "cache_reference_id"})


def allowed(settings: HeliconeNames) -> AllowList:
    """The fields of a request: no body, no signed address of one, and of the properties what is asked."""
    rules = rules_of(settings.hash_key)
    properties: Fields = each_of([*settings.asked_keys, _SESSION], rules.text)
    allow(properties, settings.team_id_field, rules.text)
    fields: Fields = {
        **each_of("request_id request_model response_model model model_override provider", rules.text),
        **each_of("organization_id cache_reference_id storage_location", rules.text),
        **each_of("request_created_at response_created_at updated_at", instant),
        **each_of("response_status delay_ms total_tokens cost_nano_usd", count),
        **each_of((*_COUNTS, *_OF_ORIGINAL), count),
        **each_of("cost costUSD time_to_first_token", money),
        **each_of("cache_enabled is_passthrough_billing", flag),
        "request_user_id": rules.person,
        "request_properties": properties,
        "properties": properties,
        **each_of("request_path target_url", rules.address),
    }
    return allow_list(fields)


def attempt(settings: HeliconeNames, record: Record, costs: Mapping[str, str | Decimal | None]) -> Attempt:
    """The attempt that a landed record tells of. `costs` are those of requests that cached answers come from.

    Raises UsageError for usage that contradicts itself or the settings.
    """
    properties: Record = record.get("request_properties") or record.get("properties") or NOTHING
    said = asked(settings, (properties,))
    original = original_of(record)
    started = microseconds(record.get("request_created_at"))
    provider = record.get("provider")
    address = record.get("target_url") or record.get("request_path")
    asked_model = record.get("request_model") or record.get("model")
    return Attempt(
        request_id=record.get("request_id"),
        dedup_key=record.get("request_id"),  # Helicone's own, and given out more than once while tables are merged
        started_at=started,
        ended_at=microseconds(record.get("response_created_at")) or _ended(started, record.get("delay_ms")),
        status=_status(record.get("response_status")),
        usage=_usage(settings, record, original),
        gateway="helicone",
        call_type=_call_type(record),
        provider=None if provider == "CUSTOM" else provider,
        requested_model=asked_model,
        billed_model=record.get("model_override") or record.get("response_model") or asked_model,
        api_base=address,
        region_id=region_of(address),
        gateway_team_id=at(properties, settings.team_id_field),
        organization_id=record.get("organization_id"),
        user_hash=record.get("request_user_id"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_cache_hit=original is not None,
        is_stream=True if _is_streamed(record) else None,
        has_begun=True if _is_streamed(record) else None,
        avoided_cost=costs.get(original) if original else None,
        source_cost_basis="list",
        extra=_extra(record, properties, original),
    )


def reported_cost(record: Record) -> str | Decimal | None:
    """What Helicone says that the request cost, in USD."""
    nano = record.get("cost_nano_usd")
    if nano is not None:
        return int(nano) * NANO_USD
    return record.get("cost") or record.get("costUSD")


def original_of(record: Record) -> str | None:
    """The request whose answer Helicone's cache gave again; None for one that a provider answered."""
    found = record.get("cache_reference_id")
    return None if found in _NO_ORIGINAL else found


def _usage(settings: HeliconeNames, record: Record, original: str | None) -> Buckets:
    """Exclusive buckets; of a cached answer those of its original, where Helicone repeats them."""
    is_repeated = original is not None and any(record.get(name) for name in _OF_ORIGINAL)
    names = dict(zip(_COUNTS, _OF_ORIGINAL if is_repeated else _COUNTS, strict=True))
    if not is_repeated:
        _require_total(record)
    counts = Counts(
        input_tokens=record.get(names["prompt_tokens"]),
        output_tokens=record.get(names["completion_tokens"]),
        cache_read_tokens=record.get(names["prompt_cache_read_tokens"]),
        cache_write_5m_tokens=record.get(names["prompt_cache_write_tokens"]),
        input_audio_tokens=record.get(names["prompt_audio_tokens"]),
        output_reasoning_tokens=record.get(names["reasoning_tokens"]),
        output_audio_tokens=record.get(names["completion_audio_tokens"]),
    )
    counts = of_call(counts, _call_type(record), record.get("request_model"), record.get("model"))
    return exclusive(counts, Convention(settings.cached_input, settings.cached_input, settings.reasoning))


def _require_total(record: Record) -> None:
    """Helicone's total is the sum of prompt and completion as they are filed, in some versions with reasoning."""
    total = record.get("total_tokens")
    named = part(record, "prompt_tokens") + part(record, "completion_tokens")
    if total and total not in (named, named + part(record, "reasoning_tokens")):
        raise UsageError(
            "total_does_not_add_up",
            f"prompt and completion are {named} tokens, but the total is {total}: another way of counting than this "
            "connector knows",
            "input_total_tokens",
        )


def _status(status: int | None) -> str | None:
    if status is None or status == _PENDING:
        return None  # not answered yet: the next night reads it again
    return "success" if 200 <= status < 300 else "failure"


def _ended(started: int | None, delay_ms: int | None) -> int | None:
    return None if started is None or delay_ms is None else started + delay_ms * 1000


def _call_type(record: Record) -> str | None:
    path = urlsplit(record.get("request_path") or record.get("target_url") or "").path
    return path.partition("/v1/")[2] or path.strip("/") or None


def _is_streamed(record: Record) -> bool:
    found = record.get("time_to_first_token")
    return found is not None and Decimal(found) > 0


def _extra(record: Record, properties: Record, original: str | None) -> dict[str, object]:
    found = {
        "session_id": properties.get(_SESSION),
        "cache_reference_id": original,
        "is_passthrough_billing": record.get("is_passthrough_billing"),
        "response_status": record.get("response_status"),
    }
    return {name: value for name, value in found.items() if value is not None}
