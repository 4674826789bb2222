"""Outcomes out of what is told of them: each id once, its last word deciding whether it stands.

Here belongs: which event counts, success, quality, reversal. Here does not belong: which requests an outcome came out
of (`sql/core/outcome_shares.sql`), figures (`models.unit_costs`).

Method: one outcome id counts once, on the day of its first event, and is what its last event says. An event whose
result is one of the kind's reversals takes it back; a later success restores it. An event that makes a failure of a
success without such a word is a conflict, and counted as one. Where a kind names its failures, events with any other
word say nothing. A reversal of what was told more than the horizon before, or never, is a row of its own that takes
back nothing; it does not meet the requests that happen to lie before it, which are another outcome's.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import polars as pl

from models.frames import conform, schema_of
from models.outcome_kinds import CUSTOMER, HORIZON_DAYS, OPERATION, TRACE_ID, USER, Origin, OutcomeKind

TABLE = "outcome_events"
OUTCOME_RULES = "3"
"""Version of this module's rules: raise it when the same events would be counted otherwise."""

_ID = ("outcome_kind", "outcome_id")
_ORDER = ("occurred_at", "result", "is_success", "quality_value", "trace_key", "key_value")
_REACH: Mapping[Origin, tuple[int, int]] = MappingProxyType(
    {"events": (HORIZON_DAYS, HORIZON_DAYS), "scores": (HORIZON_DAYS, HORIZON_DAYS), "gateway": (1, 0)}
)
"""Days back within which an id was told before, and ahead within which more is told of it: as the contract reads."""


def outcome_events(
    outcomes: pl.DataFrame, scores: pl.DataFrame, traces: pl.DataFrame, kinds: Sequence[OutcomeKind]
) -> pl.DataFrame:
    """Rows of `outcome_events` out of `outcomes`, `outcome_scores` and `outcome_traces`.

    The frames must reach `HORIZON_DAYS` before and after the days that are asked for (traces: one day before). An
    outcome that was told within that time before counts there. Order of rows does not matter. Raises ValueError as
    `models.frames.require`.
    """
    told = [_events_of(kind, outcomes, scores, traces) for kind in kinds]
    if not told:
        return pl.DataFrame(schema=schema_of(TABLE))
    return conform(pl.concat([_counted_once(events, kind) for events, kind in zip(told, kinds, strict=True)]), TABLE)


def quality_of(kind: OutcomeKind) -> pl.Expr:
    """Column `quality_value` on the kind's scale, 0 to 1. Values beyond its ends stay beyond: nothing is clamped."""
    width = _number(kind.quality_to - kind.quality_from)
    return (pl.col("quality_value") - _number(kind.quality_from)) / width


def is_success(kind: OutcomeKind) -> pl.Expr:
    """The kind's rule over `result`, `is_success` and `quality_ratio`; what nobody says is no success."""
    said = pl.col("result").is_in(list(kind.successes)) if kind.successes else pl.col("is_success")
    if kind.least_quality is None:
        return said.fill_null(value=False)
    good = (pl.col("quality_ratio") >= _number(kind.least_quality)).fill_null(value=False)
    return good & said.fill_null(value=not kind.successes)


def _number(value: Decimal) -> pl.Expr:
    """A declared number beside measured ones."""
    return pl.lit(value).cast(pl.Float64)


def _events_of(kind: OutcomeKind, outcomes: pl.DataFrame, scores: pl.DataFrame, traces: pl.DataFrame) -> pl.DataFrame:
    read: dict[str, Callable[[], pl.DataFrame]] = {
        "events": lambda: _of_sources(outcomes, kind),
        "scores": lambda: _of_scores(scores, kind),
        "gateway": lambda: _of_log(traces, kind),
    }
    return read[kind.origin]()


def _of_sources(outcomes: pl.DataFrame, kind: OutcomeKind) -> pl.DataFrame:
    ids = {TRACE_ID: pl.col("trace_id"), OPERATION: pl.col("operation_id")}
    entity = pl.coalesce("entity_id", "outcome_id")
    keys = {None: pl.lit(None, pl.String), CUSTOMER: pl.col("customer_hash"), USER: pl.col("user_hash")}
    return outcomes.filter(pl.col("outcome_kind") == kind.name).select(
        *_ID,
        "occurred_at",
        "result",
        "is_success",
        "quality_value",
        trace_key=ids.get(kind.trace, entity),
        key_value=keys.get(kind.key, pl.col("entity_id")),
    )


