"""One request that Portkey logged: what of it may be landed, and which attempt it tells of.

Exports and the files of a private cloud have the same fields, some of them under other names.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from connectors.logs.allow_list import AllowList, Fields, allow, at, compiled, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Counts, exclusive, of_call
from connectors.logs.calls import later, number, operation, status_of
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.regions import region_of
from connectors.logs.values import WITHHELD, count, instant, money, truth
from connectors.portkey.settings import PortkeyNames

ESSENTIAL = frozenset(
    ["id", "created_at", "is_success", "response_status_code", "req_units", "res_units", "total_units", "cache_status"]
)
CENT = Decimal("0.01")

_OTHER_NAMES = {
    "ai_provider": "ai_org",
    "request_tokens": "req_units",
    "response_tokens": "res_units",
    "total_tokens": "total_units",
    "status_code": "response_status_code",
}
_COUNTED = "req_units res_units total_units response_status_code retry_success_count last_used_option_index"
_NAMED = (
    "id trace_id span_id ai_org ai_model cost_currency mode config prompt_slug cache_status virtual_key "
    "workspace_slug organisation_id"
)
_EXTRA = (
    *("mode", "config", "prompt_slug", "span_id", "response_status_code", "cache_status", "retry_success_count"),
    "last_used_option_index",
)
_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})( \([^()]*\))?", re.ASCII
)


def allowed(settings: PortkeyNames) -> AllowList:
    """The fields of a logged request, without its bodies; of its metadata what the settings ask for, and the user."""
    rules = rules_of(settings.hash_key)
    metadata: Fields = each_of(settings.asked_keys, rules.text)
    allow(metadata, settings.team_id_field, rules.text)
    metadata["_user"] = rules.person
    fields: Fields = {
        "created_at": moment,
        "is_success": truth,
        "stream_mode": truth,
        "cost": money,
        "request_url": rules.address,
        "api_key_id": rules.key,
        "response_time": number,
        "operation": operation,
        "metadata": metadata,
        **each_of(_COUNTED, count),
        **each_of(_NAMED, rules.text),
    }
    redact = compiled(fields)
    return AllowList(lambda row: redact(usual(row)), frozenset(fields))


def usual(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row under the names of an export, its metadata as one object."""
    named = dict(row)
    for other, name in _OTHER_NAMES.items():
        if other in named:
            named.setdefault(name, named.pop(other))
    named["operation"] = named.get("request_url")
    pairs = _pairs(named)
    return named if pairs is None else {**named, "metadata": pairs}


def moment(value: object) -> object:
    """The rule of `created_at`: as other logs write it, or as JavaScript prints a date, which becomes ISO text."""
    found = _JAVASCRIPT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return instant(value)
    try:
        return datetime.strptime(f"{found[1]} {found[2]}", "%b %d %Y %H:%M:%S %z").isoformat()
    except ValueError:
        return WITHHELD


def started(row: Mapping[str, Any]) -> int | None:
    """When a row was logged, in microseconds since 1970; None where that cannot be read."""
    return microseconds(moment(row.get("created_at")))


def reported_cost(record: Record, unit_usd: Decimal) -> Decimal | None:
    """What Portkey computed, in USD. The unit is not the currency: a cost in `USD` is in cents."""
    cost = record.get("cost")
    if cost is None or record.get("cost_currency", "USD") != "USD":
        return None
    return Decimal(cost) * unit_usd


def attempt(settings: PortkeyNames, record: Record) -> Attempt:
    """The attempt that a landed record tells of. Raises UsageError for usage that contradicts itself."""
    metadata: Record = record.get("metadata") or NOTHING
    said = asked(settings, (metadata,))
    start = microseconds(record.get("created_at"))
    counts = Counts(record.get("req_units"), record.get("res_units"), record.get("total_units"))
    address, model = record.get("request_url"), record.get("ai_model")
    return Attempt(
        request_id=record.get("id"),
        dedup_key=record.get("id"),  # Portkey's own, one for each request
        attempt_group_id=record.get("trace_id") if settings.trace_is_one_operation else None,
        started_at=start,
        ended_at=later(start, record.get("response_time")),
        status=_status(record),
        usage=exclusive(of_call(counts, record.get("operation"), model), CONVENTIONS["portkey"]),
        call_type=record.get("operation"),
        provider=record.get("ai_org"),
        requested_model=model,
        billed_model=model,
        deployment_id=record.get("virtual_key"),
        api_base=address,
        region_id=region_of(address),
        key_id=record.get("api_key_id"),
        gateway_team_id=at(metadata, settings.team_id_field) or record.get("workspace_slug"),
        organization_id=record.get("organisation_id"),
        user_hash=metadata.get("_user"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_cache_hit=str(record.get("cache_status", "")).upper() in ("HIT", "SEMANTIC HIT", "SEMANTIC_HIT"),
        is_stream=record.get("stream_mode"),
        source_cost_basis="list",
        extra=_extra(settings, record),
    )


def _pairs(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Metadata of parallel arrays as an object: what a private cloud's files hold. None where the row has no such."""
    inner = row.get("metadata")
    holder = cast("Mapping[str, Any]", inner) if isinstance(inner, dict) else {}
    for keys, values in (
        (holder.get("key"), holder.get("value")),
        (row.get("metadata.key"), row.get("metadata.value")),
        (row.get("metadataKey"), row.get("metadataValue")),
    ):
        if isinstance(keys, list) and isinstance(values, list):
            pairs = zip(cast("list[object]", keys), cast("list[object]", values), strict=False)
            return {key: value for key, value in pairs if isinstance(key, str)}
    return None


def _status(record: Record) -> str | None:
    """Whether it went well: Portkey's own word, or else the status of the answer."""
    is_success, code = record.get("is_success"), record.get("response_status_code")
    return status_of(code) if is_success is None else "success" if is_success else "failure"


def _extra(settings: PortkeyNames, record: Record) -> dict[str, Any]:
    names = [*_EXTRA, *(() if settings.trace_is_one_operation else ("trace_id",))]
    kept = {name: record[name] for name in names if record.get(name) not in (None, "")}
    if record.get("cost_currency", "USD") != "USD":
        kept |= {"reported_cost": record.get("cost"), "reported_currency": record["cost_currency"]}
    return kept
