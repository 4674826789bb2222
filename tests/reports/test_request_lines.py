"""What a request cost, on a team's statement: printed as worked out by hand, and a dash where nobody knows it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reports.breakdown import LINE_LIMIT
from reports.given import Period, SharedFacts, StatementError, Team, TeamRows
from reports.render import render_html, render_text
from reports.request_lines import request_table
from reports.statement import build_statement

JULY = date(2026, 7, 1)
# 3 dollars over 1,000 attempts are 0.003 each, and over 4 users 0.75 each
WHOLE: dict[str, Any] = {
    "billing_period": JULY,
    "level": "team",
    "team_id": "search",
    "feature": "",
    "route": "",
    "request_count": 1000,
    "failure_count": 10,
    "unpriced_count": 0,
    "user_count": 4,
    "priced_cost_usd": Decimal(3),
    "cost_per_request_usd": Decimal("0.003000000"),
    "cost_per_user_usd": Decimal("0.750000000"),
}


def part(feature: str, cost: str, each: str | None, route: str = "api", **over: Any) -> dict[str, Any]:
    """A feature by one route, with 100 requests of one user."""
    own: dict[str, Any] = {"level": "all", "feature": feature, "route": route, "request_count": 100, "user_count": 1}
    own |= {"failure_count": 0, "priced_cost_usd": Decimal(cost), "cost_per_user_usd": None}
    return WHOLE | own | {"cost_per_request_usd": None if each is None else Decimal(each)} | over


def test_features_come_dearest_first_and_add_up_to_all_requests_as_printed(period: Period) -> None:
    """Of 3.00 three features have a third each, which no cents can be: one is printed a cent larger."""
    third = "1.000000000000"
    rows = (
        part("chat", third, "0.01", route="self_hosted"),
        part("chat", third, "0.01"),
        part("", third, "0.01", cost_per_user_usd=Decimal("12.345")),
        WHOLE,
    )
    table = request_table(rows, period)
    assert table is not None
    assert [(row.label, *row.cells, row.note) for row in table.rows] == [
        ("No feature told, by API", "$1.00", "$0.010000", "$12.35", "100 requests; 1 user"),
        ("chat, by API", "$1.00", "$0.010000", "–", "100 requests; 1 user"),
        ("chat, on own GPUs", "$1.00", "$0.010000", "–", "100 requests; 1 user"),
    ]
    assert table.total is not None
    told = ("All requests", "$3.00", "$0.003000", "$0.750000", "All: 1,000 requests; 4 users; 10 failed.")
    assert (table.total.label, *table.total.cells, table.remark) == told


def test_cents_that_no_line_has_whole_are_parted_so_that_they_add_up(period: Period) -> None:
    parts = [part(name, "0.005", "0.00005") for name in ("a", "b", "c")]  # 0.015, printed 0.02
    table = request_table((*parts, WHOLE | {"priced_cost_usd": Decimal("0.015")}), period)
    assert table is not None
    assert table.total is not None
    assert [row.cells[0] for row in table.rows] == ["$0.01", "$0.01", "$0.00"]
    assert table.total.cells[0] == "$0.02"


def test_a_cost_that_nobody_knows_is_a_dash_and_no_zero(period: Period) -> None:
    table = request_table((part("chat", "0", None, unpriced_count=100), WHOLE), period)
    assert table is not None
    assert table.rows[0].cells == ("–", "–", "–")
    assert table.rows[0].note == "100 requests; 1 user; 100 without a known cost, which the figures lack"


def test_many_features_are_told_together_and_none_is_dropped(period: Period) -> None:
    parts = [part(f"f{n:02}", str(n), "0.01") for n in range(1, LINE_LIMIT + 4)]
    table = request_table((*parts, WHOLE), period)
    assert table is not None
    assert len(table.rows) == LINE_LIMIT + 1
    # the three cheapest are 1, 2 and 3 dollars
    assert (table.rows[-1].label, *table.rows[-1].cells) == ("3 others", "$6.00", "–", "–")
    assert table.rows[-1].note == "300 requests"


def test_without_requests_of_the_month_there_is_no_section(period: Period) -> None:
    assert request_table((), period) is None
    assert request_table((WHOLE | {"billing_period": date(2026, 6, 1)},), period) is None
    assert request_table((WHOLE | {"request_count": 0},), period) is None


def test_it_stands_on_the_pages_and_says_how_to_ask(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    found = build_statement(team, period, replace(rows, requests=(WHOLE, part("<b>chat</b>", "3", "0.03"))), shared)
    for page in (render_html(found), render_text(found)):
        assert "What a request cost" in page
        assert "$0.003000" in page
        assert "farthing explain request_costs" in page
    assert "<b>chat" not in render_html(found)


def test_a_row_of_another_team_is_refused(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> None:
    with pytest.raises(StatementError, match="1 of 2 request_costs rows"):
        build_statement(team, period, replace(rows, requests=(WHOLE, WHOLE | {"team_id": "chat"})), shared)
