"""One row of the gateway's log: what of it may be landed, and which attempt it tells of."""

from connectors.cloudflare.settings import CloudflareSettings
from connectors.logs.allow_list import AllowList, Fields, allow, allow_list, at, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Counts, exclusive, of_call
from connectors.logs.calls import is_streaming, later, number, operation, streamed
from connectors.logs.conventions import as_provider
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.names import without_provider
from connectors.logs.values import count, flag, instant, money


def allowed(settings: CloudflareSettings) -> AllowList:
    """The fields of a row; of its metadata, which callers write, only what the settings ask for."""
    rules = rules_of(settings.hash_key)
    metadata: Fields = each_of(settings.asked_keys, rules.text)
    allow(metadata, settings.team_id_field, rules.text)
    allow(metadata, settings.user_field, rules.person)
    return allow_list(
        {
            "created_at": instant,
            **each_of("id provider model model_type", rules.text),
            "path": operation,
            "response_content_type": streamed,
            **each_of("success cached custom_cost", flag),
            **each_of("status_code step tokens_in tokens_out", count),
            "usage_metadata": {"input_cached_tokens": count},
            "duration": number,
            "cost": money,
            "metadata": metadata,
        }
    )


def attempt(settings: CloudflareSettings, record: Record) -> Attempt:
    """The attempt that a landed row tells of. Raises UsageError for counts that contradict themselves."""
    start, provider, succeeded = microseconds(record.get("created_at")), record.get("provider"), record.get("success")
    metadata: Record = record.get("metadata") or NOTHING
    said = asked(settings, (metadata,))
    step, code, is_custom = record.get("step"), record.get("status_code"), record.get("custom_cost") is True
    counts = Counts(
        input_tokens=record.get("tokens_in"),
        output_tokens=record.get("tokens_out"),
        cache_read_tokens=(record.get("usage_metadata") or NOTHING).get("input_cached_tokens"),
    )
    kind = (record.get(name) for name in ("path", "model_type", "model"))
    return Attempt(
        request_id=record.get("id"),
        dedup_key=record.get("id"),  # the gateway's own, one for each row
        started_at=start,
        ended_at=later(start, record.get("duration")),
        status=None if succeeded is None else "success" if succeeded else "failure",
        usage=exclusive(of_call(counts, *kind), as_provider("cloudflare", provider)),
        gateway="cloudflare_ai_gateway",
        call_type=record.get("path"),
        provider=provider,
        requested_model=record.get("model"),
        billed_model=without_provider(record.get("model"), provider),
        gateway_team_id=at(metadata, settings.team_id_field),
        user_hash=at(metadata, settings.user_field),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_cache_hit=record.get("cached") is True,
        is_stream=record.get("response_content_type", is_streaming(record.get("path"))),
        # a price that the caller gave with the request, for what was negotiated
        source_cost_basis="after_discount" if is_custom else "list",
        extra={
            **({"step": step} if step else {}),
            **({"status_code": code} if code is not None and not succeeded else {}),
            **({"model_type": record["model_type"]} if "model_type" in record else {}),
        },
    )
