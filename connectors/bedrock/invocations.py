"""One logged invocation: what of it may be landed, and which attempt it tells of."""

from collections.abc import Mapping
from typing import Any, cast

from connectors.bedrock.models import Asked, asked_for
from connectors.bedrock.principal import principal_rule
from connectors.bedrock.settings import BedrockLogSettings
from connectors.logs.allow_list import AllowList, Fields, UnlandableError, allow, at, compiled, each_of, rules_of
from connectors.logs.attempt import NOTHING, Attempt, Record
from connectors.logs.buckets import Buckets, Counts, exclusive, of_call
from connectors.logs.conventions import CONVENTIONS
from connectors.logs.instants import microseconds
from connectors.logs.metadata import asked
from connectors.logs.usage_allowed import usage_rule
from connectors.logs.usage_bodies import service_tier
from connectors.logs.usage_families import anthropic, bedrock
from connectors.logs.usage_fields import Usage, inner
from connectors.logs.values import count, instant

_SCHEMA = "ModelInvocationLog"
_UNTOLD = Counts(None, None)
_EXTRA = ("inferenceRegion", "errorCode")


def allowed(settings: BedrockLogSettings) -> AllowList:
    """The fields of an invocation; of bodies only what the answer says that it used. Anything else is unlandable."""
    rules = rules_of(settings.hash_key)
    metadata: Fields = each_of(settings.asked_keys, rules.text)
    allow(metadata, settings.team_id_field, rules.text)
    fields: Fields = {
        "timestamp": instant,
        **each_of("schemaType accountId region inferenceRegion requestId operation modelId errorCode", rules.text),
        "identity": {"arn": principal_rule(rules.person, rules.text)},
        "requestMetadata": metadata,
        "performanceConfig": {"latency": rules.text},
        "input": each_of("inputTokenCount cacheReadInputTokenCount cacheWriteInputTokenCount", count),
        "output": {"outputTokenCount": count, "outputBodyJson": usage_rule(rules.text)},
    }
    redact = compiled(fields)

    def invocation(row: Mapping[str, Any]) -> dict[str, Any]:
        if row.get("schemaType") != _SCHEMA:
            raise UnlandableError("unknown_format")
        return redact(row)

    return AllowList(invocation, frozenset(fields))


def attempt(settings: BedrockLogSettings, record: Record) -> Attempt:
    """The attempt that a landed record tells of. Raises UsageError for usage that contradicts itself."""
    body = inner(record.get("output") or NOTHING, "outputBodyJson")
    model = asked_for(record.get("modelId"), settings.profiles, body.get("model"))
    caller: Record = (record.get("identity") or NOTHING).get("arn") or NOTHING
    metadata: Record = record.get("requestMetadata") or NOTHING
    said = asked(settings, (metadata,))
    operation = record.get("operation")
    is_failure = bool(record.get("errorCode"))
    return Attempt(
        request_id=record.get("requestId"),
        dedup_key=record.get("requestId"),  # AWS's own, and delivered at least once
        started_at=microseconds(record.get("timestamp")),
        status="failure" if is_failure else "success",
        usage=_used(record, body, model, is_failure=is_failure),
        call_type=operation,
        provider="AWS",
        requested_model=record.get("modelId"),
        billed_model=model.model,
        deployment_id=model.resource,
        region_id=record.get("region"),
        key_id=caller.get("key"),
        key_alias=caller.get("role"),
        user_hash=caller.get("person"),
        gateway_team_id=at(metadata, settings.team_id_field),
        organization_id=record.get("accountId"),
        feature=said.feature,
        environment=said.environment,
        outcome_ids=said.outcome_ids,
        is_stream=None if operation is None else "Stream" in operation,
        service_tier=_tier(record, body, model),
        extra={name: record[name] for name in _EXTRA if name in record},
    )


def _used(record: Record, body: Usage, model: Asked, *, is_failure: bool) -> Buckets:
    """The log's own counts; the answer adds how long its cache writes live, its reasoning, and a total to assert.

    Cached input is counted beside the input. Failures have no output, nor have embeddings; whatever else lacks it is
    half of a usage.
    """
    taken, given = record.get("input") or NOTHING, record.get("output") or NOTHING
    answer = _answer(body)
    written = taken.get("cacheWriteInputTokenCount") or 0
    written_1h = answer.cache_write_1h_tokens or 0
    output = given.get("outputTokenCount")
    if output is None and taken.get("inputTokenCount") is not None and is_failure:
        output = 0
    counts = Counts(
        input_tokens=taken.get("inputTokenCount"),
        output_tokens=output,
        total_tokens=answer.total_tokens,
        cache_read_tokens=taken.get("cacheReadInputTokenCount"),
        cache_write_5m_tokens=written - written_1h,
        cache_write_1h_tokens=written_1h,
        output_reasoning_tokens=answer.output_reasoning_tokens,
    )
    return exclusive(of_call(counts, model.model), CONVENTIONS["bedrock_invocation_log"])


def _answer(body: Usage) -> Counts:
    """What Converse and Anthropic's models say in their answer; other families add nothing to the log's counts."""
    usage = inner(body, "usage")
    if "inputTokens" in usage:
        return bedrock(usage).counts
    return anthropic(usage).counts if "input_tokens" in usage else _UNTOLD


def _tier(record: Record, body: Usage, model: Asked) -> str | None:
    """What changes the price: reserved throughput, optimised latency, or the tier that the answer names."""
    if model.is_provisioned:
        return "provisioned"
    if (record.get("performanceConfig") or NOTHING).get("latency") == "optimized":
        return "latency-optimized"
    told = inner(body, "serviceTier").get("type") or cast("object", inner(body, "usage").get("service_tier"))
    return service_tier(told)
