"""A statement of which something cannot be rendered: it is named, and no other team goes without its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest
from obstore.store import LocalStore

from pipelines.config.schema import Team as TeamEntry
from pipelines.house import House
from pipelines.night import delivery, statements
from pipelines.night.delivery import deliver_period
from pipelines.night.editions import Edition
from pipelines.night.snapshot import PeriodView
from pipelines.night.statements import render_period
from reports import files as files_module
from reports.given import Period, SharedFacts, StatementError, TeamRows
from reports.outbox import Outbox
from tests.pipelines.test_statement_leaks import MONTH, rows_of, view

__all__ = ["view"]
FORMATS = ("pdf", "xlsx", "parquet")
TEAMS = ("t000", "t001", "t002")


@pytest.fixture
def house(view: PeriodView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three teams' month, one dollar each."""
    facts = SharedFacts("Example Ltd", "USD", Decimal(3), Decimal(3))
    mine = pl.col("team_id").is_in(TEAMS)
    few = replace(view, **{name: getattr(view, name).filter(mine) for name in ("chargeback", "previous", "gpu")})
    edition = Edition(few, Period(MONTH, "final", datetime(2026, 11, 3)), facts, FORMATS)
    monkeypatch.setattr(statements, "edition_of", lambda *_: edition)
    monkeypatch.setattr(statements, "with_customers", lambda _, edition: edition)
    monkeypatch.setattr(statements, "kept_of", lambda *_: None)
    monkeypatch.setattr(statements, "idle_rules", lambda _: ())
    teams = [TeamEntry(id=team, name=f"Team {team}") for team in TEAMS]
    return SimpleNamespace(config=SimpleNamespace(teams=teams), reports_directory=tmp_path)


def files(folder: Path, team: str) -> set[str]:
    return {"".join(file.suffixes) for file in (folder / "2026-10").glob(f"statement-2026-10-{team}.*")}


