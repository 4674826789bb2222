"""What any log says of one attempt, under plain names, and the row of `gateway_requests` that it becomes."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, NamedTuple

import orjson

from connectors.logs.buckets import MISSING, Buckets
from connectors.logs.names import without_provider
from connectors.logs.own_address import provider_at

Record = Mapping[str, Any]
NOTHING: Record = {}
_PICO_USD = Decimal("0.000000000001")
_LARGEST_USD = Decimal(10) ** 6  # decimal(18,12) holds six digits before the point
_STATUSES = ("success", "failure")


class RowError(ValueError):
    """Why a record, or one value of it, cannot be staged. `column` names what does not hold."""

    def __init__(self, reason: str, detail: str, column: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.column = column


class NoAttemptError(Exception):
    """A record of the log that is no attempt of its own; `is_repeated` where another record tells the attempt."""

    def __init__(self, *, is_repeated: bool) -> None:
        super().__init__()
        self.is_repeated = is_repeated


class Attempt(NamedTuple):
    """One attempt as a log tells it. Fields are those of `gateway_requests`; instants are microseconds since 1970.

    `request_id`, `started_at` and `status` are needed: without them `staged_row` refuses the record.
    `usage` comes from `buckets`; leave it out where the log has none, never state zero.
    `response_id` is the provider's id of the answer, by which the same call is known in another log, or `trace_id`.
    `attempt_group_id` is shared by the attempts of one operation, not by a whole conversation.
    `avoided_cost` is what a cache hit would have cost, in USD; the cost that a log reports is not here but given to
    `staged_row`, so that refused records keep theirs.
    `source_cost_basis` says what that cost includes; a cost of zero for tokens that were used is `unknown` anyway.
    `billed_model` is the model that answered, or that the log says was tried; a failure of which it tells neither
    counts under the model that was requested.
    `stated_margin` and `stated_discount` are the amounts of these in it, in USD, where the log states them.
    `dedup_key` identifies the attempt when it is delivered again; left out, it is id, start and outcome.
    `has_begun` says that a first part of the answer came, whatever came of it.
    `is_sum` says that the usage is of several requests together, such as a whole batch's.
    `extra` is allow-listed content without a column: it goes to `x_extra`.
    `further` are other models' parts of the same answer, not inside of `usage`: rows of their own, without a cost.
    """

    request_id: str | None
    started_at: int | None
    status: str | None
    usage: Buckets = MISSING
    ended_at: int | None = None
    gateway: str | None = None
    response_id: str | None = None
    trace_id: str | None = None
    attempt_group_id: str | None = None
    call_type: str | None = None
    provider: str | None = None
    requested_model: str | None = None
    billed_model: str | None = None
    deployment_id: str | None = None
    api_base: str | None = None
    region_id: str | None = None
    key_id: str | None = None
    key_alias: str | None = None
    gateway_team_id: str | None = None
    organization_id: str | None = None
    user_hash: str | None = None
    customer_hash: str | None = None
    feature: str | None = None
    environment: str | None = None
    tags: Sequence[str] | None = None
    outcome_ids: Mapping[str, str] | None = None
    is_cache_hit: bool = False
    is_stream: bool | None = None
    has_begun: bool | None = None
    service_tier: str | None = None
    is_sum: bool | None = None
    prompt_hash: str | None = None
    prefix_hash: str | None = None
    avoided_cost: str | Decimal | None = None
    source_cost_basis: str = "unknown"
    stated_margin: str | Decimal | None = None
    stated_discount: str | Decimal | None = None
    dedup_key: str | None = None
    extra: Mapping[str, Any] = NOTHING
    further: tuple["Attempt", ...] = ()


_AMOUNTS = ("avoided_cost", "stated_margin", "stated_discount")


def staged_row(found: Attempt, cost: Decimal | None, refused: list[RowError]) -> dict[str, Any]:
    """The contract's columns of one attempt, all but those of the delivery itself.

    Times are microseconds since 1970, the date days since 1970: what Arrow holds. `cost` is the reported one; a value
    that cannot be kept is NULL and joins `refused`.
    Raises RowError when the attempt has no identity, no start or no known status.
    """
    started = found.started_at
    if started is None:
        raise RowError("unreadable_start", "the attempt has no readable start; UTC seconds or text was expected")
    if not found.request_id:
        raise RowError("missing_id", "the attempt has no id", "request_id")
    if found.status not in _STATUSES:
        raise RowError("unknown_status", f"status is {found.status!r}; success or failure was expected", "status")
    row = found._asdict()
    for name in ("usage", "extra", "further", *_AMOUNTS):
        del row[name]
    row |= found.usage._asdict()
    ended, is_used = found.ended_at, found.usage.usage_provenance != "missing"
    row |= {
        "provider": provider_at(found.provider, found.api_base),
        "dedup_key": found.dedup_key or _identity(found, started, cost),
        "usage_date": started // 86_400_000_000,
        "latency_seconds": None if ended is None or ended < started else (ended - started) / 1_000_000,
        "billed_model": found.billed_model or _model_that_failed(found),
        "tags": json_text(list(found.tags)) if found.tags else None,
        "outcome_ids": json_text(found.outcome_ids) if found.outcome_ids else None,
        "source_reported_cost_usd": cost,
        # zero for tokens that were used is a log's way to say that it had no price
        "source_cost_basis": "unknown"
        if cost is None or (cost == 0 and is_used and not found.is_cache_hit)
        else found.source_cost_basis,
        **{f"{name}_usd": usd(getattr(found, name), refused, f"{name}_usd") for name in _AMOUNTS},
        "x_extra": json_text(found.extra) if found.extra else None,
    }
    return row


def _model_that_failed(found: Attempt) -> str | None:
    """The model that a failure without usage was meant for: it has no price to pay, and a rate of failures to tell.

    Only of what no model answered: what has usage, went well or has begun is priced by the model that the log names.
    """
    if found.status == "success" or found.has_begun or found.usage.usage_provenance != "missing":
        return None
    return without_provider(found.requested_model, found.provider)


def usd(amount: str | Decimal | None, refused: list[RowError], column: str) -> Decimal | None:
    """An amount in USD, rounded half to even at the twelfth decimal.

    Logs compute it as a binary double of 17 digits; what the rounding takes is below a millionth of a micro-dollar,
    and the figure is evidence, never booked. One that does not fit the column is None and joins `refused`.
    """
    if amount is None:
        return None
    try:
        found = Decimal(amount)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found.copy_abs() >= _LARGEST_USD:  # abs() itself overflows at 1e1000000
        refused.append(RowError("cost_out_of_range", f"{amount} USD is no cost of one request", column))
        return None
    return found.quantize(_PICO_USD, ROUND_HALF_EVEN)


def json_text(value: object) -> str:
    """Compact JSON, keys in order: the one form that JSON columns hold."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _identity(found: Attempt, started: int, cost: Decimal | None) -> str:
    """A delivery repeats an attempt when id, start and outcome are all the same.

    Callers may set the id themselves, so an id alone is no identity. Two forms of one log often agree on the start to
    the millisecond only. `columns.identity` says the same of many.
    """
    used = found.usage
    is_answered = found.status == "success" or used.usage_provenance != "missing"
    model = found.billed_model if is_answered else None
    said = (found.request_id, (started + 500) // 1000, found.status, found.call_type, model)
    amount = None if cost is None else f"{cost + 0:f}"  # minus nothing is nothing
    parts = (*said, used.input_total_tokens, used.output_total_tokens, amount)
    return ":".join("" if part is None else str(part) for part in parts)
