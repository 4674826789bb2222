"""What came back to the sender's mailbox: told by the night and beside what was sent, and nothing is changed by it."""

import mailbox
from email import message_from_string
from email.message import EmailMessage
from pathlib import Path

import pytest
from obstore.exceptions import GenericError
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.house import open_house
from pipelines.night.bounces import CameBack, came_back
from pipelines.night.posting import outbox_of
from reports.outbox import Outbox
from tests.pipelines.small_company import write_company
from tests.reports.test_bounces import MESSAGE_ID, POSTFIX, RAISED, TWO_RECIPIENTS

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
def test_whom_a_statement_did_not_reach_is_told_once_and_the_mailbox_stays_as_it_is(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    read: list[Outbox] = []
    own = Outbox.entries
    monkeypatch.setattr(Outbox, "entries", lambda box: read.append(box) or own(box))
    shown = CliRunner().invoke(app, ["outbox", "-c", str(config)], env={"COLUMNS": "200"})
    assert (shown.exit_code, len(read)) == (3, 1)  # the outbox grows with every mail: it is read once
    assert f"{name}: sent, message id {MESSAGE_ID}" in shown.output
    assert "  came back: full@example.org: 5.2.2" in shown.output
    assert "  delayed, and still tried: slow@example.org: 4.4.1, connection timed out" in shown.output
    assert "2 came back; 1 of other mails, 1 mails that are no report: read those there" in shown.output


def test_a_mailbox_that_is_not_there_is_a_problem_and_none_at_all_is_not(tmp_path: Path) -> None:
    config = company(tmp_path, "nowhere")
    (line,) = found(config).lines()
    assert line.startswith("mail.bounces: ")
    assert line.endswith("nowhere is not there; let the mail server deliver there, or leave the setting out")
    (tmp_path / "quiet").mkdir()
    assert found(company(tmp_path / "quiet", None)) == CameBack()


@pytest.mark.parametrize("kind", ["maildir", "mbox", "folder"])
def test_mails_that_cannot_be_parsed_and_large_ones_hide_no_other(kind: str, tmp_path: Path) -> None:
    config, box = company(tmp_path, "box"), tmp_path / "box"
    large = POSTFIX.encode().replace(
        b"The statement.", b"The statement.\n" * (200_000 if kind == "mbox" else 5_000_000)
    )
    mails = (*RAISED, large)
    if kind == "folder":
        box.mkdir()
        for number, mail in enumerate(mails):
            (box / f"{number}.eml").write_bytes(mail)
    else:
        made = mailbox.Maildir(box) if kind == "maildir" else mailbox.mbox(box)
        for mail in mails:
            made.add(mail)
        made.close()
    back = found(config)
    assert ([bounce.recipient for _, bounce in back.bounces], back.unread) == (["gone@example.org"], 2)
    assert not back.problem


def test_the_outbox_is_asked_only_where_a_report_lies_and_its_error_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, box = company(tmp_path, "box"), tmp_path / "box"

    def fails(_: Outbox) -> None:
        raise error

    monkeypatch.setattr(Outbox, "entries", fails)
    box.mkdir()
    (box / "1.eml").write_text(ANSWER)
    error: Exception = PermissionError("no")
    assert found(config) == CameBack(unread=1)
    (box / "2.eml").write_text(POSTFIX)
    for error in (PermissionError("no"), GenericError("no answer")):  # a folder's, and an object store's
        back = found(config)
        assert back.problem == (
            f"mail.bounces: 1 reports lie in {box}, and the outbox cannot be read ({type(error).__name__}: {error}); "
            "nobody knows whose they are: look at them there, and check that the lake can be read"
        )
        assert (back.unread, back.lines()) == (1, (back.problem,))


def test_what_is_no_mailbox_costs_the_night_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = company(tmp_path, "box")
    (tmp_path / "box").write_bytes(b"")

    def fails(*_: object, **__: object) -> None:
        raise mailbox.FormatError("odd")

    monkeypatch.setattr(mailbox, "mbox", fails)
    (line,) = found(config).lines()
    assert line.endswith("box cannot be read (FormatError: odd); look whether it is a mailbox")


def test_a_claim_cut_short_is_matched_by_no_report(tmp_path: Path) -> None:
    config, box = company(tmp_path, "box"), tmp_path / "box"
    for receipt in (tmp_path / "lake" / "outbox").rglob("*.sen*"):
        receipt.write_bytes(b"{")
    box.mkdir()
    (box / "1.eml").write_text(POSTFIX.replace(MESSAGE_ID, "unknown"))
    back = found(config)
    assert (back.bounces, back.unknown) == ((), 1)


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
