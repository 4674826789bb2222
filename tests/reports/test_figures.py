"""Rounding that foots, and figures as people read them."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reports
from reports.breakdown import split, sums_by
from reports.chart import COLOURS, daily_svg
from reports.daily import DayCost, chart_note, daily_costs
from reports.given import Period
from reports.money import apportion, exact_sum, format_money, format_ratio, round_to
from tests.reports.conftest import charge

CENT = Decimal("0.01")
amounts = st.lists(st.decimals("-1e9", "1e9", places=12, allow_nan=False), min_size=1, max_size=12)


@given(amounts)
def test_rounded_lines_add_up_to_the_rounded_total_and_none_moves_by_a_cent(exact: list[Decimal]) -> None:
    total = round_to(exact_sum(exact), CENT)
    printed = apportion(exact, total, CENT)
    assert exact_sum(printed) == total
    assert all(abs(p - e) < CENT for p, e in zip(printed, exact, strict=True))


def test_the_largest_remainder_gets_the_missing_cent() -> None:
    thirds = [Decimal("0.333"), Decimal("0.333"), Decimal("0.334")]
    assert apportion(thirds, Decimal("1.00"), CENT) == [Decimal("0.33"), Decimal("0.33"), Decimal("0.34")]


@pytest.mark.parametrize(
    ("amount", "currency", "printed"),
    [
        ("1234.505", "USD", "$1,234.51"),
        ("-0.004", "USD", "$0.00"),
        ("-3", "USD", "−$3.00"),
        ("1200.4", "JPY", "JPY\u00a01,200"),
        ("1.2345", "KWD", "KWD\u00a01.235"),
    ],
)
def test_money_is_printed_in_the_currency_s_own_decimals(amount: str, currency: str, printed: str) -> None:
    assert format_money(Decimal(amount), currency) == printed


def test_a_signed_ratio_of_zero_has_no_sign() -> None:
    assert format_ratio(Decimal("0.0004"), signed=True) == "0.0\u202f%"
    assert format_ratio(Decimal("-0.125"), signed=True) == "−12.5\u202f%"


def test_what_does_not_fit_becomes_one_line_that_foots_and_credits_rank_by_their_size() -> None:
    sums = [(f"line {n}", "", Decimal(n)) for n in range(1, 6)] + [("credit", "", Decimal(-9))]
    lines = split(sums, Decimal("6.00"), "USD", limit=2).lines
    assert [(x.label, x.amount) for x in lines] == [
        ("credit", Decimal("-9.00")),
        ("line 5", Decimal("5.00")),
        ("4 others", Decimal("10.00")),
    ]
    assert {line.share for line in lines} == {None}  # parts of a total mean nothing beside a credit


def test_the_dots_beside_the_kinds_have_the_chart_s_colours() -> None:
    """Three kinds that always stand there, then the others by name, in the chart as in the style."""
    costs = {"unused_throughput": CENT, "unused_commitment": CENT, "api": CENT}
    drawn = daily_svg([DayCost(date(2026, 10, 1), costs)], "USD")
    style = (Path(reports.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    dots = dict(re.findall(r"^\.dot-(\d) \{ background: (#[0-9a-f]{6})", style, re.MULTILINE))
    assert [dots["2"], dots["3"]] == [COLOURS["gpu"], COLOURS["other"]]
    assert len({COLOURS["api"], *dots.values()}) == 5
    assert [colour in drawn for colour in (COLOURS["api"], dots["4"], dots["5"])] == [True] * 3
    rows = pl.DataFrame({"cost_kind": list(costs), "effective_cost": list(costs.values())})
    assert [label for label, _, _ in sums_by(rows, "cost_kind", {"api": "APIs"})] == [
        "APIs",
        "Unused commitment",
        "Unused throughput",
    ]


def test_days_of_which_a_bill_can_still_change_are_hatched(period: Period) -> None:
    rows = pl.DataFrame([charge("3", 1), charge("4", 2), charge("5", 2, period_state="provisional"), charge("6", 3)])
    days = daily_costs(rows, period, frozenset())
    assert [day.day.day for day in days if day.is_provisional] == [2]
    assert chart_note(rows, days, period, "USD", "") == "Hatched days: a bill can still change."
    drawn = daily_svg(days, "USD")
    assert drawn.count('fill="url(#provisional)"') == 1  # of one day and one kind, in the colour of the pattern
    assert '<pattern id="provisional"' in drawn
    settled = daily_costs(rows.filter(pl.col("period_state") == "final"), period, frozenset())
    assert "provisional" not in daily_svg(settled, "USD")
