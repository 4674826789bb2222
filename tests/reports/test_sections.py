"""The sections beside a team's costs that ask for attention: worked out by hand, in the right order, on every page."""

import io
import re
import shlex
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from reports.files import STATEMENT, file_names, statement_files
from reports.given import BESIDE, Period, SharedFacts, StatementError, Team, TeamRows
from reports.mail import mail_message
from reports.render import render_html, render_mail_html, render_text
from reports.statement import Statement, build_statement
from reports.tables import Table
from tests.reports.conftest import charge, charges

JULY = date(2026, 7, 1)
PAGE = "statement-2026-07-search.html"
FORMATS = ("pdf", "xlsx", "parquet")


def bridge(factor: str, amount: str, model: str = "", currency: str = "USD") -> dict[str, Any]:
    return {
        "billing_period": JULY,
        "team_id": "search",
        "billing_currency": currency,
        "factor": factor,
        "model_id": model,
        "change_cost": Decimal(amount),
    }


def saving(lever: str, p10: str | None, order: int, **more: Any) -> dict[str, Any]:
    return {
        "billing_period": JULY,
        "team_id": "search",
        "billing_currency": "USD",
        "lever": lever,
        "lever_order": order,
        "confidence": "A",
        "saving_p10": p10 and Decimal(p10),
        "saving_p50": p10 and Decimal(p10) * 2,
        "saving_p90": p10 and Decimal(p10) * 3,
        "assumption": "Half to all of it.",
        "evidence": "select * from gpu_waste where account = 'team:search'",
        "evidence_row_count": 1,
        **more,
    }


def idle(pod: str, cost: str, gpu: str = "GPU-1", **more: Any) -> dict[str, Any]:
    return {
        "usage_date": date(2026, 7, 31),
        "holder_team_id": "search",
        "cluster": "eu-1",
        "namespace": "search",
        "pod": pod,
        "resource_id": "i-1",
        "gpu_uuid": gpu,
        "gpu_instance_id": "",
        "gpu_model_name": "H100",
        "idle_since": datetime(2026, 7, 30, 6),
        "is_idle_longer": False,
        "idle_seconds": 36_000,
        "idle_cost": Decimal(cost),
        "is_warm_standby": False,
        "is_holder_assumed": False,
        "billing_currency": "USD",
        **more,
    }


def anomaly(excess: str | None, first: int = 12, last: int = 15, **more: Any) -> dict[str, Any]:
    return {
        "anomaly_id": f"{excess}",
        "team_id": "search",
        "model_id": "gpt-5",
        "metric": "cost",
        "onset_date": date(2026, 7, first),
        "last_alarm_date": date(2026, 7, last),
        "state": "resolved",
        "is_alert": True,
        "excess_cost": excess and Decimal(excess),
        "currency": "USD",
        "cause": "runaway_loop",
        "evidence": "one key made 90 % of the calls",
        "runbook": "Stop the key.",
        **more,
    }


FORECAST: dict[str, Any] = {
    "billing_period": JULY,
    "level": "account",
    "metric": "cost",
    "team_id": "search",
    "unit": "USD",
    "settled_date": date(2026, 7, 14),
    "settled_amount": Decimal(500),
    "unsettled_days": 2,
    "month_end_p10": Decimal(900),
    "month_end_p50": Decimal("1100.5"),
    "month_end_p90": Decimal(1400),
    "no_interval_reason": None,
}
WHOLE = (
    bridge("volume", "100.004", "gpt-5"),
    bridge("volume", "50", "claude-sonnet-5"),
    bridge("price", "-50", "gpt-5"),
    bridge("gpu_hours", "99.996"),
)
"""$800.00 in June, $1,000.00 in July."""


@pytest.fixture
def full(rows: TeamRows) -> TeamRows:
    return replace(
        rows,
        bridge=WHOLE,
        savings=(saving("idle_gpus", "40", 4), saving("batch", "5.5", 6, confidence="B")),
        idle=(idle("trainer-0", "120.5"), idle("trainer-0", "30", "GPU-2"), idle("notebook", "200")),
        anomalies=(anomaly("75.25"),),
    )


@pytest.fixture
def statement(team: Team, period: Period, full: TeamRows, shared: SharedFacts) -> Statement:
    return build_statement(team, period, full, shared, file_names(PAGE, FORMATS))


