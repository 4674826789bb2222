"""Landed payloads as columns: what `attempts` reads of one plain record, for all records of a page at once.

Plain is a success whose usage is stated in whole numbers that agree with each other, and whose start and end are
seconds: nearly all of a log. The expressions repeat `attempts`, `usage` and `attempt.staged_row`; a test holds the two
ways against each other over random records.
"""

import polars as pl
import pyarrow as pa

from connectors.litellm.allow_list import plain_payload
from connectors.litellm.attempts import BATCH_CALLS
from connectors.litellm.settings import LiteLlmSettings
from connectors.logs.buckets import MOST_TOKENS
from connectors.logs.columns import (
    Columns,
    at,
    identity,
    instant_us,
    is_sum,
    json_object,
    json_text,
    kind_at,
    landed_schema,
    none_is_zero,
    told,
    usd,
)
from connectors.logs.names import without_provider
from connectors.logs.own_address import provider_at
from connectors.logs.regions import region_of
from connectors.logs.usage_bodies import service_tier

_SUMS = (
    "discount_amount",
    "margin_fixed_amount",
    "margin_total_amount",
    "original_cost",
    "tool_usage_cost",
    "total_cost",
)
_USAGE = "metadata.usage_object"
_BEFORE, _AFTER = f"{_USAGE}.prompt_tokens_details", f"{_USAGE}.completion_tokens_details"
_DURATIONS = f"{_BEFORE}.cache_creation_token_details"
_READ = (f"{_BEFORE}.cached_tokens", f"{_USAGE}.cache_read_input_tokens")
_WRITTEN = (
    f"{_BEFORE}.cache_creation_tokens",
    f"{_BEFORE}.cache_write_tokens",
    f"{_USAGE}.cache_creation_input_tokens",
)
_WRITTEN_5M, _WRITTEN_1H = (f"{_DURATIONS}.ephemeral_{duration}_input_tokens" for duration in ("5m", "1h"))
_AUDIO, _CACHED_AUDIO = f"{_BEFORE}.audio_tokens", f"{_BEFORE}.cached_tokens_details.audio_tokens"
_REASONING, _AUDIO_OUT = f"{_AFTER}.reasoning_tokens", f"{_AFTER}.audio_tokens"
_PARTS = (*_READ, *_WRITTEN, _WRITTEN_5M, _WRITTEN_1H, _AUDIO, _CACHED_AUDIO, _REASONING, _AUDIO_OUT)


def payload_columns(settings: LiteLlmSettings) -> Columns | None:
    """How a page of payloads is read; None where the settings take an object for the team."""
    schema = landed_schema(plain_payload(settings))
    team = kind_at(schema, f"metadata.{settings.team_id_field}")
    return Columns(schema, lambda records: _rows(records, settings)) if pa.types.is_string(team) else None


def _rows(records: pl.DataFrame, settings: LiteLlmSettings) -> pl.DataFrame | None:
    cost, saved = usd(records["response_cost"]), usd(records["saved_cache_cost"])
    margin, discount = (usd(_of_breakdown(records, name)) for name in ("margin_total_amount", "discount_amount"))
    if cost is None or saved is None or margin is None or discount is None:
        return None
    tier = pl.coalesce(at("cost_breakdown.service_tier"), at(f"{_USAGE}.service_tier"))
    named = told(records.with_columns(tier=tier), ("custom_llm_provider", "api_base", "model", "tier"), _names)
    return (
        named.with_columns(
            request_id=pl.col("id"),
            response_id=pl.when(~pl.col("cache_hit").fill_null(False)).then(pl.col("id")),
            started_at=instant_us(pl.col("startTime")),
            ended_at=instant_us(pl.col("endTime")),
            is_cache_hit=pl.col("cache_hit").fill_null(False),
            is_stream=pl.coalesce("stream", at("model_parameters.stream"), _has_begun()),
            has_begun=_has_begun(),
            source_reported_cost_usd=cost,
            avoided_cost_usd=pl.when(is_sum(pl.col("saved_cache_cost"))).then(saved),
            stated_margin_usd=pl.when(is_sum(at("cost_breakdown.margin_total_amount"))).then(margin),
            stated_discount_usd=pl.when(is_sum(at("cost_breakdown.discount_amount"))).then(discount),
            **_stated(),
        )
        .with_columns(**_buckets())
        .with_columns(
            dedup_key=identity(),
            is_plain=_is_plain(),
            source_cost_basis=_basis(),
            usage_provenance=_provenance(),
            input_semantics=pl.lit("inclusive"),
            is_convention_assumed=_is_assumed(),
            gateway=pl.lit("litellm"),
            **_said(settings),
        )
    )


