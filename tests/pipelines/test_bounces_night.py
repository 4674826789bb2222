"""What came back to the sender's mailbox: told by the night and beside what was sent, and nothing is changed by it."""

import mailbox
from email import message_from_string
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.house import open_house
from pipelines.night.bounces import CameBack, came_back
from pipelines.night.posting import outbox_of
from tests.pipelines.small_company import write_company
from tests.reports.test_bounces import MESSAGE_ID, POSTFIX, TWO_RECIPIENTS

KEY = "2026-10/search/final"
OTHER = POSTFIX.replace(MESSAGE_ID, "<newsletter-7@example.com>")
ANSWER = "From: ada@example.org\n\nThank you.\n"
MAIL = "mail: {{from: farthing@example.com, host: 127.0.0.1, port: 25, security: none{}}}\n"


def company(folder: Path, box: str | None) -> Path:
    """A company that sent one statement, and whose sender's mail is delivered to `box`."""
    config = write_company(folder)
    config.write_text(config.read_text("utf-8") + MAIL.format(f", bounces: {box}" if box else ""), "utf-8")
    message = EmailMessage()
    message["Message-ID"] = MESSAGE_ID
    with open_house(config, "sent") as house:
        outbox_of(house).send_once(KEY, message, lambda _: {})
    return config


def found(config: Path) -> CameBack:
    with open_house(config, "look", writing=False) as house:
        return came_back(house)


def delivered(folder: Path, kind: str) -> list[Path]:
    """The mails in a box of that kind, and the files that it is made of."""
    box = folder / "box"
    mails = (POSTFIX, POSTFIX, TWO_RECIPIENTS, OTHER, ANSWER)
    if kind == "folder":
        box.mkdir()
        for number, mail in enumerate(mails):
            (box / f"{number}.eml").write_text(mail)
        (box / "notes.txt").write_text(POSTFIX)
    else:
        made = mailbox.Maildir(box) if kind == "maildir" else mailbox.mbox(box)
        for mail in mails:
            made.add(message_from_string(mail))
        made.close()
    return sorted(file for file in (box.rglob("*") if box.is_dir() else [box]) if file.is_file())


@pytest.mark.parametrize("kind", ["maildir", "mbox", "folder"])
def test_whom_a_statement_did_not_reach_is_told_once_and_the_mailbox_stays_as_it_is(kind: str, tmp_path: Path) -> None:
    config = company(tmp_path, "box")
    files = delivered(tmp_path, kind)
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    back = found(config)
    name = back.bounces[0][0]
    assert back.lines() == (
        f"{name}: came back from gone@example.org: 5.1.1, 550 5.1.1 <gone@example.org>: Recipient address rejected",
        f"{name}: came back from full@example.org: 5.2.2",
    )
    assert (back.unknown, back.unread, back.problem) == (1, 1, "")
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files} == before

    shown = CliRunner().invoke(app, ["outbox", "-c", str(config)], env={"COLUMNS": "200"})
    assert shown.exit_code == 3
    assert f"{name}: sent, message id {MESSAGE_ID}" in shown.output
    assert "  came back: full@example.org: 5.2.2" in shown.output
    assert "  delayed, and still tried: slow@example.org: 4.4.1, connection timed out" in shown.output
    assert "3 came back; 1 of other mails, 1 mails that are no report: read those there" in shown.output


def test_a_mailbox_that_is_not_there_is_a_problem_and_none_at_all_is_not(tmp_path: Path) -> None:
    config = company(tmp_path, "nowhere")
    (line,) = found(config).lines()
    assert line.startswith("mail.bounces: ")
    assert line.endswith("nowhere is not there; let the mail server deliver there, or leave the setting out")
    (tmp_path / "quiet").mkdir()
    assert found(company(tmp_path / "quiet", None)) == CameBack()


def test_the_night_s_delivery_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import date
    from types import SimpleNamespace

    from pipelines.night import delivery
    from pipelines.night.delivery import Delivered, deliver

    monkeypatch.setattr(delivery, "deliver_period", lambda *_, **__: Delivered(sent=2))
    monkeypatch.setattr(delivery, "came_back", lambda _: CameBack(problem="mail.bounces: it is not there"))
    months = SimpleNamespace(months=lambda _: [])
    house = SimpleNamespace(lake=SimpleNamespace(published=lambda: months))
    done = deliver(house, date(2026, 11, 2))  # type: ignore[arg-type]  # all of a house that this asks for
    assert done == Delivered(sent=2, problems=("mail.bounces: it is not there",))
