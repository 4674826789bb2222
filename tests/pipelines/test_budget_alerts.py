"""Thresholds of budgets are told once a month each, to the right people, and never by a dry run."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.house import House, open_house
from pipelines.night import budget_alerts
from pipelines.night.budget_alerts import deliver_alerts
from reports.budget_lines import budget_lines
from tests.pipelines.conftest import night
from tests.pipelines.mailbox import Mailbox
from tests.pipelines.small_company import DAY, write_company
from tests.sql.golden import filled

MONTH = date(2026, 10, 1)
SETTINGS = """\
budgets:
  - {{id: all, amount: 20, recipients: [finance@example.com]}}
  - {{id: search, team: search, amount: 1000}}
mail: {{from: farthing@example.com, host: 127.0.0.1, port: {port}, security: none}}
"""
ROW = {
    "billing_period": MONTH,
    "budget_id": "all",
    "metric": "cost",
    "account": "",
    "provider_name": "",
    "model_id": "",
    "feature": "",
    "outcome_kind": "",
    "business_unit": "",
    "unit": "USD",
    "budget_amount": "20",
    "spent_amount": "10.50",
    "settled_date": date(2026, 10, 14),
    "settled_amount": "10",
    "expected_amount": "9.03",
    "remaining_amount": "9.50",
    "spent_ratio": "0.525",
    "spent_threshold": "0.5",
    "is_current": True,
    "is_provisional": True,
    "no_chance_reason": "too young",
}


def row(**changes: Any) -> dict[str, Any]:
    (found,) = filled("budget_status", [ROW | changes]).to_pylist()
    return found


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as box:
        yield box


@pytest.fixture
def house(tmp_path: Path, mailbox: Mailbox) -> Iterator[House]:
    file = company(tmp_path, mailbox)
    with open_house(file, "run", clock=lambda: datetime(2026, 10, 17, 5)) as opened:
        yield opened


def company(folder: Path, mailbox: Mailbox) -> Path:
    file = write_company(folder)
    file.write_text(file.read_text() + SETTINGS.format(port=mailbox.port))
    return file


def told(house: House, monkeypatch: pytest.MonkeyPatch, *rows: dict[str, Any], **kwargs: Any) -> budget_alerts.Alerted:
    monkeypatch.setattr(budget_alerts, "status_rows", lambda _: list(rows))
    return deliver_alerts(house, **kwargs)


def test_a_threshold_is_told_once_and_the_next_one_again(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(house, monkeypatch, row()).sent == 1
    assert told(house, monkeypatch, row(spent_amount="11")).due == ()
    assert told(house, monkeypatch, row(spent_threshold="0.8", spent_ratio="0.81")).sent == 1
    # a credit comes: half is no news to who was told of four fifths
    assert told(house, monkeypatch, row(spent_threshold="0.5")).due == ()
    subjects = [message["Subject"] for message in mailbox.messages]
    assert [subject.replace("\N{NARROW NO-BREAK SPACE}", " ") for subject in subjects] == [
        "Budget all: 52.5 % of $20.00 spent in October 2026",
        "Budget all: 81.0 % of $20.00 spent in October 2026",
    ]
    # the next month begins anew
    assert told(house, monkeypatch, row(billing_period=date(2026, 11, 1))).sent == 1


def test_who_jumps_over_a_threshold_is_told_of_the_highest(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumped = row(
        spent_threshold="1", spent_ratio="1.2", remaining_amount="-4", breach_chance="1", breach_threshold="0.8"
    )
    outcome = told(house, monkeypatch, jumped)
    assert [(alert.kind, alert.threshold) for alert in outcome.due] == [("spent", Decimal(1))]
    assert told(house, monkeypatch, row(spent_threshold="0.8")).due == ()
    assert len(mailbox.messages) == 1


def test_a_likely_breach_and_a_burn_are_each_told(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = row(
        spent_threshold=None,
        breach_chance="0.68",
        breach_threshold="0.5",
        no_chance_reason=None,
        is_burning=True,
        burn_one_day="3.2",
        burn_seven_days="1.6",
        month_end_p10="18",
        month_end_p50="21",
        month_end_p90="25",
    )
    assert told(house, monkeypatch, both).sent == 2
    assert told(house, monkeypatch, both).sent == 0
    body = mailbox.messages[0].get_content()
    assert "October 2026 ends above $20.00 with a chance of 68.0" in body
    assert "$21.00, $18.00 to $25.00 in eight of ten cases" in body
    assert "provisional: settled up to 14 Oct, of what is spent $0.50 on days that may still change" in body


def test_a_budget_that_went_to_another_team_is_told_to_the_team_of_its_month(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries of one id may be of several teams, one after the other: a month's figures are its own team's alone."""
    rows = [
        row(budget_id="shared", account="team:search", team_id="search"),
        row(budget_id="shared", account="team:support", team_id="support", billing_period=date(2026, 11, 1)),
        row(),
    ]
    house.file.write_text(
        house.file.read_text().replace(
            "  - {id: all,",
            "  - {id: shared, team: search, feature: chat, amount: 5, to: 2026-11-01}\n"
            "  - {id: shared, team: support, feature: chat, amount: 5, from: 2026-11-01}\n  - {id: all,",
        )
    )
    monkeypatch.setattr(budget_alerts, "status_rows", lambda _: rows)
    with open_house(house.file, "look", clock=house.clock, writing=False) as reopened:
        notices = budget_alerts.due_budget_notices(reopened)
    assert [(notice.key, notice.team_id) for notice in notices] == [
        ("notice/2026-10/budget/shared/spent-0.5", "search"),
        ("notice/2026-11/budget/shared/spent-0.5", "support"),
        ("notice/2026-10/budget/all/spent-0.5", None),
    ]


