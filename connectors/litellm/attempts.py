"""One landed record as one attempt, whichever format logged it.

Here belongs: which field of which format means what. Here does not belong: token arithmetic (`buckets`), files.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from connectors.litellm.settings import LiteLlmNames
from connectors.litellm.usage import buckets
from connectors.logs.allow_list import at
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Buckets
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.regions import region_of
from connectors.logs.usage_bodies import service_tier

BATCH_CALLS = frozenset({"create_batch", "acreate_batch", "retrieve_batch", "aretrieve_batch"})
ESSENTIAL = frozenset({"id", "request_id", "startTime", "status", "cache_hit", "metadata"})


class Logged(NamedTuple):
    """What both formats say of an attempt, under one name. Values are as landed, not yet checked."""

    request_id: Any
    call_id: Any
    trace_id: Any
    key_id: Any
    organization_id: Any
    team_id: Any
    user_hash: Any
    status: Any
    is_stream: Any
    reported_cost: Any
    saved_cost: Any
    breakdown: Record
    error: Record


def logged(record: Record, team_id_field: str) -> Logged:
    """The fields of a record that the two formats keep in different places."""
    metadata: Record = record.get("metadata") or NOTHING
    team_id = at(metadata, team_id_field)
    if "request_id" in record:
        error: Record = metadata.get("error_information") or NOTHING
        status = record.get("status") or metadata.get("status") or ("failure" if error else "success")
        standard_team = team_id_field == "user_api_key_team_id"
        return Logged(
            request_id=record["request_id"],
            call_id=metadata.get("litellm_call_id"),
            trace_id=record.get("session_id"),
            key_id=record.get("api_key") or metadata.get("user_api_key_hash"),
            organization_id=record.get("organization_id") or metadata.get("user_api_key_org_id"),
            team_id=team_id or (record.get("team_id") if standard_team else None),
            user_hash=record.get("user"),
            status=status,
            is_stream=_is_streamed(record),
            reported_cost=record.get("spend"),
            saved_cost=None,
            breakdown=metadata.get("cost_breakdown") or NOTHING,
            error=error,
        )
    stream = record.get("stream")
    if stream is None:
        stream = (record.get("model_parameters") or NOTHING).get("stream")
    return Logged(
        request_id=record.get("id"),
        call_id=record.get("litellm_call_id"),
        trace_id=record.get("trace_id"),
        key_id=metadata.get("user_api_key_hash"),
        organization_id=metadata.get("user_api_key_org_id"),
        team_id=team_id,
        user_hash=metadata.get("user_api_key_user_id"),
        status=record.get("status"),
        is_stream=_is_streamed(record) if stream is None else stream,
        reported_cost=record.get("response_cost"),
        saved_cost=record.get("saved_cache_cost"),
        breakdown=record.get("cost_breakdown") or NOTHING,
        error=record.get("error_information") or NOTHING,
    )


def attempt(settings: LiteLlmNames, record: Record) -> Attempt:
    """The attempt that a landed record of either format tells of. Raises UsageError for contradictory usage."""
    found = logged(record, settings.team_id_field)
    metadata: Record = record.get("metadata") or NOTHING
    model, provider = record.get("model"), record.get("custom_llm_provider")
    said = asked(
        settings,
        (metadata.get("spend_logs_metadata"), metadata.get("requester_metadata")),
        record.get("request_tags"),
    )
    return Attempt(
        request_id=found.request_id,
        # a hit has the id of the first answer, and the moment at which it was asked for
        response_id=None if record.get("cache_hit") is True else found.request_id,
        trace_id=found.trace_id,
        started_at=microseconds(record.get("startTime")),
        ended_at=microseconds(record.get("endTime")),
        status=found.status,
        usage=_used(record, found),
        gateway="litellm",
        attempt_group_id=found.call_id,
        call_type=record.get("call_type"),
        provider=provider,
        requested_model=record.get("model_group") or model,
        billed_model=without_provider(model, provider),
        deployment_id=record.get("model_id"),
        api_base=record.get("api_base"),
        region_id=region_of(record.get("api_base")),
        key_id=found.key_id,
        key_alias=metadata.get("user_api_key_alias"),
        gateway_team_id=found.team_id,
        organization_id=found.organization_id,
        user_hash=found.user_hash,
        customer_hash=record.get("end_user"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        tags=record.get("request_tags"),
        is_cache_hit=record.get("cache_hit") is True,
        is_stream=found.is_stream,
        has_begun=_is_streamed(record),
        service_tier=_tier(record, found),
        is_sum=is_batch(record.get("call_type")) or None,
        avoided_cost=found.saved_cost if _is_sum(found.saved_cost) else None,
        source_cost_basis=_basis(found.breakdown),
        stated_margin=_sum(found.breakdown, "margin_total_amount"),
        stated_discount=_sum(found.breakdown, "discount_amount"),
        extra=_extra(record, found),
    )


def reported_cost(record: Record) -> str | None:
    """What the log says that the attempt cost, in USD."""
    return record.get("response_cost", record.get("spend"))


def is_batch(call_type: Any) -> bool:
    """Whether a call is about a batch: what it tells of usage and cost is the whole batch's, at batch prices."""
    return call_type in BATCH_CALLS


def _tier(record: Record, found: Logged) -> str | None:
    if is_batch(record.get("call_type")):
        return "batch"
    usage: Record = (record.get("metadata") or NOTHING).get("usage_object") or NOTHING
    return service_tier(found.breakdown.get("service_tier") or usage.get("service_tier"))


def _used(record: Record, found: Logged) -> Buckets:
    usage: Record = (record.get("metadata") or NOTHING).get("usage_object") or NOTHING
    prompt, completion, total = (record.get(f"{part}_tokens") for part in ("prompt", "completion", "total"))
    return buckets(
        prompt, completion, total, usage, is_stream=found.is_stream is True, call_type=record.get("call_type")
    )


def _is_streamed(record: Record) -> bool | None:
    """Whether the answer began before its end, which is what is written as the begin of a whole answer.

    A stream of one piece looks like a whole answer, so that an equal time says nothing.
    """
    begun, ended = microseconds(record.get("completionStartTime")), microseconds(record.get("endTime"))
    return True if begun is not None and ended is not None and begun < ended else None


def _extra(record: Record, found: Logged) -> dict[str, Any]:
    """What was landed and has no column of its own; amounts of zero are left out."""
    metadata: Record = record.get("metadata") or NOTHING
    kept: dict[str, Any] = {n: text for n, text in found.breakdown.items() if n != "service_tier" and _is_sum(text)}
    for name in ("original_model_group", "attempted_retries", "attempted_fallbacks", "user_api_key_team_alias"):
        if name in metadata:
            kept[name] = metadata[name]
    if found.trace_id:
        kept["trace_id"] = found.trace_id
    return kept | {name: value for name, value in found.error.items() if value}


def _basis(breakdown: Record) -> str:
    """What the reported cost includes."""
    if not breakdown:
        return "unknown"
    if _sum(breakdown, "margin_total_amount"):
        return "with_margin"
    return "after_discount" if _sum(breakdown, "discount_amount") else "list"


def _sum(breakdown: Record, name: str) -> str | None:
    """An amount of the breakdown; None where it is not stated, or zero."""
    amount: str | None = breakdown.get(name)
    return amount if _is_sum(amount) else None


def _is_sum(text: str | None) -> bool:
    """Whether an amount was stated and is not zero."""
    return text is not None and text.strip("+-0.") != "" and Decimal(text) != 0
