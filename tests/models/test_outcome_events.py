"""What is told of outcomes, counted once: the last word decides, and a day sees the same whatever is computed with it."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from models.outcome_events import outcome_events
from models.outcome_kinds import OutcomeKind
from tests.sql.golden import filled

TICKET = OutcomeKind("ticket", trace="ticket_id", key="customer", successes=("resolved",), reversals=("reopened",))
START = datetime(2026, 10, 1, 9)


def told(*events: dict[str, Any]) -> pl.DataFrame:
    rows = [{"outcome_kind": "ticket", "outcome_id": "T-1", "x_row": n, **event} for n, event in enumerate(events)]
    return pl.DataFrame(pl.from_arrow(filled("outcomes", rows)))


def event(day: float, result: str | None = "resolved", **over: Any) -> dict[str, Any]:
    return {"occurred_at": str(START + timedelta(days=day)), "result": result, **over}


def counted(outcomes: pl.DataFrame, kind: OutcomeKind = TICKET, **others: pl.DataFrame) -> list[dict[str, Any]]:
    scores = others.get("scores", pl.DataFrame(pl.from_arrow(filled("outcome_scores", []))))
    traces = others.get("traces", pl.DataFrame(pl.from_arrow(filled("outcome_traces", []))))
    found = outcome_events(outcomes, scores, traces, [kind])
    return found.sort("usage_date", "outcome_id").to_dicts()


@pytest.mark.parametrize(
    ("results", "stands"),
    [
        (["resolved"], (True, False, 1, 0)),
        (["resolved", "reopened"], (False, True, 2, 0)),
        (["resolved", "reopened", "resolved"], (True, False, 3, 0)),
        (["open", "resolved"], (True, False, 2, 0)),
        (["resolved", "open"], (False, False, 2, 1)),
        (["reopened"], (False, True, 1, 0)),
        ([None], (False, False, 1, 0)),
    ],
)
def test_one_id_counts_once_and_is_what_its_last_event_says(
    results: list[str | None], stands: tuple[bool, bool, int, int]
) -> None:
    (found,) = counted(told(*(event(n / 2, result) for n, result in enumerate(results))))
    names = ("is_success", "is_reversed", "event_count", "conflict_count")
    assert tuple(found[name] for name in names) == stands
    assert (found["usage_date"], found["occurred_at"]) == (date(2026, 10, 1), START)


@pytest.mark.parametrize(
    ("results", "stands"),
    [
        (["open", "resolved"], (True, False, 1, 0)),
        (["resolved", "archived"], (True, False, 1, 0)),
        (["resolved", None], (True, False, 1, 0)),
        (["open", "escalated"], (False, False, 1, 0)),
        (["resolved", "escalated"], (False, False, 2, 1)),
        (["resolved", "open", "reopened"], (False, True, 2, 0)),
        (["open"], None),
    ],
)
def test_where_failures_are_named_any_other_word_says_nothing(
    results: list[str | None], stands: tuple[bool, bool, int, int] | None
) -> None:
    named = replace(TICKET, failures=("escalated",))
    found = counted(told(*(event(n / 2, result) for n, result in enumerate(results))), named)
    names = ("is_success", "is_reversed", "event_count", "conflict_count")
    assert [tuple(row[name] for name in names) for row in found] == ([] if stands is None else [stands])


def test_a_word_from_before_the_requests_does_not_set_the_time_of_the_outcome() -> None:
    given = told(event(0, "open"), event(2 / 24))  # a request at 09:20 lies between
    assert counted(given)[0]["occurred_at"] == START
    assert counted(given, replace(TICKET, failures=("escalated",)))[0]["occurred_at"] == START + timedelta(hours=2)


def test_the_very_same_event_of_two_deliveries_is_one() -> None:
    (found,) = counted(told(event(0), event(0)))
    assert found["event_count"] == 1


@pytest.mark.parametrize(("days", "count"), [(35, 1), (36, 2)])
def test_five_weeks_later_it_is_the_same_outcome_and_a_day_more_another(days: int, count: int) -> None:
    found = counted(told(event(0), event(days, "reopened")))
    assert len(found) == count
    assert found[0]["is_reversed"] is (count == 1)


def test_a_reversal_that_comes_too_late_takes_back_nothing_and_meets_nobody_else_s_requests() -> None:
    customer = {"customer_hash": "c"}
    first, late = counted(told(event(0, **customer), event(36, "reopened", **customer)))
    assert (first["is_success"], first["key_value"]) == (True, "c")
    assert (late["is_success"], late["is_reversed"], late["key_value"]) == (False, True, None)
    # what is resolved anew after that is an outcome of that time, and a reversal in time is of its own
    _, anew = counted(told(event(0, **customer), event(36, "reopened", **customer), event(37, **customer)))
    assert (anew["is_success"], anew["key_value"]) == (True, "c")
    (taken,) = counted(told(event(0, **customer), event(35, "reopened", **customer)))
    assert (taken["is_reversed"], taken["key_value"]) == (True, "c")


def test_a_day_sees_the_same_whatever_other_days_are_computed_with_it() -> None:
    events = [event(0), event(30, "reopened"), event(60), event(90, "reopened"), event(130)]
    whole = {row["usage_date"]: row for row in counted(told(*events))}
    for day in (START.date() + timedelta(days=n) for n in range(140)):
        near = [e for e in events if abs((datetime.fromisoformat(e["occurred_at"]).date() - day).days) <= 35]
        alone = {row["usage_date"]: row for row in counted(told(*near))}
        assert alone.get(day) == whole.get(day)


def test_quality_is_on_the_kinds_scale_and_the_last_that_is_known_and_may_decide() -> None:
    rated = OutcomeKind(
        "ticket", trace="ticket_id", quality_from=Decimal(1), quality_to=Decimal(5), least_quality=Decimal("0.5")
    )
    (found,) = counted(told(event(0, quality_value=2.0), event(1, quality_value=4.0), event(2)), rated)
    assert found["quality_ratio"] == 0.75
    assert found["is_success"] is False  # the last event has no quality, and says nothing else
    (found,) = counted(told(event(0, quality_value=3.0)), rated)
    assert (found["quality_ratio"], found["is_success"]) == (0.5, True)
    (found,) = counted(told(event(0, quality_value=2.99)), rated)
    assert found["is_success"] is False
    (found,) = counted(told(event(0, quality_value=6.0)), rated)
    assert found["quality_ratio"] == 1.25  # beyond the scale: told, not clamped


def test_what_it_meets_its_requests_by_follows_from_the_kind() -> None:
    events = told(event(0, trace_id="tr", operation_id="op", entity_id="s-1", customer_hash="c", user_hash="u"))
    met = [
        (kind, row["trace_key"], row["key_value"])
        for kind, (row,) in (
            (name, counted(events, OutcomeKind("ticket", trace=name, key=key)))
            for name, key in (("trace_id", "user"), ("operation", None), ("session", "session"), ("x", "customer"))
        )
    ]
    assert met == [("trace_id", "tr", "u"), ("operation", "op", None), ("session", "s-1", "s-1"), ("x", "s-1", "c")]
    (own,) = counted(told(event(0)))
    assert own["trace_key"] == "T-1"


def test_a_score_is_an_outcome_of_what_it_scores() -> None:
    given = {"score_name": "helpful", "trace_id": "tr-1", "scored_at": "2026-10-01 09:00:00"}
    rows = [
        {**given, "score_id": "a", "data_type": "numeric", "score_value": 0.9},
        {**given, "score_id": "b", "data_type": "numeric", "score_value": 0.2, "scored_at": "2026-10-01 10:00:00"},
        {**given, "score_id": "c", "data_type": "boolean", "score_value": 1.0, "trace_id": "tr-2"},
        {**given, "score_id": "d", "score_name": "polite", "data_type": "numeric", "score_value": 1.0},
    ]
    scores = pl.DataFrame(pl.from_arrow(filled("outcome_scores", rows)))
    kind = OutcomeKind("helpful", origin="scores", score="helpful", least_quality=Decimal("0.5"))
    found = counted(told(), kind, scores=scores)
    names = ("outcome_id", "trace_key", "is_success", "quality_ratio", "event_count")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("tr-1", "tr-1", False, 0.2, 2),
        ("tr-2", "tr-2", True, 1.0, 1),
    ]


def test_two_operations_of_a_trace_that_are_scored_are_two_outcomes_where_operations_are_met() -> None:
    given = {"score_name": "helpful", "trace_id": "tr-1", "scored_at": "2026-10-01 09:00:00", "data_type": "boolean"}
    rows = [
        {**given, "score_id": "a", "observation_id": "op-1", "score_value": 1.0},
        {**given, "score_id": "b", "observation_id": "op-2", "score_value": 0.0, "scored_at": "2026-10-01 10:00:00"},
    ]
    scores = pl.DataFrame(pl.from_arrow(filled("outcome_scores", rows)))
    kind = OutcomeKind("helpful", origin="scores", score="helpful", trace="operation")
    found = counted(told(), kind, scores=scores)
    names = ("outcome_id", "trace_key", "is_success", "conflict_count")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("op-1", "op-1", True, 0),
        ("op-2", "op-2", False, 0),
    ]
    (whole,) = counted(told(), replace(kind, trace="trace_id"), scores=scores)
    assert (whole["outcome_id"], whole["event_count"], whole["is_success"]) == ("tr-1", 2, False)


def test_the_log_tells_of_every_id_once_on_its_first_day() -> None:
    given = {"outcome_kind": "ticket", "has_id": True, "has_success": True, "trace_key": "D-1"}
    rows = [
        {**given, "usage_date": "2026-10-01", "last_started_at": "2026-10-01 23:59:00", "has_success": False},
        {**given, "usage_date": "2026-10-02", "last_started_at": "2026-10-02 00:01:00"},
        {**given, "usage_date": "2026-10-02", "last_started_at": "2026-10-02 08:00:00", "trace_key": "D-2"},
        {**given, "usage_date": "2026-10-02", "last_started_at": "2026-10-02 08:00:00", "trace_key": "D-2", "team_id": "x"},
        {**given, "usage_date": "2026-10-02", "last_started_at": "2026-10-02 08:00:00", "trace_key": "request:r", "has_id": False},
    ]  # fmt: skip
    traces = pl.DataFrame(pl.from_arrow(filled("outcome_traces", rows)))
    found = counted(told(), OutcomeKind("ticket", origin="gateway", trace="document_id"), traces=traces)
    assert [(row["outcome_id"], row["usage_date"].day, row["is_success"], row["event_count"]) for row in found] == [
        ("D-1", 1, False, 1),
        ("D-2", 2, True, 1),
    ]


def test_no_declared_kind_counts_nothing() -> None:
    scores, traces = (pl.DataFrame(pl.from_arrow(filled(name, []))) for name in ("outcome_scores", "outcome_traces"))
    assert outcome_events(told(event(0)), scores, traces, []).is_empty()