def test_a_dry_run_tells_nobody(house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = told(house, monkeypatch, row(), dry_run=True)
    assert ([alert.budget_id for alert in outcome.due], outcome.sent) == (["all"], 0)
    assert mailbox.messages == []
    assert told(house, monkeypatch, row()).sent == 1


def test_a_budget_without_recipients_is_a_problem(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    of_team = row(budget_id="search", team_id="search", account="team:search")
    (problem,) = told(house, monkeypatch, of_team).problems
    assert "it has no recipients" in problem
    assert told(house, monkeypatch, row(is_current=False)).due == ()


def test_a_server_that_is_down_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mailbox() as down:
        file = company(tmp_path, down)
    with open_house(file, "run", clock=lambda: datetime(2026, 10, 17, 5)) as house:
        assert "not sent" in told(house, monkeypatch, row()).problems[0]
        assert len(told(house, monkeypatch, row(), dry_run=True).due) == 1


def test_a_statement_s_lines_are_of_its_team_and_month() -> None:
    rows = [row(), row(budget_id="b", team_id="search"), row(budget_id="a", team_id="search")]
    assert [line.budget_id for line in budget_lines(rows, MONTH, "search")] == ["a", "b"]
    assert budget_lines(rows, date(2026, 9, 1)) == []
    (line,) = budget_lines([row(team_id="search", feature="bot", unconverted_currencies="EUR")], MONTH)
    assert (line.of_what, line.budget, line.remaining) == ("team search, feature bot", "$20.00", "$9.50")
    assert line.spent.endswith("without costs in EUR, for which there is no rate")
    assert line.chance == "not known: too young"
    tokens = row(unit="tokens", budget_amount="5000000")
    assert budget_lines([tokens], MONTH)[0].budget == "5,000,000 tokens"


def test_a_night_tells_and_the_command_shows(tmp_path: Path, mailbox: Mailbox) -> None:
    file = company(tmp_path, mailbox)
    ended = night(file, DAY)
    assert ended.result.published
    assert "1 of 1 budget thresholds told" in ended.told.summaries["mail"]
    # 10.50 and 2 of 20
    (mail,) = [message for message in mailbox.messages if message["To"] == "finance@example.com"]
    assert "62.5" in mail["Subject"]
    shown = CliRunner().invoke(app, ["budgets", "-c", str(file), "--dry-run"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Budgets of October 2026" in shown.output
    assert "$12.50 (62.5" in shown.output
    assert "0 due" in shown.output
