"""The two sections beside a team's costs: printed as worked out by hand, on every page, and only where there are rows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reports.given import Period, SharedFacts, StatementError, Team, TeamRows
from reports.render import render_html, render_text
from reports.statement import Statement, build_statement

JULY = date(2026, 7, 1)
OUTCOME: dict[str, Any] = {
    "period_kind": "month",
    "period_start": JULY,
    "outcome_kind": "ticket",
    "level": "team",
    "team_id": "search",
    "route": "",
    "trace_count": 1250,
    "success_count": Decimal("1000.000000000000"),
    "success_ratio": 0.8,
    "priced_cost_usd": Decimal("82.5"),
    "cost_per_success_usd": Decimal("0.0825"),
    "cost_per_success_low_usd": Decimal("0.08004"),
    "cost_per_success_high_usd": Decimal("0.08496"),
    "is_nowcast": False,
    "reason": None,
}
BUDGET: dict[str, Any] = {
    "billing_period": JULY,
    "budget_id": "search-all",
    "team_id": "search",
    "provider_name": "",
    "model_id": "",
    "feature": "",
    "unit": "USD",
    "budget_amount": Decimal(12000),
    "spent_amount": Decimal("12600.50"),
    "settled_amount": Decimal("12600.5"),
    "spent_ratio": Decimal("1.050042"),
    "unconverted_currencies": None,
    "expected_amount": Decimal(12000),
    "remaining_amount": Decimal("-600.50"),
    "month_end_p10": None,
    "month_end_p50": None,
    "month_end_p90": None,
    "breach_chance": None,
    "no_chance_reason": "the month is over",
    "burn_one_day": None,
    "burn_seven_days": None,
    "is_burning": None,
    "is_current": False,
    "is_provisional": False,
    "settled_date": date(2026, 7, 31),
}


@pytest.fixture
def statement(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> Statement:
    return build_statement(team, period, replace(rows, outcomes=(OUTCOME,), budgets=(BUDGET,)), shared)


def printed(statement: Statement, name: str) -> list[tuple[str, ...]]:
    (table,) = [table for table in statement.team_tables if table.name == name]
    return [(row.label, *row.cells, row.note) for row in table.rows]


def test_what_an_outcome_cost_is_printed_to_a_hundredth_of_a_cent(statement: Statement) -> None:
    assert printed(statement, "outcomes") == [
        (
            *("ticket", "$82.50", "$0.0825"),
            (
                "1,000 successes (80.0\N{NARROW NO-BREAK SPACE}%) of 1,250 cases; "
                "a success costs $0.0800 to $0.0850 with 95\N{NARROW NO-BREAK SPACE}% confidence"
            ),
        )
    ]


def test_a_cost_that_is_not_known_is_no_zero_and_says_why(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    few = {"success_count": Decimal("0.25"), "success_ratio": None, "reason": "few_successes"}
    few |= dict.fromkeys(("cost_per_success_usd", "cost_per_success_low_usd", "cost_per_success_high_usd"))
    found = build_statement(team, period, replace(rows, outcomes=(OUTCOME | few,)), shared)
    assert printed(found, "outcomes") == [
        ("ticket", "$82.50", "–", "0.3 successes of 1,250 cases; too few successes to tell"),
    ]


def test_a_month_that_is_over_is_held_against_its_budget(statement: Statement) -> None:
    spent = "$12,600.50 (105.0\N{NARROW NO-BREAK SPACE}%)"
    assert printed(statement, "budgets") == [
        ("search-all", spent, "\N{MINUS SIGN}$600.50", "$12,000.00 for team search; final")
    ]


def test_a_month_that_goes_on_says_where_it_ends(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    current = {"is_current": True, "is_provisional": True, "settled_date": date(2026, 7, 14)}
    current |= {"month_end_p10": Decimal(13000), "month_end_p50": Decimal(14000), "month_end_p90": Decimal(15000)}
    current |= {"breach_chance": Decimal("0.25"), "no_chance_reason": None}
    found = build_statement(team, period, replace(rows, budgets=(BUDGET | current,)), shared)
    (row,) = printed(found, "budgets")
    chance = "25.0\N{NARROW NO-BREAK SPACE}%"
    end = f"month end $14,000.00; in eight of ten cases $13,000.00 to $15,000.00; chance to exceed {chance}"
    assert row[3] == f"$12,000.00 for team search; provisional: settled up to 14 Jul; {end}"


def test_what_is_spent_on_days_that_may_still_change_is_told_and_why_the_month_can_end_below_it(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    """Of 12,600.50 spent, 12,000.25 up to the 14th: 600.25 since, for which days are estimated."""
    current = {"is_current": True, "is_provisional": True, "settled_date": date(2026, 7, 14)}
    current |= {"settled_amount": Decimal("12000.25"), "month_end_p50": Decimal("12600.49")}
    found = build_statement(team, period, replace(rows, budgets=(BUDGET | current,)), shared)
    (row,) = printed(found, "budgets")
    standing = "provisional: settled up to 14 Jul, of what is spent $600.25 on days that may still change; "
    end = "month end $12,600.49, less than is spent: days that may still change are estimated, not counted"
    assert standing + end in row[3]


def test_both_sections_stand_after_the_costs_on_every_page(statement: Statement) -> None:
    assert [table.name for table in statement.team_tables][-2:] == ["outcomes", "budgets"]
    for page in (render_html(statement), render_text(statement)):
        assert page.index("How it got here") < page.index("What came of it") < page.rindex("$12,600.50")
        assert "$0.0825" in page


def test_without_rows_of_the_team_and_month_there_is_no_section(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    earlier = replace(
        rows,
        outcomes=(OUTCOME | {"period_start": date(2026, 6, 1)}, OUTCOME | {"level": "all"}),
        budgets=(BUDGET | {"billing_period": date(2026, 6, 1)},),
    )
    plain = build_statement(team, period, rows, shared)
    assert build_statement(team, period, earlier, shared) == plain
    assert not {"outcomes", "budgets"} & {table.name for table in plain.team_tables}
    assert "What came of it" not in render_html(plain)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"outcomes": (OUTCOME | {"team_id": "chat"},)}, "unit_costs"),
        ({"budgets": (BUDGET | {"team_id": None},)}, "budget_status"),
    ],
)
def test_rows_of_another_team_never_reach_a_statement(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts, given: dict[str, Any], name: str
) -> None:
    with pytest.raises(StatementError, match=f"1 of 1 {name} rows"):
        build_statement(team, period, replace(rows, **given), shared)
