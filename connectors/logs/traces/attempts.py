"""One landed span as the attempt that it tells of."""

from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from connectors.logs.attempt import NOTHING, Attempt, NoAttemptError, Record, RowError
from connectors.logs.buckets import Buckets, Counts, exclusive, of_call
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.regions import region_of
from connectors.logs.traces.names import (
    ADDRESS,
    ANSWERED,
    COST,
    ENVIRONMENT,
    ERROR,
    GEN_AI,
    HALF_COSTS,
    OPEN_INFERENCE,
    PORT,
    PROVIDER,
    REQUESTED,
    RESPONSE_ID,
    SERVICE,
    SESSION,
    STREAM,
    TAGS,
    TIER,
    USER,
    WRITTEN_1H,
    WRITTEN_5M,
    CountNames,
    first,
    operation_of,
)
from connectors.logs.traces.settings import TraceSettings
from connectors.logs.traces.tree import Tree, identity_of
from connectors.logs.usage_bodies import service_tier

ESSENTIAL = frozenset({"trace_id", "span_id", "parent_id", "start", "status"})
_USUAL_PORTS = (None, "80", "443")
_CLOUDS = (
    (".azure.com", "azure.ai.openai"),
    (".amazonaws.com", "aws.bedrock"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
)


def cost_of(record: Record, tree: Tree) -> str | Decimal | None:
    """What the span, or another span of the same call, says that it cost, in USD: a total, or both halves of one."""
    attributes = {**tree.shared(identity_of(record) or ""), **(record.get("attributes") or NOTHING)}
    total = first(attributes, COST)
    halves = [attributes.get(name) for name in HALF_COSTS]
    if total is not None or None in halves:
        return total
    return sum((Decimal(str(half)) for half in halves), Decimal(0))


def attempt(settings: TraceSettings, record: Record, tree: Tree) -> Attempt:
    """The attempt that a span tells of.

    Raises NoAttemptError for a span that is no call, or tells one again; RowError and UsageError for what cannot be.
    """
    attributes: Record = record.get("attributes") or NOTHING
    operation, identity = operation_of(attributes), identity_of(record)
    if operation not in settings.operations:
        raise NoAttemptError(is_repeated=False)
    if identity is None:
        raise RowError("missing_id", "a span has no trace id or no id of its own", "request_id")
    if identity in tree.repeated:
        raise NoAttemptError(is_repeated=True)
    attributes = {**tree.shared(identity), **attributes}
    around = list(tree.above(identity))
    resource: Record = record.get("resource") or NOTHING
    metadata = [place.get("metadata") for place in ({"metadata": record.get("metadata")}, *around)]
    places: list[Record | None] = [*metadata, resource]
    tags = next((tags for place in (attributes, *around) if (tags := place.get(TAGS))), None)
    said = asked(settings, places, tags)
    address = _address(attributes)
    provider, requested = _provider(attributes), first(attributes, REQUESTED)
    return Attempt(
        request_id=attributes.get(RESPONSE_ID) or record.get("span_id"),
        response_id=attributes.get(RESPONSE_ID),
        trace_id=record.get("trace_id"),
        dedup_key=identity,
        started_at=microseconds(record.get("start")),
        ended_at=microseconds(record.get("end")),
        status="failure" if ERROR in attributes else record.get("status", "success"),
        usage=used(settings, record, operation),
        attempt_group_id=tree.wraps.get(identity),
        call_type=operation,
        provider=provider,
        requested_model=requested,
        billed_model=without_provider(first(attributes, ANSWERED) or requested, provider),
        api_base=address,
        region_id=region_of(address),
        gateway_team_id=_of_places(settings.team_id_field, places),
        user_hash=_nearest(USER, attributes, around),
        feature=said.feature,
        environment=said.environment or first(resource, ENVIRONMENT),
        outcome_ids=said.outcome_ids,
        tags=tags,
        is_stream=first(attributes, STREAM),
        service_tier=service_tier(first(attributes, TIER)),
        extra=_extra(record, attributes, around, resource),
    )


def used(settings: TraceSettings, record: Record, operation: str | None) -> Buckets:
    """The span's counts as exclusive buckets."""
    attributes: Record = record.get("attributes") or NOTHING
    scope = str(record.get("scope") or "")
    is_beside = any(fnmatchcase(scope, pattern) for pattern in settings.cached_beside)
    is_inside = any(fnmatchcase(scope, pattern) for pattern in settings.cached_inside)
    counts, convention = _counts(attributes, GEN_AI), "otel_genai"
    if counts.input_tokens is None and counts.output_tokens is None:
        counts, convention = _counts(attributes, OPEN_INFERENCE), "openinference"
    told = "anthropic" if is_beside else "openai" if is_inside else convention
    return exclusive(of_call(counts, operation), CONVENTIONS[told])


def _counts(attributes: Record, names: CountNames) -> Counts:
    counts = Counts(**{field: first(attributes, where) for field, where in names._asdict().items()})
    for_an_hour = attributes.get(WRITTEN_1H)
    if names is not GEN_AI or not for_an_hour:
        return counts
    written = counts.cache_write_5m_tokens
    shorter = attributes.get(WRITTEN_5M) if written is None else written - for_an_hour
    return counts._replace(cache_write_5m_tokens=shorter, cache_write_1h_tokens=for_an_hour)


def _provider(attributes: Record) -> str | None:
    """Who answered. Client libraries of a model's maker say the maker, at whichever cloud's address they call."""
    host = str(attributes.get(ADDRESS) or "").rpartition("//")[2].partition("/")[0].lower()
    return next((cloud for end, cloud in _CLOUDS if host.endswith(end)), None) or first(attributes, PROVIDER)


def _address(attributes: Record) -> str | None:
    address, port = attributes.get(ADDRESS), attributes.get(PORT)
    return address if not address or port in _USUAL_PORTS else f"{address}:{port}"


def _of_places(key: str, places: list[Record | None]) -> str | None:
    return next((str(place[key]) for place in places if place and key in place), None)


def _nearest(names: tuple[str, ...], attributes: Record, around: list[Record]) -> Any:
    return next((found for place in (attributes, *around) if (found := first(place, names)) is not None), None)


def _extra(record: Record, attributes: Record, around: list[Record], resource: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "trace_id": record.get("trace_id"),
        "session": _nearest(SESSION, attributes, around),
        "service": resource.get(SERVICE[0]),
        "namespace": resource.get(SERVICE[1]),
        "instrumentation": record.get("scope"),
        "error": attributes.get(ERROR),
    }
    return {name: value for name, value in found.items() if value is not None}
