"""One observation of Langfuse: what of it may be landed, and which attempt it tells of.

Here belongs: the fields under the API's names; the export's are given these names first. Here does not belong: token
arithmetic (`usage`), pages, files.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.langfuse.settings import LangfuseNames
from connectors.langfuse.usage import KNOWN, is_name, is_tokenized, others, usage_rule, used
from connectors.logs.allow_list import AllowList, Fields, allow, allow_list, at, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import MISSING, Buckets
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.values import instant, json_value, money

CALLS = {"GENERATION": "generation", "EMBEDDING": "embedding"}
"""Types of observations that are calls of a model. Agents, chains and spans above them repeat their usage."""

_NEEDED = ("id", "type", "startTime", "level", "usageDetails", "providedUsageDetails")
ESSENTIAL = frozenset([*_NEEDED, *(f"usageDetails.{name}" for name in KNOWN)])
_ASKABLE = ("name", "traceName", "release", "version")  # texts of the caller's: landed where the settings ask for them
_OF_A_GATEWAY = re.compile(r"time-\d\d-\d\d-\d\d-\d{6}_(.+)")
_EXTRA = {
    "traceId": "trace_id",
    "sessionId": "session_id",
    "parentObservationId": "parent_observation_id",
    "projectId": "project_id",
    "usagePricingTierName": "pricing_tier",
}


def allowed(settings: LangfuseNames) -> AllowList:
    """The fields of an observation: no input, no output, no message of an error, and of the metadata what is asked."""
    rules = rules_of(settings.hash_key)
    metadata: Fields = each_of([*settings.asked_keys, settings.provider_key], rules.text)
    allow(metadata, settings.team_id_field, rules.text)
    fields: Fields = {
        **each_of("id type level environment providedModelName model internalModelId modelId", rules.text),
        **each_of(_EXTRA, rules.text),
        **each_of([name for name in _ASKABLE if name in settings.asked_keys], rules.text),
        **each_of("startTime endTime completionStartTime updatedAt", instant),
        "userId": rules.person,
        "tags": rules.tags,
        "metadata": metadata,
        "usageDetails": usage_rule,
        "providedUsageDetails": usage_rule,
        "costDetails": _costs,
        **each_of("totalCost timeToFirstToken", money),
    }
    return allow_list(fields)


def attempt(settings: LangfuseNames, record: Record) -> Attempt:
    """The attempt that a landed record tells of. Raises UsageError for usage that contradicts itself."""
    metadata: Record = record.get("metadata") or NOTHING
    named = {name: record.get(name) for name in _ASKABLE}
    said = asked(settings, (metadata, named), record.get("tags"))
    model, provider = _model(record), at(metadata, settings.provider_key)
    is_priced = record.get("usagePricingTierName") is not None
    has_begun = True if record.get("completionStartTime") or record.get("timeToFirstToken") else None
    return Attempt(
        request_id=record.get("id"),
        response_id=_response_id(record.get("id")),
        trace_id=record.get("traceId"),
        dedup_key=record.get("id"),  # unique in a project; an export repeats rows at the edges of its windows
        started_at=microseconds(record.get("startTime")),
        ended_at=microseconds(record.get("endTime")),
        status="failure" if record.get("level") == "ERROR" else "success",
        usage=_usage(settings, record, model),
        gateway="langfuse",
        call_type=CALLS.get(str(record.get("type"))),
        provider=provider,
        requested_model=model,
        billed_model=without_provider(model, provider),
        gateway_team_id=at(metadata, settings.team_id_field),
        user_hash=record.get("userId"),
        feature=said.feature,
        environment=said.environment or record.get("environment"),
        tags=record.get("tags"),
        outcome_ids=said.outcome_ids,
        is_stream=has_begun,
        has_begun=has_begun,
        source_cost_basis="list" if is_priced else "unknown",
        extra=_extra(record),
    )


def _model(record: Record) -> str | None:
    """The model as the caller named it; the documentation's own rows of the API have it as `model`."""
    return record.get("providedModelName") or record.get("model")


def _response_id(identity: str | None) -> str | None:
    """The provider's id of the answer, which gateways write behind the time of day into the observation's."""
    found = _OF_A_GATEWAY.fullmatch(identity or "")
    return found[1] if found else None


def reported_cost(record: Record) -> str | Decimal | None:
    """What Langfuse says that the call cost, in USD: its total, or else the sum of the parts that are stated."""
    parts: Record = record.get("costDetails") or NOTHING
    total = record.get("totalCost") or parts.get("total")
    if total is not None or not parts:
        return total
    try:
        return sum((Decimal(amount) for amount in parts.values()), Decimal())
    except InvalidOperation:
        return None


def _usage(settings: LangfuseNames, record: Record, model: str | None) -> Buckets:
    details: Record = record.get("usageDetails") or NOTHING
    if not details:
        return MISSING
    is_estimate = record.get("providedUsageDetails") == {} or is_tokenized(model, settings.tokenized_models)
    provenance = "gateway_tokenizer" if is_estimate else "provider"
    return used(details, settings.usage, told=(record.get("type"), model), provenance=provenance)


def _extra(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = {said: record[name] for name, said in _EXTRA.items() if record.get(name) is not None}
    if beside := others(record.get("usageDetails") or NOTHING):
        found["usage"] = beside
    return found


def _costs(found: object) -> object:
    """Amounts by name; what is no amount is left out, for a name alone says nothing."""
    value = json_value(found) if isinstance(found, str) else found
    if not isinstance(value, dict):
        return None
    return {name: str(amount) for name, amount in value.items() if is_name(name) and _is_amount(amount)} or None


def _is_amount(value: object) -> bool:
    try:
        return isinstance(value, int | float | str) and not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False