def _has_begun() -> pl.Expr:
    """Whether the answer began before its end; see `attempts`."""
    begun, ended = instant_us(pl.col("completionStartTime")), instant_us(pl.col("endTime"))
    return pl.when(begun < ended).then(True)


def _of_breakdown(records: pl.DataFrame, name: str) -> pl.Series:
    return records["cost_breakdown"].struct.field(name)


def _names(provider: str | None, api_base: str | None, model: str | None, tier: str | None) -> dict[str, str | None]:
    return {
        "provider": provider_at(provider, api_base),
        "region_id": region_of(api_base),
        "billed_model": without_provider(model, provider),
        "service_tier": service_tier(tier),
    }


def _stated() -> dict[str, pl.Expr]:
    """Inclusive counts, and the parts; see `usage_chat.chat_counts`. The usage object goes before the columns."""
    written_1h = none_is_zero(_WRITTEN_1H)
    return {
        "input_total_tokens": pl.coalesce(at(f"{_USAGE}.prompt_tokens"), "prompt_tokens"),
        "output_total_tokens": pl.coalesce(at(f"{_USAGE}.completion_tokens"), "completion_tokens"),
        "stated_total": pl.coalesce(at(f"{_USAGE}.total_tokens"), "total_tokens", pl.lit(0)),
        "cache_read_tokens": none_is_zero(*_READ),
        "cache_write_5m_tokens": pl.max_horizontal(none_is_zero(*_WRITTEN) - written_1h, none_is_zero(_WRITTEN_5M)),
        "cache_write_1h_tokens": written_1h,
        "input_audio_tokens": none_is_zero(_AUDIO) - none_is_zero(_CACHED_AUDIO),
        "output_reasoning_tokens": none_is_zero(_REASONING),
        "output_audio_tokens": none_is_zero(_AUDIO_OUT),
    }


def _buckets() -> dict[str, pl.Expr]:
    """What the parts leave of the inclusive counts; see `buckets.exclusive`."""
    inside = pl.sum_horizontal(
        "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "input_audio_tokens"
    )
    inside_output = pl.sum_horizontal("output_reasoning_tokens", "output_audio_tokens")
    return {
        "input_uncached_tokens": pl.col("input_total_tokens") - inside,
        "output_text_tokens": pl.col("output_total_tokens") - inside_output,
    }


def _is_plain() -> pl.Expr:
    """Whether nothing of the record needs a second look; what is null decides against it."""
    total = pl.col("stated_total")
    counts = [at(name) for name in _PARTS] + [pl.col("input_total_tokens"), pl.col("output_total_tokens"), total]
    return pl.all_horizontal(
        pl.col("status") == "success",
        ~pl.col("call_type").fill_null("").is_in(BATCH_CALLS),
        pl.col("id") != "",
        pl.col("started_at").is_not_null(),
        pl.col("ended_at").is_not_null() | pl.col("endTime").is_null(),
        pl.min_horizontal(counts) >= 0,
        pl.max_horizontal(counts) <= MOST_TOKENS,
        pl.col("input_total_tokens") > 0,
        pl.col("output_total_tokens").is_not_null(),
        pl.min_horizontal("input_audio_tokens", "input_uncached_tokens", "output_text_tokens") >= 0,
        (total == 0) | (total == pl.col("input_total_tokens") + pl.col("output_total_tokens")),
    ).fill_null(False)


