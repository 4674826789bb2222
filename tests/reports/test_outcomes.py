"""The section of outcomes: which rows it tells, in which order, and what it says where a cost is missing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts import contract
from reports.outcomes import NOWCAST, REASONS, ROUTES, outcome_lines, team_outcome_lines

MONTH = date(2026, 10, 1)


def row(**over: Any) -> dict[str, Any]:
    return {
        "period_kind": "month",
        "period_start": MONTH,
        "outcome_kind": "ticket",
        "level": "kind",
        "team_id": "",
        "route": "",
        "trace_count": 10,
        "success_count": Decimal(8),
        "success_ratio": 0.8,
        "priced_cost_usd": Decimal("0.80"),
        "cost_per_success_usd": Decimal("0.10"),
        "cost_per_success_low_usd": Decimal("0.08"),
        "cost_per_success_high_usd": Decimal("0.12"),
        "is_nowcast": False,
        "reason": None,
        **over,
    }


def test_kinds_come_by_name_each_with_its_routes_where_there_are_several() -> None:
    rows = [
        row(level="route", route="self_hosted"),
        row(),
        row(level="route", route="api"),
        row(outcome_kind="document"),
        row(outcome_kind="document", level="route", route="api"),
        row(level="team", team_id="support"),
        row(period_kind="day"),
        row(period_start=date(2026, 9, 1)),
        row(outcome_kind="silent", trace_count=0),
    ]
    assert [(line.kind, line.route) for line in outcome_lines(rows, MONTH)] == [
        ("document", "all"),
        ("ticket", "all"),
        ("ticket", "by API"),
        ("ticket", "on own GPUs"),
    ]


def test_a_team_sees_its_own_lines_alone() -> None:
    rows = [row(level="team", team_id="support"), row(level="team", team_id="search", outcome_kind="other"), row()]
    (line,) = team_outcome_lines(rows, MONTH, "support")
    assert (line.kind, line.cost_per_success, line.low, line.high) == (
        "ticket",
        Decimal("0.10"),
        Decimal("0.08"),
        Decimal("0.12"),
    )


@pytest.mark.parametrize(
    ("over", "told"),
    [
        ({}, ""),
        ({"is_nowcast": True}, NOWCAST),
        ({"cost_per_success_usd": None, "reason": "immature"}, "too early to tell"),
        ({"cost_per_success_usd": None, "reason": "few_successes", "is_nowcast": True}, "too few successes to tell"),
    ],
)
def test_a_missing_cost_says_why_and_an_estimate_that_it_is_one(over: dict[str, Any], told: str) -> None:
    (line,) = outcome_lines([row(**over)], MONTH)
    assert line.told == told


def test_there_are_words_for_everything_that_the_table_says() -> None:
    columns = {column.name: column for column in contract("unit_costs").columns}
    assert set(columns["reason"].values or ()) == set(REASONS)
    served = {column.name: column for column in contract("outcome_traces").columns}["route"].values or ()
    assert set(served) <= set(ROUTES)
