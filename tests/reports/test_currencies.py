"""A month in several currencies: one sum in the reporting currency, and what has no rate beside it, never in it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reports.given import Period, ReconciliationLine, SharedFacts, Team, TeamRows
from reports.overview import build_overview
from reports.render import render_html, render_text
from reports.statement import Statement, build_statement
from reports.tables import Table
from tests.reports.conftest import JUNE, charge, charges, foreign, gpu_row, gpus

GPU = {"cost_kind": "gpu", "service_name": "H100", "provider_name": "OVHcloud", "model_id": ""}
JULY_RATE = ("EUR", "1.0834")


@pytest.fixture
def mixed() -> TeamRows:
    """$100.00, EUR 200.00 at 1.0834 = $216.68, and GBP 12.50 without a rate. June: $50.00, EUR 100.00 at 1.1 = $110."""
    return TeamRows(
        charges(
            charge("100"),
            foreign("150", *JULY_RATE, "162.51", 2, **GPU),
            foreign("50", *JULY_RATE, "54.17", 3, model_id="mistral-large"),
            foreign("12.5", "GBP", None, None, 4, **GPU),
        ),
        gpus(
            {**gpu_row("120", 36_000, "effective"), "billing_currency": "EUR"},
            {**gpu_row("30", 9_000, "allocated_idle"), "billing_currency": "EUR"},
            {**gpu_row("12.5", 3_600, "effective"), "billing_currency": "GBP"},
        ),
        charges(
            charge("50", month=JUNE),
            foreign("100", "EUR", "1.1", "110", billing_period=JUNE, charge_date=JUNE),
        ),
    )


@pytest.fixture
def statement(team: Team, period: Period, mixed: TeamRows, shared: SharedFacts) -> Statement:
    return build_statement(team, period, mixed, replace(shared, without_rate=(("GBP", Decimal("12.5")),)))


def table(statement: Statement, name: str) -> Table:
    return next(t for t in (*statement.team_tables, *statement.company_tables) if t.name == name)


def cells(found: Table) -> list[tuple[str, ...]]:
    return [(row.label, *row.cells) for row in (*found.rows, *([found.total] if found.total else []))]


def test_every_currency_is_in_the_total_at_its_month_s_rate_and_one_without_a_rate_beside_it(
    statement: Statement,
) -> None:
    month = statement.month
    assert month.total == Decimal("316.68")  # 100 + 162.51 + 54.17
    assert month.total_text == "$316.68"
    assert month.apart_text == "Not in it: GBP\xa012.50, for which July 2026 has no exchange rate."
    assert month.change_text == "Up $156.68 (+97.9\u202f%) on June 2026, which cost $160.00."
    assert month.kinds == (
        ("Model APIs", "$154.17", ""),
        ("GPUs", "$162.51", "GBP\xa012.50"),
        ("Other", "$0.00", ""),
    )
    assert month.chart_note.startswith("GBP\xa012.50 has no exchange rate and is not in the chart.")
    assert [str(day.total) for day in month.days[:4]] == [
        "100.000000000000",
        "162.510000000000",
        "54.170000000000",
        "0",
    ]


def test_the_currencies_are_shown_with_their_rates_and_foot_to_the_total(statement: Statement) -> None:
    found = table(statement, "currencies")
    assert found.headings == ("Charged in", "In that currency", "In USD")
    assert cells(found) == [
        ("USD", "$100.00", "$100.00"),
        ("EUR", "EUR\xa0200.00", "$216.68"),
        ("GBP", "GBP\xa012.50", "–"),
        ("Total", "–", "$316.68"),
    ]
    assert [row.note for row in found.rows] == [
        "",
        "1 EUR = 1.0834 USD, ECB",
        "No rate: not in the total",
    ]


def test_every_other_table_sums_what_was_converted(statement: Statement) -> None:
    for name in ("services", "features", "rules"):
        assert cells(table(statement, name))[-1][-1] == "$316.68"
    assert cells(table(statement, "services"))[0] == ("H100", "51.3\u202f%", "$162.51")
    assert cells(table(statement, "change"))[-1] == ("Change", "+$156.68")
    gpu = table(statement, "gpu")
    assert cells(gpu) == [  # 120 x 1.0834 = 130.008 and 30 x 1.0834 = 32.502
        ("Effective", "10.0 h", "$130.01"),
        ("Allocated, idle", "2.5 h", "$32.50"),
        ("Total", "12.5 h", "$162.51"),
    ]
    assert gpu.remark == "Not in the table: 1.0 h charged in GBP, for which there is no exchange rate."
    assert table(statement, "bill").remark == "Not in it: GBP\xa012.50, for which July 2026 has no exchange rate."


def test_page_and_text_say_what_the_total_lacks(statement: Statement) -> None:
    for page in (render_html(statement), render_text(statement)):
        assert statement.month.apart_text in page
        assert "1 EUR = 1.0834 USD, ECB" in page
        assert "Rates are those of July 2026, locked when they were first used." in page


def test_a_month_in_which_nothing_has_a_rate_is_told_in_its_own_currencies_and_not_as_zero(
    team: Team, period: Period, shared: SharedFacts
) -> None:
    rows = TeamRows(
        charges(foreign("12.5", "GBP", None, None, 4, **GPU), foreign("-3", "CHF", None, None)), gpus(), charges()
    )
    statement = build_statement(team, period, rows, shared)
    assert statement.month.total_text == "−CHF\xa03.00 +\xa0GBP\xa012.50"
    assert statement.month.apart_text == "July 2026 has no exchange rate for CHF and GBP: nothing could be converted."
    assert statement.month.change_text == "Without an exchange rate there is nothing to compare or to draw."
    assert [text for _, text, _ in statement.month.kinds] == ["−CHF\xa03.00", "GBP\xa012.50", "$0.00"]
    assert cells(table(statement, "currencies"))[-1] == ("Total", "–", "–")


def test_what_has_no_rate_in_the_month_before_is_not_compared_and_said(
    team: Team, period: Period, shared: SharedFacts
) -> None:
    june = {"billing_period": JUNE, "charge_date": JUNE}
    before = charges(charge("50", month=JUNE), foreign("7", "GBP", None, None, **june))
    month = build_statement(team, period, TeamRows(charges(charge("60")), gpus(), before), shared).month
    assert month.change_text == (
        "Up $10.00 (+20.0\u202f%) on June 2026, which cost $50.00. Without a rate and not compared: GBP\xa07.00."
    )
    only = before.filter(before["billing_currency"] == "GBP")
    month = build_statement(team, period, TeamRows(charges(charge("60")), gpus(), only), shared).month
    assert month.change_text.endswith("nothing to compare with. Without a rate and not compared: GBP\xa07.00.")


def test_a_month_in_the_reporting_currency_alone_says_nothing_of_rates(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    statement = build_statement(team, period, rows, shared)
    assert statement.month.apart_text == ""
    assert "currencies" not in {t.name for t in statement.team_tables}


def test_the_company_s_bill_is_one_sum_and_a_team_without_a_rate_costs_no_zero(
    period: Period, mixed: TeamRows, shared: SharedFacts
) -> None:
    ops = foreign("8", "GBP", None, None, team_id="ops", account="team:ops")
    company = replace(mixed, chargeback=mixed.chargeback.vstack(charges(ops)))
    facts = replace(
        shared,
        bill_total=Decimal("316.68"),
        allocated_total=Decimal("316.68"),
        residuals=(),
        without_rate=(("GBP", Decimal("20.5")),),
    )
    teams = (Team("search", "Search", "Product"), Team("ops", "Ops"), Team("quiet", "Quiet"))
    overview = build_overview(teams, period, company, facts)
    by_team, bill, currencies = overview.owed
    assert [(row.label, row.cells, row.note) for row in by_team.rows] == [
        ("Search", ("+$156.68", "$316.68"), "Product · Not in it: GBP\xa012.50, without an exchange rate"),
        ("Ops", ("–", "–"), "Not in it: GBP\xa08.00, without an exchange rate"),
        ("Quiet", ("$0.00", "$0.00"), ""),
    ]
    assert bill.remark == "Not in it: GBP\xa020.50, for which July 2026 has no exchange rate."
    assert cells(currencies)[-2:] == [("GBP", "GBP\xa020.50", "–"), ("Total", "–", "$316.68")]


def test_bills_of_several_currencies_against_the_log_are_told_apart_by_name(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    euro = ReconciliationLine(
        "mistral", Decimal(3), Decimal(2), Decimal(1), causes={"missing_log": Decimal(1)}, currency="EUR"
    )
    statement = build_statement(team, period, rows, replace(shared, reconciliation=(*shared.reconciliation, euro)))
    assert table(statement, "log-eur").title == "Bill against request log, bills in EUR"
    assert table(statement, "log-usd").title == "Bill against request log, bills in USD"
    assert cells(table(statement, "log-eur"))[0] == ("mistral", "EUR\xa03.00", "EUR\xa02.00", "+EUR\xa01.00")
