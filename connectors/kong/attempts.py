"""A landed call of a model as an attempt: tokens, costs, cache hits and attribution as Kong writes them."""

from typing import Any

from connectors.kong.entries import EMBEDDED, NO_LEVEL
from connectors.kong.settings import KongSettings
from connectors.logs.allow_list import at
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Buckets, Counts, exclusive
from connectors.logs.calls import later, status_of
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.usage_families import chat, responses

_UNKNOWN = "UNSPECIFIED"
_LARGEST = 2**53
_PRIMARY = frozenset({NO_LEVEL, "proxy", "ai-proxy", "ai-proxy-advanced"})


def started(value: Any) -> int | None:
    """The instant that Kong writes as milliseconds since 1970, in microseconds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    return microseconds(value / 1000) if is_number else None


def reported_cost(record: Record) -> str | None:
    """What was paid, by Kong's reckoning; of an answer from its cache nothing is known to have been."""
    return None if _is_hit(record) else _cost(record)


def attempt(settings: KongSettings, record: Record) -> Attempt:
    """The attempt that a landed call tells of. Raises UsageError for counts that contradict themselves."""
    call: Record = record.get("call") or NOTHING
    meta: Record = {name: word for name, word in (call.get("meta") or NOTHING).items() if word != _UNKNOWN}
    request: Record = record.get("request") or NOTHING
    request_id, level = request.get("id"), record.get("level")
    is_embedding = level == EMBEDDED
    start, provider = started(record.get("started_at")), meta.get("provider_name")
    used, is_hit, mode = _used(call.get("usage") or NOTHING), _is_hit(record), meta.get("request_mode")
    said = asked(settings, (request.get("headers"),))
    return Attempt(
        # a request's other calls, by plugins that rewrite, enrich or judge, are attempts of their own
        request_id=f"{request_id}:{level}" if request_id and level not in _PRIMARY else request_id,
        attempt_group_id=request_id,
        started_at=start,
        # how long an embedding took is not how long the request did
        ended_at=None if is_embedding else later(start, (record.get("latencies") or NOTHING).get("request")),
        status=status_of((record.get("response") or NOTHING).get("status")),
        usage=used,
        gateway="kong_ai",
        call_type="embeddings" if is_embedding else request.get("uri"),
        provider=provider,
        requested_model=meta.get("request_model"),
        billed_model=without_provider(meta.get("response_model") or meta.get("request_model"), provider),
        deployment_id=meta.get("azure_deployment_id"),
        key_id=at(record, settings.key_id_field),
        key_alias=(record.get("consumer") or NOTHING).get("username"),
        gateway_team_id=at(record, settings.team_id_field),
        user_hash=at(record, settings.user_field) if settings.user_field else None,
        customer_hash=at(record, settings.customer_field) if settings.customer_field else None,
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_cache_hit=is_hit,
        is_stream=None if mode is None else mode == "stream",
        avoided_cost=_cost(record) if is_hit else None,
        source_cost_basis="estimate_word_count" if used.usage_provenance == "word_estimate" else "list",
        extra=_extra(record, level),
    )


def _used(usage: Record) -> Buckets:
    """What the provider counted. Where it counted nothing, Kong writes a prompt of 0 and counts the answer's words."""
    named = {"input_tokens", "output_tokens"} & usage.keys() and not {"prompt_tokens"} & usage.keys()
    counts: Counts = (responses if named else chat)(usage).counts
    if counts.input_tokens or not counts.output_tokens:
        return exclusive(counts, CONVENTIONS["kong"])
    found = exclusive(counts, CONVENTIONS["kong"], "word_estimate")
    return found._replace(
        input_uncached_tokens=None,
        cache_read_tokens=None,
        cache_write_5m_tokens=None,
        cache_write_1h_tokens=None,
        input_audio_tokens=None,
        input_total_tokens=None,
    )


def _cost(record: Record) -> str | None:
    return ((record.get("call") or NOTHING).get("usage") or NOTHING).get("cost")


def _is_hit(record: Record) -> bool:
    cache: Record = (record.get("call") or NOTHING).get("cache") or NOTHING
    return str(cache.get("cache_status")).lower() == "hit"


def _extra(record: Record, level: str | None) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if (tries := record.get("tries", 1)) > 1:
        kept["attempts"] = tries
    if level not in _PRIMARY:
        kept["plugin"] = level
    return kept