def section(statement: Statement, name: str) -> Table:
    (found,) = [table for table in (*statement.glance, *statement.team_tables) if table.name == name]
    return found


def test_the_factors_add_up_to_the_change_and_name_their_models(statement: Statement) -> None:
    why = section(statement, "why")
    assert [(row.label, *row.cells) for row in why.rows] == [
        ("Number of requests", "+$150.00"),
        ("GPU hours held", "+$100.00"),
        ("Price of the same tokens", "−$50.00"),
    ]
    assert why.total is not None
    assert why.total.cells == ("+$200.00",)
    assert why.rows[0].note.endswith("gpt-5 +$100.00, claude-sonnet-5 +$50.00")
    assert statement.month.change_text.startswith("Up $200.00")


def test_what_the_factors_do_not_hold_is_a_line_and_a_running_month_has_none(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    part = build_statement(team, period, replace(rows, bridge=WHOLE[:2]), shared)
    assert [(row.label, *row.cells) for row in section(part, "why").rows] == [
        ("Number of requests", "+$150.00"),
        ("Not broken down", "+$50.00"),
    ]
    euros = build_statement(team, period, replace(rows, bridge=(*WHOLE[:2], bridge("price", "9", "x", "EUR"))), shared)
    assert section(euros, "why").rows[1].label == "Other currencies"
    open_month = replace(period, state="open", as_of=datetime(2026, 7, 15))
    early = replace(rows, bridge=WHOLE, forecasts=(FORECAST,))
    running = build_statement(team, open_month, early, shared)
    assert "why" not in {table.name for table in running.team_tables}
    (line,) = section(running, "forecast").rows
    assert (line.label, *line.cells) == ("All costs of the team", "$900.00 to $1,400.00", "$1,100.50")
    settled = "Settled up to 14 Jul: $500.00"
    assert line.note == f"{settled}; the 2 days since then are estimated, whatever is told of them so far"
    for days, more in ((1, "; the day since then is estimated, whatever is told of it so far"), (0, "")):
        told = build_statement(
            team, open_month, replace(early, forecasts=({**FORECAST, "unsettled_days": days},)), shared
        )
        assert section(told, "forecast").rows[0].note == settled + more
    assert "forecast" not in {t.name for t in build_statement(team, period, early, shared).team_tables}


def test_the_three_largest_savings_are_told_with_grade_and_evidence(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    given = (
        saving("failed_attempts", "1", 1),
        saving("idle_gpus", "40", 4),
        saving("batch", "5.5", 6, confidence="B"),
        saving("commitments", "7", 8),
        saving("night_tests", None, 2),
        saving("exact_repeats", "0.001", 5),
    )
    table = section(build_statement(team, period, replace(rows, savings=given), shared), "savings")
    assert [(row.label, *row.cells) for row in table.rows] == [
        ("GPUs held idle", "A", "$40.00"),
        ("Commitments for GPUs on demand", "A", "$7.00"),
        ("Bunched jobs at the batch price", "B", "$5.50"),
    ]
    assert table.rows[0].ask == "farthing query \"select * from gpu_waste where account = 'team:search'\""
    assert "Half of the draws reach $80.00, one in ten $120.00." in table.rows[0].note
    none = build_statement(team, period, replace(rows, savings=given[4:]), shared)
    assert "savings" not in {t.name for t in none.team_tables}


def test_idle_gpus_are_told_by_who_holds_them_the_dearest_first(statement: Statement) -> None:
    # as far as `idle_gpu_holders` looks back
    remark = section(statement, "idle-gpus").remark
    assert remark.startswith("Hours are counted from the second day of the month before at the earliest")
    assert [(row.label, *row.cells, row.note) for row in section(statement, "idle-gpus").rows] == [
        ("notebook", "10.0 h", "$200.00", "1 GPU (H100); eu-1, namespace search; since 30 Jul 2026, 06:00 UTC"),
        ("trainer-0", "20.0 h", "$150.50", "2 GPUs (H100); eu-1, namespace search; since 30 Jul 2026, 06:00 UTC"),
    ]


def test_more_than_eight_holders_are_one_line(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> None:
    given = tuple(idle(f"pod-{n}", str(100 - n), is_holder_assumed=n == 0) for n in range(11))
    found = section(build_statement(team, period, replace(rows, idle=given), shared), "idle-gpus").rows
    assert [row.label for row in found][-2:] == ["pod-7", "3 others"]
    assert found[-1].cells == ("30.0 h", "$273.00")  # 92 + 91 + 90
    assert found[0].note.endswith("its holder is assumed")


def test_the_month_s_alerts_are_told_with_cause_and_what_to_do(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    given = (
        anomaly("10", model_id="", cause=None, evidence=None, runbook=None, state="ongoing"),
        anomaly("75.25"),
        anomaly("9", is_alert=False),
        anomaly("8", onset_date=date(2026, 8, 1), last_alarm_date=date(2026, 8, 2)),
        anomaly("7", onset_date=date(2026, 6, 1), last_alarm_date=date(2026, 6, 30)),
    )
    table = section(build_statement(team, period, replace(rows, anomalies=given), shared), "unusual")
    assert [(row.label, *row.cells, row.note) for row in table.rows] == [
        (
            "Cost of gpt-5, 12–15 Jul",
            "+$75.25",
            "A loop that does not end: one key made 90 % of the calls. Stop the key. It is over.",
        ),
        ("Cost, 12–15 Jul", "+$10.00", "No single cause is known. It goes on."),
    ]


def test_the_first_page_says_what_asks_for_attention_and_leads_there(statement: Statement) -> None:
    assert [(row.label, *row.cells, row.link) for row in statement.glance[0].rows] == [
        ("Moved most by: number of requests", "+$150.00", "#why"),
        ("Unusual: cost of gpt-5, 12–15 Jul", "+$75.25", "#unusual"),
        ("Idle GPUs: notebook", "$200.00", "#idle-gpus"),
        ("Could save: GPUs held idle", "$40.00 or more", "#savings"),
    ]
    page = render_html(statement)
    for link in re.findall(r'href="#([^"]+)"', page):
        assert page.count(f'id="{link}"') == 1
    assert page.index("In short") < page.index("<figure>") < page.index("Your team")


def test_every_section_says_how_to_ask_for_what_it_is_made_of(statement: Statement) -> None:
    asked = {row.label: row.ask for row in statement.company_tables[-1].rows}
    assert asked["What moved; Services and models; What it was for; How it got here"] == (
        "farthing explain 2026-07 search"
    )
    assert asked["GPU time"] == "farthing explain gpu_waste --where month=2026-07,team=search"
    assert asked["Why it moved"] == "farthing explain variance_bridge --where month=2026-07,team=search"
    assert asked["Where the bill went"] == "farthing explain 2026-07"
    for page in (render_html(statement), render_text(statement)):
        assert "farthing explain gpu_waste --where month=2026-07,team=search" in page


@pytest.mark.parametrize("team_id", ["a'; drop table x; --", '$(rm -rf ~)"`id`', "a b"])
def test_no_name_ends_a_command_or_a_query(team_id: str, period: Period, rows: TeamRows, shared: SharedFacts) -> None:
    own = replace(rows, chargeback=charges(charge("1", team_id=team_id)), gpu=rows.gpu.clear(), previous=None)
    told = build_statement(Team(team_id, "x"), period, own, shared)
    for row in told.company_tables[-1].rows:
        words = shlex.split(row.ask)
        if words[1] == "query":
            assert len(words) == 3  # one text, whatever is in it
        elif len(words) == 4:
            assert words[:3] == ["farthing", "explain", "2026-07"]
            assert words[3] == team_id
        else:
            assert words[-1] in ("2026-07", "month=2026-07", f"month=2026-07,team={team_id}")


def test_one_number_in_mail_page_text_pdf_workbook_and_parquet(statement: Statement, full: TeamRows) -> None:
    number = statement.number
    assert re.fullmatch(r"2026-07-search-[0-9A-F]{8}", number)
    made = statement_files(statement, full, PAGE, FORMATS)
    mail = mail_message(statement, "a@example.com", ["b@example.com"], "<statement-2026-07-search@example.com>")
    assert mail["X-Farthing-Statement"] == number
    assert pq.read_schema(io.BytesIO(made["statement-2026-07-search.parquet"])).metadata[STATEMENT] == number.encode()
    with zipfile.ZipFile(io.BytesIO(made["statement-2026-07-search.xlsx"])) as book:
        assert f"Statement {number}" in book.read("xl/sharedStrings.xml").decode()
        assert f"Statement {number}" in book.read("docProps/core.xml").decode()
    for page in (render_html(statement), render_text(statement), render_mail_html(statement, "c@farthing")):
        assert f"Statement {number}" in page


def test_a_number_is_of_its_figures(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts, statement: Statement
) -> None:
    def number(given: TeamRows, state: Any = "provisional", who: Team = team) -> str:
        return build_statement(who, replace(period, state=state), given, shared).number

    turned = replace(rows, chargeback=rows.chargeback.reverse())
    assert number(rows) == number(turned) == statement.number
    dearer = replace(rows, chargeback=charges(charge("1000.01")))
    assert number(dearer) != number(rows)
    assert number(rows, "final") == number(rows, "locked") != number(rows)
    assert number(rows, who=replace(team, team_name="Renamed")) == number(rows)


def test_other_adjustments_are_another_number_even_of_one_total(
    team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    """1,010 and 10 credited are 1,000 in all, whichever month the credit is for."""

    def number(amounts: dict[str, date | None]) -> str:
        lines = charges(*(charge(amount) for amount in amounts))
        lines = lines.with_columns(corrected_period=pl.Series(list(amounts.values()), dtype=pl.Date))
        return build_statement(team, period, replace(rows, chargeback=lines), shared).number

    may, june = date(2026, 5, 1), date(2026, 6, 1)
    plain = number({"1000": None})
    assert len({plain, *(number({"1010": None, "-10": month}) for month in (None, may, june))}) == 4


def test_files_are_links_on_the_page_names_in_a_mail_and_links_there_where_they_are_served(
    statement: Statement,
) -> None:
    assert 'href="statement-2026-07-search.pdf"' in render_html(statement)
    mail = render_mail_html(statement, "c@farthing")
    assert "statement-2026-07-search.pdf" in mail
    assert 'href="statement' not in mail
    served = render_mail_html(statement, "c@farthing", "https://reports.example.com/2026-07")
    assert 'href="https://reports.example.com/2026-07/statement-2026-07-search.pdf"' in served


def test_a_mail_stays_below_what_mail_programs_cut_off(statement: Statement) -> None:
    assert len(render_mail_html(statement, "c@farthing").encode()) < 60_000


def test_page_and_text_say_the_same_figures(statement: Statement) -> None:
    figure = re.compile(r"[+−]?\$[\d,]+\.\d\d|[−]?[\d.]+\u202f%|[\d,.]+ h\b")
    page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", render_html(statement), flags=re.DOTALL)
    assert sorted(figure.findall(page)) == sorted(figure.findall(render_text(statement)))


MINE: Mapping[str, Mapping[str, Any]] = {
    "bridge": WHOLE[0],
    "savings": saving("batch", "1", 1),
    "idle": idle("pod", "1"),
    "anomalies": anomaly("1"),
    "forecasts": FORECAST,
}


@pytest.mark.parametrize("name", sorted(MINE))
def test_a_row_of_another_team_is_refused(
    name: str, team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    table, owner = BESIDE[name]
    for stranger in ("chat", None):
        given: Any = {name: ({**MINE[name]}, {**MINE[name], owner: stranger})}
        with pytest.raises(StatementError, match=f"1 of 2 {table} rows"):
            build_statement(team, period, replace(rows, **given), shared)


HOSTILE = ("<script>alert(1)</script>", "=cmd|'/c calc'!A1", "a\r\nBcc: thief@example.com", "#let x = 1; *b* $1^2$")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_of_the_new_sections_are_text_everywhere(
    name: str, team: Team, period: Period, rows: TeamRows, shared: SharedFacts
) -> None:
    given = replace(
        rows,
        bridge=(bridge("volume", "200", name),),
        savings=(saving("batch", "2", 1, evidence=name, assumption=name),),
        idle=(idle(name, "3", cluster=name, namespace=name, gpu_model_name=name),),
        anomalies=(anomaly("4", model_id=name, evidence=name, runbook=name),),
    )
    statement = build_statement(team, period, given, shared, file_names(PAGE, FORMATS))
    for page in (render_html(statement), render_mail_html(statement, "c@farthing")):
        assert "<script" not in page
    assert "Bcc" not in [line.split(":")[0] for line in render_text(statement).splitlines()]
    made = statement_files(statement, given, PAGE, FORMATS)
    with zipfile.ZipFile(io.BytesIO(made["statement-2026-07-search.xlsx"])) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
        assert b"hyperlink" not in book.read("xl/worksheets/sheet1.xml")
    assert made["statement-2026-07-search.pdf"].startswith(b"%PDF-")