def _is_assumed() -> pl.Expr:
    """Whether no total says where parts are counted; see `buckets`."""
    parts = pl.sum_horizontal(
        *("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "input_audio_tokens"),
        *("output_reasoning_tokens", "output_audio_tokens"),
    )
    return (pl.col("stated_total") == 0) & (parts > 0)


def _provenance() -> pl.Expr:
    """Who counted; see `usage.buckets`."""
    cached = pl.sum_horizontal("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
    is_estimate = pl.col("is_stream") & (cached == 0) & at(_BEFORE).is_null() & at(_AFTER).is_null()
    return pl.when(is_estimate).then(pl.lit("gateway_tokenizer")).otherwise(pl.lit("provider"))


def _basis() -> pl.Expr:
    cost, breakdown = pl.col("source_reported_cost_usd"), pl.col("cost_breakdown")
    is_unpriced = cost.is_null() | ((cost == 0) & ~pl.col("is_cache_hit"))
    return (
        pl.when(is_unpriced | breakdown.is_null())
        .then(pl.lit("unknown"))
        .when(is_sum(breakdown.struct.field("margin_total_amount")))
        .then(pl.lit("with_margin"))
        .when(is_sum(breakdown.struct.field("discount_amount")))
        .then(pl.lit("after_discount"))
        .otherwise(pl.lit("list"))
    )


def _said(settings: LiteLlmSettings) -> dict[str, pl.Expr]:
    """What the record says of its caller and its purpose; see `attempts.attempt`."""
    outcomes = {key: json_text(_asked(key)) for key in settings.outcome_keys}
    return {
        "attempt_group_id": pl.col("litellm_call_id"),
        "trace_id": pl.col("trace_id"),
        "requested_model": pl.coalesce("model_group", "model"),
        "deployment_id": pl.col("model_id"),
        "key_id": at("metadata.user_api_key_hash"),
        "key_alias": at("metadata.user_api_key_alias"),
        "gateway_team_id": at(f"metadata.{settings.team_id_field}"),
        "organization_id": at("metadata.user_api_key_org_id"),
        "user_hash": at("metadata.user_api_key_user_id"),
        "customer_hash": pl.col("end_user"),
        "feature": _asked(settings.feature_key),
        "environment": _asked(settings.environment_key),
        "outcome_ids": json_object(outcomes),
        "tags": pl.concat_str(pl.lit('["'), pl.col("request_tags").list.join('","'), pl.lit('"]')),
        "x_extra": _extra(),
    }


def _asked(key: str) -> pl.Expr:
    """See `metadata.asked`: metadata that names the key decides, or else a tag `key:value`."""
    mark = f"{key}:"
    tag = pl.element().filter(pl.element().str.starts_with(mark)).first().str.strip_prefix(mark)
    said = pl.col("request_tags").list.eval(tag).list.first()
    return pl.coalesce(
        *(
            pl.col("metadata").struct.field(place).struct.field(key)
            for place in ("spend_logs_metadata", "requester_metadata")
        ),
        pl.when(said != "").then(said),
    )


def _extra() -> pl.Expr:
    """See `attempts._extra`."""
    sums = {name: at(f"cost_breakdown.{name}") for name in _SUMS}
    texts = {name: at(f"metadata.{name}") for name in ("original_model_group", "user_api_key_team_alias")}
    errors = {name: at(f"error_information.{name}") for name in ("error_class", "error_code")}
    counts = {name: at(f"metadata.{name}") for name in ("attempted_retries", "attempted_fallbacks")}
    return json_object(
        {name: pl.when(is_sum(text)).then(json_text(text)) for name, text in sums.items()}
        | {name: json_text(text) for name, text in (texts | errors).items()}
        | {name: number.cast(pl.String) for name, number in counts.items()}
        | {"trace_id": json_text(pl.col("trace_id"))}
    )
