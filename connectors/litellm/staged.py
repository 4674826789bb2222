"""One landed record as one staged row, or as a refusal that says what does not hold."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from typing import Any

from connectors.litellm import attempts
from connectors.litellm.attempts import Logged, Record
from connectors.litellm.settings import LiteLlmSettings
from connectors.litellm.usage import buckets
from connectors.logs.buckets import MISSING, Buckets, UsageError
from connectors.logs.instants import microseconds
from connectors.logs.values import WITHHELD

Row = dict[str, Any]
_PICO_USD = Decimal("0.000000000001")
_LARGEST_USD = Decimal(10) ** 6  # decimal(18,12) holds six digits before the point
_NOTHING: Record = {}


class RowError(ValueError):
    """Why a record, or one value of it, cannot be staged. `column` names what does not hold."""

    def __init__(self, reason: str, detail: str, column: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.column = column


def staged_row(record: Record, settings: LiteLlmSettings, unknown: Record, cost: Decimal | None) -> Row:
    """The contract's columns of one attempt, all but those of the delivery itself.

    Times are microseconds since 1970, the date days since 1970: what Arrow holds. `unknown` goes to `x_extra`;
    `cost` is the reported one.
    Raises RowError when the record has no identity, no start, no known status, or usage that contradicts itself.
    """
    found = attempts.logged(record, settings.team_id_field)
    started = microseconds(record.get("startTime"))
    if started is None:
        raise RowError(
            "unreadable_start", f"startTime is {record.get('startTime')!r}; UTC seconds or text was expected"
        )
    if not found.request_id:
        raise RowError("missing_id", "the attempt has no id", "request_id")
    if found.status not in ("success", "failure"):
        raise RowError("unknown_status", f"status is {found.status!r}; success or failure was expected", "status")
    used = _used(record, found)
    is_cache_hit = record.get("cache_hit") is True
    ended = microseconds(record.get("endTime"))
    return {
        **_identity(record, found, used, started, cost),
        **_where(record, found, used),
        **_who(record, found, settings),
        **used._asdict(),
        "usage_date": started // 86_400_000_000,
        "started_at": started,
        "ended_at": ended,
        "latency_seconds": None if ended is None or ended < started else (ended - started) / 1_000_000,
        "status": found.status,
        "is_cache_hit": is_cache_hit,
        "is_stream": found.is_stream,
        "service_tier": attempts.service_tier(record, found.breakdown),
        "source_reported_cost_usd": cost,
        "source_cost_basis": _basis(found.breakdown, cost, is_free=is_cache_hit or used is MISSING),
        "x_extra": attempts.extra_json(record, found, unknown),
    }


def reported_cost(record: Record, refused: list[RowError]) -> Decimal | None:
    """What the log says that the attempt cost, in USD, rounded half to even at the twelfth decimal.

    LiteLLM computes it as a binary double of 17 digits; what the rounding takes is below a millionth of a micro-dollar,
    and the figure is evidence, never booked. A figure that does not fit the column is NULL and joins `refused`.
    """
    text = record.get("response_cost", record.get("spend"))
    if text is None:
        return None
    amount = Decimal(text)
    if not amount.is_finite() or abs(amount) >= _LARGEST_USD:
        refused.append(
            RowError("cost_out_of_range", f"{text} USD is no cost of one request", "source_reported_cost_usd")
        )
        return None
    return amount.quantize(_PICO_USD, ROUND_HALF_EVEN)


def unreadable_values(record: Record, path: str = "") -> Iterator[str]:
    """The paths of fields whose value was withheld at landing."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from unreadable_values(value, f"{path}{name}.")
        elif value == WITHHELD:
            yield f"{path}{name}"


def is_essential(path: str) -> bool:
    """Whether a row means nothing without that field: what it is, when it was, how it ended, what it used."""
    name = path.rpartition(".")[2]
    return name.endswith("_tokens") or path in {"id", "request_id", "startTime", "status", "cache_hit", "metadata"}


def _used(record: Record, found: Logged) -> Buckets:
    usage: Record = (record.get("metadata") or _NOTHING).get("usage_object") or _NOTHING
    prompt, completion, total = (record.get(f"{part}_tokens") for part in ("prompt", "completion", "total"))
    try:
        return buckets(prompt, completion, total, usage, is_stream=found.is_stream is True)
    except UsageError as error:
        raise RowError(error.reason, str(error), error.column) from None


def _identity(record: Record, found: Logged, used: Buckets, started: int, cost: Decimal | None) -> Row:
    """Ids. A delivery repeats an attempt when id, start and outcome are all the same.

    Callers may set the id themselves, so an id alone is no identity. Both formats agree on the start to the
    millisecond only.
    """
    model = attempts.billed_model(record.get("model"), record.get("custom_llm_provider"))
    outcome = (found.status, record.get("call_type"), model, used.input_total_tokens, used.output_total_tokens, cost)
    digest = blake2b(repr(outcome).encode(), digest_size=8).hexdigest()
    return {
        "request_id": found.request_id,
        "dedup_key": f"{found.request_id}:{(started + 500) // 1000}:{digest}",
        "attempt_group_id": found.call_id or found.trace_id,
    }


def _where(record: Record, found: Logged, used: Buckets) -> Row:
    """What was called. A failure without usage was answered by no model."""
    model, provider = record.get("model"), record.get("custom_llm_provider")
    is_answered = found.status == "success" or used is not MISSING
    return {
        "gateway": "litellm",
        "call_type": record.get("call_type"),
        "provider": provider,
        "requested_model": record.get("model_group") or model,
        "billed_model": attempts.billed_model(model, provider) if is_answered else None,
        "deployment_id": record.get("model_id"),
        "api_base": record.get("api_base"),
    }


def _who(record: Record, found: Logged, settings: LiteLlmSettings) -> Row:
    tags = record.get("request_tags")
    return {
        "key_id": found.key_id,
        "key_alias": (record.get("metadata") or _NOTHING).get("user_api_key_alias"),
        "gateway_team_id": found.team_id,
        "organization_id": found.organization_id,
        "user_hash": found.user_hash,
        "customer_hash": record.get("end_user"),
        "feature": attempts.asked(record, settings.feature_key),
        "environment": attempts.asked(record, settings.environment_key),
        "tags": attempts.json_text(tags) if tags else None,
        "outcome_ids": attempts.outcome_ids(record, settings),
    }


def _basis(breakdown: Record, cost: Decimal | None, *, is_free: bool) -> str:
    """What the reported cost includes. Zero for tokens that were used is the log's way to say that it had no price."""
    if cost is None or not breakdown or (cost == 0 and not is_free):
        return "unknown"
    if attempts.is_sum(breakdown.get("margin_total_amount")):
        return "with_margin"
    return "after_discount" if attempts.is_sum(breakdown.get("discount_amount")) else "list"
