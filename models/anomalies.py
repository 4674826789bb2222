"""Anomalies of what was billed and logged: found at three levels, told once as a story, with what made them.

Here belongs: from frames to the table `anomalies`. Here does not belong: scores, events and causes themselves.
"""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import polars as pl

from models.anomaly_causes import Cause, cause_of
from models.anomaly_events import Event, Gate, find_events
from models.anomaly_outcomes import outcome_cause, outcome_panels
from models.anomaly_scores import FEWEST_DAYS, LAGS, MEMORY_DAYS, SENSITIVITIES, score_days
from models.anomaly_series import (
    BILL_LAG_DAYS,
    LOG_LAG_DAYS,
    Panel,
    bill_panels,
    log_panels,
    settled_through,
)
from models.anomaly_stories import OUTCOME, Told, folded
from models.frames import conform, schema_of

WINDOW_DAYS = 400
"""How far back a night looks: a year, and what its first days have to be held against."""
WARM_DAYS = LAGS[-1] + MEMORY_DAYS + 7
"""So long after the window's first day a day is judged as if all of history were there."""

TABLE = "anomalies"
_PLACES = Decimal("0.000001")
_SENSITIVITY = SENSITIVITIES["medium"]
_COST_UNKNOWN = "Cost unknown: on a day of it no attempt has a price."


def anomalies(
    costs: pl.DataFrame, usage: pl.DataFrame, outcomes: pl.DataFrame | None = None, *, currency: str
) -> pl.DataFrame:
    """Every anomaly of the window, in the shape of `anomalies`.

    Days are judged that are settled (`settled_through`). Of what is billed only usage counts: purchases of commitments,
    credits, taxes and corrections are steps of the bill, not of what it is for. Amounts are estimates by nature, as
    what was expected is one: they are rounded to a millionth.

    Args:
        costs: what was billed as usage: day, account, provider_name, service_name, model_id, feature, cost_kind,
            cost_units (10**-12 of `currency`).
        usage: what was logged: day, x_source, account, provider_id, model_id, key_id, feature, environment,
            request_count, priced_request_count, failure_count, tokens, cache_read_tokens, output_tokens, cost_units.
        outcomes: what came of what was logged, of days whose outcomes have come, as `outcome_panels` takes it; None
            where no kind is declared.
        currency: of all amounts.
    """
    billed = _settled(costs, "provider_name", BILL_LAG_DAYS)
    logged = _settled(usage, "x_source", LOG_LAG_DAYS)
    found: list[Told] = []
    came = outcomes if outcomes is not None else pl.DataFrame()
    of_outcomes = () if came.is_empty() else outcome_panels(came)
    for panel in (*bill_panels(billed), *log_panels(logged, billed), *of_outcomes):
        found += _told(panel)
    stories = folded(found)
    parents = {told.anomaly_id: told.parent_id for told in stories}
    causes = {
        told.anomaly_id: outcome_cause(told, came) if told.level == OUTCOME else cause_of(told, billed, logged)
        for told in stories
        if told.event.is_large and told.parent_id is None
    }
    rows = [_row(told, _root(told.anomaly_id, parents), causes.get(told.anomaly_id), currency) for told in stories]
    return conform(pl.DataFrame(rows, schema=schema_of(TABLE), orient="row"), TABLE)


def _settled(rows: pl.DataFrame, told_by: str, lag_days: int) -> pl.DataFrame:
    last = settled_through(rows, told_by, lag_days)
    if last is None:
        return rows
    return rows.filter(pl.col("day").is_between(last - timedelta(days=WINDOW_DAYS - 1), last))


def _told(panel: Panel) -> Iterator[Told]:
    """The events of a panel, as days and names. Of a window that is full, its first days are only held against."""
    scores = score_days(panel.values, _SENSITIVITY, panel.pools)
    events = find_events(
        panel.values,
        scores,
        _SENSITIVITY,
        unit_costs=panel.unit_costs,
        owner_costs=panel.owner_costs,
        gate=Gate(),
    )
    days = panel.values.shape[1]
    judged_from = WARM_DAYS if days >= WINDOW_DAYS else FEWEST_DAYS
    for event in events:
        if event.first_day < judged_from:
            continue
        account, name = panel.keys[event.series]
        onset = panel.first_day + timedelta(days=event.first_day)
        named = "|".join([panel.level, account, name, panel.metric, str(event.is_drop), onset.isoformat()])
        yield Told(
            anomaly_id=hashlib.md5(named.encode(), usedforsecurity=False).hexdigest(),
            level=panel.level,
            metric=panel.metric,
            account=account,
            model_id="" if panel.level == OUTCOME else name,
            outcome_kind=name if panel.level == OUTCOME else "",
            first_day=panel.first_day,
            day_count=days,
            event=event,
        )


def _root(anomaly_id: str, parents: dict[str, str | None]) -> str:
    parent = parents[anomaly_id]
    return anomaly_id if parent is None else _root(parent, parents)


def _state(told: Told) -> str:
    event = told.event
    if event.resolved_day is not None:
        return "resolved"
    return "new" if event.found_day == told.day_count - 1 else "ongoing"


def _detector(event: Event) -> str:
    return "both" if event.has_point and event.has_level else "level" if event.has_level else "point"


def _row(told: Told, story_id: str, cause: Cause | None, currency: str) -> tuple[object, ...]:
    event = told.event
    return (
        told.anomaly_id,
        story_id,
        told.parent_id,
        told.level,
        told.account,
        told.account.removeprefix("team:") if told.account.startswith("team:") else None,
        told.model_id,
        told.outcome_kind,
        told.metric,
        "drop" if event.is_drop else "rise",
        told.day(event.first_day),
        told.day(event.found_day),
        told.day(event.peak_day),
        told.day(event.last_alarm_day),
        None if event.resolved_day is None else told.day(event.resolved_day),
        _state(told),
        event.is_new_level,
        _detector(event),
        event.peak_score,
        _rounded(event.observed),
        _rounded(event.expected),
        None if event.excess_cost is None else _rounded(event.excess_cost),
        _rounded(event.least_cost),
        currency,
        event.is_large and told.parent_id is None,
        *_told_cause(cause, None if event.excess_cost is not None else _COST_UNKNOWN),
        told.day(told.day_count - 1),
    )


def _told_cause(cause: Cause | None, evidence: str | None) -> tuple[object, ...]:
    if cause is None:
        return (None, evidence, *(None,) * 5)
    return (
        cause.name,
        cause.evidence,
        cause.runbook,
        cause.contributors,
        *(None if amount is None else amount.quantize(_PLACES) for amount in cause.parts),
    )


def _rounded(estimate: float) -> Decimal:
    return Decimal(repr(estimate)).quantize(_PLACES)