def _of_scores(scores: pl.DataFrame, kind: OutcomeKind) -> pl.DataFrame:
    """A score is about a trace, an observation or a session: that is the outcome, and a second score a second event.

    A score of an observation names its trace too: where operations are what is met, the observation is the outcome.
    """
    ids = ("observation_id", "trace_id") if kind.trace == OPERATION else ("trace_id", "observation_id")
    subject = pl.coalesce(*ids, "session_id", "score_id")
    met = {TRACE_ID: pl.col("trace_id"), OPERATION: pl.col("observation_id")}
    is_true = pl.when(pl.col("data_type") == "boolean").then(pl.col("score_value") == 1)
    return scores.filter(pl.col("score_name") == kind.score).select(
        outcome_kind=pl.lit(kind.name),
        outcome_id=subject,
        occurred_at="scored_at",
        result="score_category",
        is_success=is_true,
        quality_value="score_value",
        trace_key=met.get(kind.trace, pl.col("session_id")),
        key_value=pl.col("session_id"),
    )


def _of_log(traces: pl.DataFrame, kind: OutcomeKind) -> pl.DataFrame:
    """Every id under which the log has requests, with the last attempt of the day."""
    found = traces.filter((pl.col("outcome_kind") == kind.name) & pl.col("has_id"))
    return found.select(
        "outcome_kind",
        outcome_id="trace_key",
        occurred_at="last_started_at",
        result=pl.lit(None, pl.String),
        is_success="has_success",
        quality_value=pl.lit(None, pl.Float64),
        trace_key="trace_key",
        key_value=pl.lit(None, pl.String),
    ).unique()


def _counted_once(events: pl.DataFrame, kind: OutcomeKind) -> pl.DataFrame:
    """One row for each id and stretch of time in which something is told of it; its last word is what it is.

    A stretch begins where nothing was told within the horizon before, and lasts for the horizon, so that a day sees
    the same whatever other days are computed with it.
    """
    back, ahead = _REACH[kind.origin]
    judged = (
        events.filter(_says_something(kind))
        .unique()
        .sort(*_ID, *_ORDER, nulls_last=True)
        .with_columns(day=pl.col("occurred_at").dt.date(), quality_ratio=quality_of(kind))
        .with_columns(succeeds=is_success(kind), reverses=_reverses(kind))
        .with_columns(since=pl.col("day").diff().over(_ID).dt.total_days())
        .with_columns(stretch=(pl.col("since").is_null() | (pl.col("since") > back)).cum_sum().over(_ID))
        .with_columns(age=(pl.col("day") - pl.col("day").first().over(*_ID, "stretch")).dt.total_days())
        .filter(pl.col("age") <= ahead)
    )
    before = pl.col("succeeds").shift(1)
    takes_back_nothing = pl.col("reverses").last() & ~pl.col("succeeds").any()
    return judged.group_by(*_ID, "stretch", maintain_order=True).agg(
        pl.col("day").first().alias("usage_date"),
        pl.col("occurred_at").first(),
        is_success=(pl.col("succeeds") & ~pl.col("reverses")).last(),
        is_reversed=pl.col("reverses").last(),
        quality_ratio=pl.col("quality_ratio").drop_nulls().last(),
        trace_key=pl.col("trace_key").drop_nulls().first(),
        key_value=pl.when(~takes_back_nothing).then(pl.col("key_value").drop_nulls().first()),
        touch=pl.lit(kind.touch).first(),
        window_seconds=pl.lit(kind.window_hours * 3600).first(),
        event_count=pl.len(),
        conflict_count=(before & ~pl.col("succeeds") & ~pl.col("reverses")).fill_null(value=False).sum(),
    )


def _reverses(kind: OutcomeKind) -> pl.Expr:
    return pl.col("result").is_in(list(kind.reversals)).fill_null(value=False)


def _says_something(kind: OutcomeKind) -> pl.Expr:
    """Whether an event closes the outcome or takes it back: all do, where the kind does not name its failures."""
    if not kind.failures:
        return pl.lit(value=True)
    return pl.col("result").is_in([*kind.successes, *kind.failures, *kind.reversals]).fill_null(value=False)