def test_a_pdf_that_cannot_be_set_stops_no_other_file(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(*_: object, sys_inputs: dict[str, str], **__: object) -> bytes:
        if "Team t001" in sys_inputs["statement"]:
            raise RuntimeError("no such glyph")
        return b"%PDF-"

    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-of-a-night-before")
    assert render_period(house, MONTH).problems == ()
    monkeypatch.setattr("typst.compile", compiled)
    rendered = render_period(house, MONTH)
    (problem,) = rendered.problems
    assert problem.startswith(
        "October 2026, t001: the PDF of Team t001 cannot be typeset (RuntimeError: no such glyph)"
    )
    assert rendered.count == 3
    whole = {".html", ".txt", ".pdf", ".xlsx", ".parquet", ".parquet.sha256"}
    whole |= {".customers.parquet", ".customers.parquet.sha256"}
    assert (files(tmp_path, "t000"), files(tmp_path, "t002")) == (whole, whole)
    assert files(tmp_path, "t001") == whole - {".pdf"}
    assert (tmp_path / "2026-10" / "index.html").exists()
    # a PDF of the night before would have other figures than the page beside it: it is gone, and named by no form
    folder = tmp_path / "2026-10"
    assert "t000.pdf" in (folder / "statement-2026-10-t000.html").read_text()
    assert "t001.pdf" not in (folder / "statement-2026-10-t001.html").read_text()
    assert "t001.pdf" not in (folder / "statement-2026-10-t001.txt").read_text()
    with ZipFile(folder / "statement-2026-10-t001.xlsx") as book:
        assert b"t001.pdf" not in book.read("xl/sharedStrings.xml")


@pytest.mark.parametrize(("maker", "kind"), [("render_workbook", "xlsx"), ("rows_file", "parquet")])
def test_a_file_whose_writer_breaks_down_stops_no_other_file(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maker: str, kind: str
) -> None:
    """Whatever a library raises: of the one team's file it is told with the remedy, the rest is there."""
    made: Callable[..., bytes] = getattr(files_module, maker)

    def broken(*given: Any) -> bytes:
        if "t001" in repr(given):
            raise OverflowError("too many\nrows")
        return made(*given)

    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    monkeypatch.setattr(files_module, maker, broken)
    (problem,) = render_period(house, MONTH).problems
    assert problem.startswith(
        f"October 2026, t001: the {kind} file of Team t001 cannot be made (OverflowError: too many"
    )
    assert f"leave '{kind}' out of `reports`" in problem
    assert (f".{kind}" in files(tmp_path, "t000"), f".{kind}" in files(tmp_path, "t001")) == (True, False)
    assert {".html", ".txt", ".pdf"} < files(tmp_path, "t001")
    assert f"t001.{kind}" not in (tmp_path / "2026-10" / "statement-2026-10-t001.html").read_text()


def test_rows_of_a_stranger_keep_one_statement_back_and_no_other(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = PeriodView.team_rows

    def mixed(self: PeriodView, team_id: str) -> TeamRows:
        rows = own(self, team_id)
        return TeamRows(rows_of("chargeback"), rows.gpu) if team_id == "t001" else rows

    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    render_period(house, MONTH)
    assert "t001.html" in (tmp_path / "2026-10" / "index.html").read_text()
    monkeypatch.setattr(PeriodView, "team_rows", mixed)
    rendered = render_period(house, MONTH)
    (problem,) = rendered.problems
    assert problem.startswith("October 2026, t001: 199 of 200 chargeback rows belong to")
    assert files(tmp_path, "t001") == set()  # nor what the render before had written
    index = (tmp_path / "2026-10" / "index.html").read_text()
    assert ("t000.html" in index, "t001.html" in index, "Team t001" in index) == (True, False, True)
    assert rendered.count == 2


def test_an_overview_that_cannot_be_made_keeps_no_statement_from_anybody(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a month with costs of a team that was taken out of the file since."""
    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    render_period(house, MONTH)
    monkeypatch.setattr(house.config, "teams", house.config.teams[:2])
    rendered = render_period(house, MONTH)
    (problem,) = rendered.problems
    assert problem.startswith("October 2026, index.html: the rows name 't002', which is not among the teams")
    assert (rendered.count, rendered.index) == (2, str(tmp_path / "2026-10"))
    assert not (tmp_path / "2026-10" / "index.html").exists()
    assert ".pdf" in files(tmp_path, "t000")


def test_a_locked_month_is_kept_only_when_it_is_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    monkeypatch.setattr(statements, "keep", lambda *given: kept.append(given))
    monkeypatch.setattr(statements, "_mails", lambda *_: {})
    monkeypatch.setattr(PeriodView, "state", property(lambda _: "locked"))
    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    assert (render_period(house, MONTH).problems, len(kept)) == ((), 1)

    def refused(*_: object) -> dict[str, bytes]:
        raise StatementError("the PDF of Team t001 cannot be typeset")

    monkeypatch.setattr(statements, "_mails", refused)
    assert render_period(house, MONTH).problems == (
        "October 2026 is locked and its statements are not kept yet: the PDF of Team t001 cannot be typeset",
    )
    assert len(kept) == 1


@pytest.fixture
def mailed(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same month, mailed with its PDF and workbook attached; what went out by the team it went to."""
    out: dict[str, EmailMessage] = {}

    def transport(ready: EmailMessage) -> dict[str, str]:
        out[str(ready["To"]).partition("@")[0]] = ready
        return {}

    monkeypatch.setattr(delivery, "has_mails", lambda *_: False)
    monkeypatch.setattr(delivery, "edition_of", statements.edition_of)
    monkeypatch.setattr(delivery, "with_customers", statements.with_customers)
    monkeypatch.setattr(delivery, "outbox_of", lambda _: Outbox(LocalStore(tmp_path), str(tmp_path)))
    monkeypatch.setattr(delivery, "mail_transport", lambda _: transport)
    config: Any = house.config
    config.mail = SimpleNamespace(sender="farthing@example.com")
    config.reports = SimpleNamespace(attached=("xlsx", "pdf"), url="https://reports.example.com/ai")
    config.teams = [TeamEntry(id=team, name=f"Team {team}", recipients=(f"{team}@example.com",)) for team in TEAMS]
    return SimpleNamespace(house=house, out=out)


def attached(mail: EmailMessage) -> dict[str, bytes]:
    return {str(part.get_filename()): part.get_content() for part in mail.iter_attachments()}


def body(mail: EmailMessage, kind: str) -> str:
    """The mail's text, or its page, as its reader gets it."""
    part = mail.get_body((kind,))
    assert part is not None
    return " ".join(str(part.get_content()).split())


def refused_for(team: str) -> Callable[..., bytes]:
    def compiled(*_: object, sys_inputs: dict[str, str], **__: object) -> bytes:
        if f"Team {team}" in sys_inputs["statement"]:
            raise RuntimeError("no such glyph")
        return b"%PDF-"

    return compiled


LACKING = "statement-2026-10-t001.pdf"
REASON = "t001: its mail says that a form is missing, and is not sent again: the PDF of Team t001 cannot be typeset"


def test_a_form_that_cannot_be_attached_is_named_in_the_mail_that_goes_without_it(
    mailed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typst.compile", refused_for("t001"))
    found = deliver_period(mailed.house, MONTH)
    assert (found.sent, sorted(mailed.out)) == (3, list(TEAMS))
    (problem,) = found.problems
    assert problem.startswith(REASON)
    whole, without = mailed.out["t000"], mailed.out["t001"]
    assert list(attached(whole)) == ["statement-2026-10-t000.xlsx", "statement-2026-10-t000.pdf"]
    assert list(attached(without)) == ["statement-2026-10-t001.xlsx"]
    for kind in ("plain", "html"):
        assert "could not be made" not in body(whole, kind)
        assert LACKING in body(without, kind)
        assert "PDF: could not be made" in body(without, kind)
        assert "neither in the folder nor with the mail." in body(without, kind)
        assert "It says what this statement says: ask for it by the statement's number" in body(without, kind).replace(
            "&#39;", "'"
        )
        assert "glyph" not in body(without, kind)  # what went wrong is for operators
    assert 'href="https://reports.example.com/ai/2026-10/statement-2026-10-t000.pdf"' in body(whole, "html")
    assert f'/{LACKING}"' not in body(without, "html")
    with ZipFile(BytesIO(attached(without)["statement-2026-10-t001.xlsx"])) as book:
        assert b"PDF: could not be made" in book.read("xl/sharedStrings.xml")


def test_a_form_in_the_folder_alone_is_linked_by_no_mail_where_it_is_missing(
    mailed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typst.compile", refused_for("t001"))
    monkeypatch.setattr(mailed.house.config.reports, "attached", ("xlsx",))
    found = deliver_period(mailed.house, MONTH)
    assert found.sent == 3
    assert [problem.startswith(REASON) for problem in found.problems] == [True]
    assert 'href="https://reports.example.com/ai/2026-10/statement-2026-10-t000.pdf"' in body(
        mailed.out["t000"], "html"
    )
    assert f'/{LACKING}"' not in body(mailed.out["t001"], "html")
    assert "PDF: could not be made" in body(mailed.out["t001"], "plain")


def test_a_mail_of_which_nothing_is_missing_is_that_of_the_page(mailed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its text is the page's twin and its files are the folder's, to the byte; that of customers stays there."""
    monkeypatch.setattr("typst.compile", lambda *_, **__: b"%PDF-")
    monkeypatch.setattr(mailed.house.config.reports, "attached", FORMATS)
    render_period(mailed.house, MONTH)
    assert deliver_period(mailed.house, MONTH).problems == ()
    folder = mailed.house.reports_directory / "2026-10"
    for team in TEAMS:
        twin = (folder / f"statement-2026-10-{team}.txt").read_text()
        assert body(mailed.out[team], "plain") == " ".join(twin.split())
        names = [f"statement-2026-10-{team}.{end}" for end in (*FORMATS, "parquet.sha256")]
        assert attached(mailed.out[team]) == {name: (folder / name).read_bytes() for name in names}
        assert "What was for whom, as Parquet: in the folder alone" in twin


def test_a_mail_that_lacks_a_form_is_not_kept_of_a_locked_month(mailed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a form that is attached and does not lie in the folder."""
    kept: list[object] = []
    monkeypatch.setattr(statements, "keep", lambda *given: kept.append(given))
    monkeypatch.setattr(PeriodView, "state", property(lambda _: "locked"))
    only = replace(statements.edition_of(mailed.house, MONTH), formats=("xlsx",))
    monkeypatch.setattr(statements, "edition_of", lambda *_: only)
    monkeypatch.setattr("typst.compile", refused_for("t001"))
    (problem,) = render_period(mailed.house, MONTH).problems
    assert problem.startswith("October 2026 is locked and its statements are not kept yet: the PDF of Team t001 cannot")
    assert kept == []
