"""Two hundred teams, each with a word of its own in every text of every table: no statement holds another's."""

import io
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from pypdf import PdfReader

from contracts import contract
from models.frames import frame_of
from pipelines.night.snapshot import PeriodView
from reports.files import file_names, statement_files
from reports.given import BESIDE, Period, SharedFacts, Team
from reports.mail import mail_message
from reports.render import render_html
from reports.statement import Statement, build_statement
from tests.sql.golden import filled

MONTH = date(2026, 10, 1)
TEAMS = [f"t{n:03}" for n in range(200)]
CANARY = re.compile(r"canary-(t\d{3})")
_OWN: dict[str, dict[str, Any]] = {
    "chargeback": {"billing_period": MONTH, "charge_date": MONTH, "cost_kind": "gpu", "rule_kind": "direct"},
    "gpu_waste": {"billing_period": MONTH, "charge_date": MONTH, "gpu_state": "allocated_idle", "gpu_seconds": 3600},
    "unit_costs": {"period_kind": "month", "period_start": MONTH, "level": "team", "trace_count": 1, "route": ""},
    "request_costs": {"billing_period": MONTH, "level": "team", "request_count": 1, "route": ""},
    "budget_status": {"billing_period": MONTH, "budget_amount": "10", "spent_amount": "1", "remaining_amount": "9"},
    "variance_bridge": {"billing_period": MONTH, "factor": "volume", "change_cost": "1"},
    "chargeback_by_customer": {"billing_period": MONTH, "naming": "customer", "user_hash": ""},
    "savings": {"billing_period": MONTH, "lever": "idle_gpus", "saving_p10": "1", "saving_p50": "1", "saving_p90": "1"},
    "idle_gpu_holders": {"usage_date": MONTH, "idle_since": datetime(2026, 10, 1), "idle_cost": "1"},
    "anomalies": {"onset_date": MONTH, "last_alarm_date": MONTH, "metric": "cost", "is_alert": True, "state": "new"},
    "forecasts": {"billing_period": MONTH, "level": "account", "metric": "cost", "month_end_p50": "1"},
}
_CLOSED = {"billing_currency": "USD", "reporting_currency": "USD", "unit": "USD", "currency": "USD"}


def rows_of(table: str, owner: str = "team_id") -> pl.DataFrame:
    """One row a team; every text that nothing else fills is the team's own word."""
    told = {column.name for column in contract(table).columns if column.type == "string" and not column.values}
    rows: list[dict[str, Any]] = []
    for team in TEAMS:
        texts = dict.fromkeys(told, f"canary-{team}") | {k: v for k, v in _CLOSED.items() if k in told}
        fixed = {"account": f"team:{team}", "cause": None, "reason": None, "period_state": "final"}
        money = {"effective_cost": "1", "reporting_effective_cost": "1", "exchange_rate": "1"}
        own = {k: v for k, v in {**fixed, **money}.items() if k in contract(table).arrow_schema().names}
        rows.append(texts | own | _OWN[table] | {owner: team})
    return frame_of(filled(table, rows))


@pytest.fixture(scope="module")
def view() -> PeriodView:
    def nothing(table: str) -> pl.DataFrame:
        return frame_of(contract(table).arrow_schema().empty_table())

    whole = rows_of("request_costs")  # a feature of it has the words
    requests = pl.concat([whole, whole.with_columns(level=pl.lit("all"), route=pl.lit("api"))])
    return PeriodView(
        period=MONTH,
        number=1,
        chargeback=rows_of("chargeback"),
        previous=rows_of("chargeback").with_columns(billing_period=date(2026, 9, 1)),
        gpu=rows_of("gpu_waste"),
        reconciliation=nothing("reconciliation_summary"),
        causes=nothing("reconciliation_by_cause"),
        freshness=nothing("freshness"),
        restatements=nothing("restatements"),
        customers=rows_of("chargeback_by_customer"),
        beside={table: rows_of(table, owner) for table, owner in BESIDE.values()} | {"request_costs": requests},
    )


def statement_of(view: PeriodView, team: str) -> Statement:
    facts = SharedFacts("Example Ltd", "USD", Decimal(200), Decimal(200))
    period = Period(MONTH, "final", datetime(2026, 11, 3))
    names = file_names(f"statement-{team}.html", ("pdf", "xlsx", "parquet"), has_customers=True)
    return build_statement(Team(team, f"canary-{team}"), period, view.team_rows(team), facts, names)


def test_no_statement_of_two_hundred_holds_a_word_of_another(view: PeriodView) -> None:
    sections: set[str] = set()
    for team in TEAMS:
        statement = statement_of(view, team)
        assert set(CANARY.findall(repr(statement))) == {team}
        assert set(CANARY.findall(repr(view.team_rows(team)))) == {team}
        sections |= {table.name for table in statement.team_tables if CANARY.search(repr(table))}
    # the words are there to be found: a section without any would prove nothing
    assert {
        "services",
        "features",
        "outcomes",
        "requests",
        "customers",
        "budgets",
        "idle-gpus",
        "unusual",
        "savings",
        "why",
    } <= sections


@pytest.mark.parametrize("team", [TEAMS[0], TEAMS[199]])
def test_nor_do_the_files_and_the_mail_that_are_made_of_it(view: PeriodView, team: str) -> None:
    statement, rows = statement_of(view, team), view.team_rows(team)
    files = statement_files(statement, rows, f"statement-{team}.html", ("pdf", "xlsx", "parquet"))
    pages = PdfReader(io.BytesIO(files[f"statement-{team}.pdf"])).pages
    pdf = "".join("".join(page.extract_text().split()) for page in pages)  # a word may be broken at a line's end
    with zipfile.ZipFile(io.BytesIO(files[f"statement-{team}.xlsx"])) as book:
        texts = "".join(book.read(part).decode() for part in book.namelist())
    ends = ("parquet", "customers.parquet")
    parquets = [pl.read_parquet(io.BytesIO(files[f"statement-{team}.{end}"])).write_csv() for end in ends]
    mail = mail_message(statement, "a@example.com", ["b@example.com"], f"<{team}@example.com>")
    bodies = [mail.get_body((kind,)) for kind in ("html", "plain")]
    for told in (pdf, texts, *parquets, render_html(statement), *(body.get_content() for body in bodies if body)):
        assert set(CANARY.findall(told)) == {team}
