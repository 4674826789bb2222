"""One result of a usage report as a row of `provider_usage`."""

from typing import Any

from connectors.base import Window
from connectors.fields import JsonRow, RowError, amount, count, shown, staged_amount, text
from connectors.gathered import StagedRow, extra_json
from connectors.openai.endpoints import BY_RESULT, Endpoint
from connectors.openai.pages import bucket_period
from connectors.openai.tokens import KEPT_APART, completion_tokens, input_tokens, is_split

TIERS = {"standard": "default", "scale": "provisioned"}
"""The provider's tiers that the price book calls otherwise; any other keeps its own name."""

_DIMENSIONS = ("size", "source", "context_level", "vector_store_id", "api_source")  # no column; kept in x_extra
_NAMES = frozenset(
    {"object", "project_id", "api_key_id", "user_id", "model", "batch", "service_tier", "organization_id", *_DIMENSIONS}
)
_TOKENS_BY_CLASS = KEPT_APART | {
    "output_tokens", "input_uncached_tokens", "input_cached_tokens", "input_text_tokens", "input_audio_tokens",
    "output_text_tokens", "output_audio_tokens", "input_cache_write_tokens", "input_cache_write_30m_tokens",
    "input_cache_write_12h_tokens",
}  # fmt: skip
_NOT_SPLIT = (
    "results of completions do not say how much input was cached: it is in input_uncached_tokens, cache reads unknown"
)


def staged_usage(window: Window, bucket: Any, result: Any) -> StagedRow:
    """The contract's columns of one result of a bucket, all but those of the delivery itself.

    Raises RowError when a value is unreadable, the object unknown, or the numbers contradict each other.
    """
    period, endpoint = bucket_period(bucket, window), _endpoint_of(result)
    counted = _counted(endpoint)
    new = {name: value for name, value in result.items() if name not in counted and name not in _NAMES}
    row = {
        "usage_start": period.start,
        "usage_end": period.end,
        "usage_date": period.start.date(),
        "provider_name": "OpenAI",
        "operation": endpoint.path,
        "sub_account_id": text(result, "project_id"),
        "api_key_id": text(result, "api_key_id"),
        "user_id": text(result, "user_id"),
        "model": text(result, "model"),
        "service_tier": service_tier(result),
        "request_count": count(result, "num_model_requests"),
        "input_semantics": "inclusive" if endpoint.tokens else None,
        **_tokens(endpoint, result),
        **_quantity(endpoint, result),
        "x_extra": extra_json({**_kept(endpoint, result), **new}),
    }
    is_unsplit = "output" in endpoint.tokens and not is_split(result)
    identity = [period.start, period.end, {n: v for n, v in result.items() if n not in counted}]
    return StagedRow(row, identity, new, (_NOT_SPLIT,) if is_unsplit else ())


def _endpoint_of(result: Any) -> Endpoint:
    if not isinstance(result, dict):
        raise RowError("not_an_object", f"a result is {shown(result)}; an object was expected")
    name = result.get("object")
    if not isinstance(name, str) or name not in BY_RESULT:
        raise RowError("unknown_object", f"object is {shown(name)}; expected one of {', '.join(BY_RESULT)}", "object")
    return BY_RESULT[name]


def _counted(endpoint: Endpoint) -> set[str]:
    """The fields of an endpoint's results that count; all others tell one result from another."""
    counted = {"num_model_requests", *((endpoint.measure,) if endpoint.measure else ())}
    counted |= {"input_tokens"} if endpoint.tokens else set()
    return counted | _TOKENS_BY_CLASS if "output" in endpoint.tokens else counted


def service_tier(result: JsonRow) -> str | None:
    """The tier in the price book's words; a batch is a tier of its own there. None where the report does not say."""
    batch = result.get("batch")
    if batch not in (None, True, False):
        raise RowError("unreadable_flag", f"batch is {shown(batch)}; true or false was expected", "batch")
    tier = text(result, "service_tier")
    return "batch" if batch else TIERS.get(tier, tier) if tier else None


def _tokens(endpoint: Endpoint, result: JsonRow) -> dict[str, int | None]:
    if "output" in endpoint.tokens:
        return completion_tokens(result)
    return input_tokens(result) if endpoint.tokens else {}


def _quantity(endpoint: Endpoint, result: JsonRow) -> dict[str, Any]:
    """What is used where it is not tokens. Raises RowError when it is missing, negative or unreadable."""
    if endpoint.measure is None:
        return {}
    used = amount(result, endpoint.measure)
    if used is None:
        raise RowError("missing_value", f"{endpoint.measure} is missing from {endpoint.path}", endpoint.measure)
    if used < 0:
        raise RowError("bad_count", f"{endpoint.measure} is {used}; usage is never negative", endpoint.measure)
    return {"quantity": staged_amount(used)[0], "quantity_unit": endpoint.unit}


def _kept(endpoint: Endpoint, result: JsonRow) -> dict[str, Any]:
    """What has no column: the dimensions that only some endpoints have, and tokens by modality where there are any."""
    named = {name: text(result, name) for name in _DIMENSIONS}
    if "output" not in endpoint.tokens:
        return named
    return {**named, **{name: found for name in KEPT_APART if (found := count(result, name))}}
