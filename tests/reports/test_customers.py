"""Whom a team's month was for: worked out by hand, adding up as printed, in every form of the statement."""

import hashlib
import io
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from reports.files import file_names, statement_files
from reports.given import Period, SharedFacts, StatementError, Team, TeamRows
from reports.render import render_html, render_text
from reports.statement import Statement, build_statement
from reports.tables import Table
from tests.reports.conftest import customers, served
from tests.reports.test_files import cells

PAGE = "statement-2026-07-search.html"
ACME, BOLT, CARL = "ac3e" * 8, "b017" * 8, "ca71" * 8
WHOLE = (
    served("300.004", customer=ACME, user="u1"),
    served("100", customer=ACME, user="u2", feature="summaries"),
    served("50", customer=ACME, user="u1", feature="summaries"),
    served("100", customer=BOLT),
    served("30", "user", user=CARL),
    served("20", "unnamed_calls"),
    served("399.996", "not_by_call", feature=""),
)
"""Of July's $1,000.00: the last third of a cent goes to what is not bought by the call."""


@pytest.fixture
def given(rows: TeamRows) -> TeamRows:
    return replace(rows, customers=customers(*WHOLE))


def made(team: Team, period: Period, given: TeamRows, shared: SharedFacts) -> Statement:
    names = file_names(PAGE, ("xlsx", "parquet"), has_customers=True)
    return build_statement(team, period, given, shared, names)


def section(statement: Statement) -> Table | None:
    return next((table for table in statement.team_tables if table.name == "customers"), None)


def test_customers_and_what_nobody_is_named_for_add_up_to_the_statement(
    team: Team, period: Period, given: TeamRows, shared: SharedFacts
) -> None:
    table = section(made(team, period, given, shared))
    assert table is not None
    assert [(row.label, row.cells[-1], row.note) for row in table.rows] == [
        ("Customer ac3eac3eac3e…", "$450.00", "2 users"),
        ("Customer b017b017b017…", "$100.00", ""),
        ("User ca71ca71ca71…", "$30.00", "No customer told"),
        ("Calls that name nobody", "$20.00", ""),
        ("Not bought by the call", "$400.00", "Machines that serve no model, purchases, what nobody used"),
    ]
    assert table.total is not None
    assert table.total.cells[-1] == "$1,000.00"


def test_many_customers_are_the_largest_and_one_line(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    small = [served("10", customer=f"{n:032x}") for n in range(20)]
    table = section(made(team, period, replace(rows, customers=customers(*small, *WHOLE)), shared))
    assert table is not None
    told = {row.label: row.cells[-1] for row in table.rows}
    assert told["15 other customers and users"] == "$150.00"
    assert told["Not split"] == "\N{MINUS SIGN}$200.00"
    assert list(told)[-3:] == ["Calls that name nobody", "Not bought by the call", "Not split"]


def test_what_has_no_rate_is_in_no_line(team: Team, period: Period, given: TeamRows, shared: SharedFacts) -> None:
    francs = served(None, customer=BOLT, billing_currency="CHF")
    table = section(made(team, period, replace(given, customers=customers(*WHOLE, francs)), shared))
    assert table is not None
    assert {row.label: row.cells[-1] for row in table.rows}["Customer b017b017b017…"] == "$100.00"


@pytest.mark.parametrize("told", [None, customers(served("1000", "unnamed_calls")), customers()])
def test_without_a_name_there_is_no_such_section(
    told: pl.DataFrame | None, team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    assert section(made(team, period, replace(rows, customers=told), shared)) is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"team_id": "support"}, "belong to 'support', not to team 'search'"),
        ({"billing_period": pl.date(2026, 6, 1)}, "hold billing period 2026-06-01"),
        ({"reporting_currency": pl.lit("EUR")}, "are reported in EUR"),
    ],
)
def test_rows_of_another_team_month_or_currency_are_refused(
    wrong: dict[str, object], named: str, team: Team, period: Period, given: TeamRows, shared: SharedFacts
) -> None:
    assert given.customers is not None
    column, value = next(iter(wrong.items()))
    stranger = pl.lit(value) if isinstance(value, str) else value
    bad = given.customers.with_columns(stranger.alias(column) if isinstance(stranger, pl.Expr) else pl.lit(stranger))
    with pytest.raises(StatementError, match=rf"chargeback_by_customer rows.*{named}"):
        made(team, period, replace(given, customers=bad), shared)


def test_every_form_of_the_statement_has_them(team: Team, period: Period, given: TeamRows, shared: SharedFacts) -> None:
    statement = made(team, period, given, shared)
    for page in (render_html(statement), render_text(statement)):
        assert "Whom it was for" in page
        assert "Customer ac3eac3eac3e…" in page
        assert "statement-2026-07-search.customers.parquet" in page
    assert given.customers is not None
    turned = replace(given, customers=given.customers.reverse())
    files, again = (statement_files(statement, rows, PAGE, ("xlsx", "parquet")) for rows in (given, turned))
    assert files == again
    content = files["statement-2026-07-search.customers.parquet"]
    hashed = files["statement-2026-07-search.customers.parquet.sha256"].decode().split()
    assert hashed == [hashlib.sha256(content).hexdigest(), "statement-2026-07-search.customers.parquet"]
    back = pl.read_parquet(io.BytesIO(content))
    assert back["reporting_effective_cost"].sum() == Decimal(1000)
    sheet = cells(files["statement-2026-07-search.xlsx"], 3)
    assert {ACME, BOLT, CARL} <= {value for kind, value in sheet.values() if kind == "s"}
    assert set(file_names(PAGE, ("xlsx", "parquet"), has_customers=True)) >= set(files)
    # with a mail go the lines alone: customers may be a million
    attached = statement_files(statement, given, PAGE, ("parquet",), for_mail=True)
    assert set(attached) == {"statement-2026-07-search.parquet", "statement-2026-07-search.parquet.sha256"}


def test_where_they_are_not_known_there_is_no_file_of_them(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    files = statement_files(build_statement(team, period, rows, shared), rows, PAGE, ("parquet",))
    assert set(files) == {"statement-2026-07-search.parquet", "statement-2026-07-search.parquet.sha256"}
    assert "customers" not in "".join(file_names(PAGE, ("parquet",)))
