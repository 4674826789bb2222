"""A statement as PDF, workbook and Parquet: the same bytes again, no figure lost, nothing in them alive."""

import hashlib
import io
import json
import re
import zipfile
import zlib
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest
import typst
import xlsxwriter

from reports.files import Format, file_names, statement_files
from reports.given import Period, SharedFacts, StatementError, Team, TeamRows
from reports.mail import mail_message
from reports.pdf import render_pdf
from reports.statement import Statement, build_statement
from reports.wording import clean
from reports.workbook import ROW_LIMIT, is_exact, render_workbook
from tests.reports.conftest import charge, charges, customers, gpus, served

FORMATS = ("pdf", "xlsx", "parquet")
PAGE = "statement-2026-07-search.html"
HOSTILE = [
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "http://evil.example/",
    "#let x = 1; *bold* $1^2$",
    "\u202eevil",
]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def statement(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> Statement:
    return build_statement(team, period, rows, shared)


def cells(book: bytes, sheet: int) -> dict[str, tuple[str, str]]:
    """Every cell by its place: its type and its value, read from the file's own XML."""
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        texts = [
            "".join(x.text or "" for x in one.iter(f"{SHEET}t"))
            for one in ET.fromstring(file.read("xl/sharedStrings.xml"))
        ]
        tree = ET.fromstring(file.read(f"xl/worksheets/sheet{sheet}.xml"))
    found: dict[str, tuple[str, str]] = {}
    for cell in tree.iter(f"{SHEET}c"):
        kind, value = cell.get("t", "n"), cell.findtext(f"{SHEET}v", "")
        assert cell.find(f"{SHEET}f") is None, "a formula"
        found[cell.get("r", "")] = (kind, texts[int(value)] if kind == "s" else value)
    return found


def test_the_workbook_says_what_the_page_says_above_each_table(statement: Statement, rows: TeamRows) -> None:
    """What a request cost is no part of the total, for one: whoever opens the file alone has to know."""
    leads = {clean(table.lead, 1_000) for table in (*statement.team_tables, *statement.company_tables) if table.lead}
    (book,) = statement_files(statement, rows, PAGE, ["xlsx"]).values()
    assert leads
    assert leads <= {text for _, text in cells(book, 1).values()}


def test_the_same_statement_gives_the_same_files(statement: Statement, rows: TeamRows) -> None:
    turned = replace(rows, chargeback=rows.chargeback.reverse())
    first, again = (statement_files(statement, given, PAGE, FORMATS) for given in (rows, turned))
    assert first == again
    names = [f"statement-2026-07-search.{end}" for end in ("pdf", "xlsx", "parquet", "parquet.sha256")]
    assert list(first) == names


def test_rows_come_back_from_parquet_with_every_digit_and_the_hash_is_theirs(
    statement: Statement, rows: TeamRows
) -> None:
    made = statement_files(statement, rows, PAGE, ["parquet"])
    content = made["statement-2026-07-search.parquet"]
    digest, name = made["statement-2026-07-search.parquet.sha256"].decode().split()
    assert (digest, name) == (hashlib.sha256(content).hexdigest(), "statement-2026-07-search.parquet")
    back = pl.read_parquet(io.BytesIO(content))
    assert back.schema == rows.chargeback.schema
    assert back.sort(back.columns).equals(rows.chargeback.sort(rows.chargeback.columns))


def test_amounts_are_numbers_and_what_a_number_would_round_stands_beside_it(
    statement: Statement, rows: TeamRows
) -> None:
    long = charges(charge("123456789.123456789012"), charge("0.1", 2))
    found = cells(render_workbook(statement, replace(rows, chargeback=long)), 2)
    headings = {
        value: place[:-1] for place, (_, value) in found.items() if place.endswith("1") and place[:-1].isalpha()
    }
    column, beside = headings["Effective cost"], headings["Effective cost, exact"]
    assert found[f"{column}2"] == ("n", "123456789.1234568")
    assert found[f"{beside}2"] == ("s", "123456789.123456789012")
    assert (found[f"{column}3"][0], Decimal(found[f"{column}3"][1])) == ("n", Decimal("0.1"))
    assert f"{beside}3" not in found


def test_two_corrections_of_a_line_say_why_and_stand_in_one_order(statement: Statement, rows: TeamRows) -> None:
    june = date(2026, 6, 1)
    # two tie in all but their cause, two in all but the billed cost
    told = [("5", "reallocated", 7), ("5", "bill_restated", 7), ("9", "correction", 2), ("9", "correction", 1)]
    frame = pl.DataFrame(
        charge(cost, corrected_period=june, cause=cause, billed_cost=Decimal(billed)) for cost, cause, billed in told
    )
    books = [render_workbook(statement, replace(rows, chargeback=given)) for given in (frame, frame.reverse())]
    assert books[0] == books[1]
    found = cells(books[0], 2)
    column = {value: place[:-1] for place, (_, value) in found.items() if place.endswith("1")}
    assert [found[f"{column['Cause']}{row}"] for row in (2, 3, 4, 5)] == [
        ("s", "bill_restated"),
        ("s", "correction"),
        ("s", "correction"),
        ("s", "reallocated"),
    ]
    assert [found[f"{column['Billed cost']}{row}"][1] for row in (2, 3, 4, 5)] == ["7", "1", "2", "7"]


@pytest.mark.parametrize(
    ("formats", "of_lines", "of_customers"),
    [
        (
            ("xlsx", "parquet"),
            "All are in statement-2026-07-search.parquet.",
            "All are in statement-2026-07-search.customers.parquet, in the folder alone.",
        ),
        (
            ("xlsx",),
            "No file of this statement has them: whoever runs Farthing can add Parquet (reports.formats).",
            "No file of this statement has them: whoever runs Farthing can add Parquet (reports.formats).",
        ),
    ],
)
def test_rows_beyond_a_sheet_s_last_are_counted_and_said_where_they_are(
    formats: tuple[Format, ...],
    of_lines: str,
    of_customers: str,
    team: Team,
    period: Period,
    shared: SharedFacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of a sheet that holds six rows: headings, four lines, and what says that three of seven are not there."""
    monkeypatch.setattr("reports.workbook.ROW_LIMIT", 6)
    charged = charges(*(charge("100", day) for day in (7, 3, 1, 5, 2, 6, 4)), charge("300", 8))
    whom = customers(*(served("1", customer=f"{n:032}") for n in range(6)), served("994"))
    given = TeamRows(charged.head(7), gpus(), None, customers=whom)
    names = file_names(PAGE, formats, has_customers=True)
    statement = build_statement(team, period, TeamRows(charged, gpus(), None), shared, names)
    book = render_workbook(statement, given)
    lines, apart = cells(book, 2), cells(book, 3)
    first = datetime(1899, 12, 30)  # from which a workbook counts days
    assert [lines[f"A{row}"][1] for row in (2, 3, 4, 5)] == [
        str((datetime(2026, 7, day) - first).days) for day in (1, 2, 3, 4)
    ]
    said = "3 more rows are left out: a sheet holds 6, and no more."
    assert lines["A6"] == ("s", f"{said} {of_lines}")
    assert apart["A6"] == ("s", f"{said} {of_customers}")
    assert max(int(re.sub("[A-Z]", "", place)) for place in (*lines, *apart)) == 6
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        sheet = file.read("xl/worksheets/sheet2.xml").decode()
    assert re.findall(r'<autoFilter ref="A1:[A-Z]+(\d+)"', sheet) == ["5"]


def test_a_sheet_that_is_just_full_leaves_nothing_out(
    statement: Statement, rows: TeamRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = replace(rows, chargeback=charges(*(charge("1", day) for day in range(1, 6))))
    monkeypatch.setattr("reports.workbook.ROW_LIMIT", 6)
    found = cells(render_workbook(statement, full), 2)
    assert [found[f"A{row}"][0] for row in range(2, 7)] == ["n"] * 5
    assert not any("left out" in value for _, value in found.values())


def test_the_library_keeps_as_many_rows_as_are_written() -> None:
    """What is written beyond them it drops without a word: the workbook counts them itself."""
    with xlsxwriter.Workbook(io.BytesIO(), {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        assert (sheet.write_string(ROW_LIMIT - 1, 0, "last"), sheet.write_string(ROW_LIMIT, 0, "lost")) == (0, -1)


@pytest.mark.parametrize(
    ("amount", "exact"),
    [("1", True), ("999999999999999", True), ("9999999999999999", False), ("0.000000000001", True), ("1000.10", True)],
)
def test_a_spreadsheet_holds_fifteen_digits(amount: str, exact: bool) -> None:
    assert is_exact(Decimal(amount)) is exact


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_every_file(name: str, period: Period, shared: SharedFacts) -> None:
    hostile = charges(charge("1", feature=name, model_id=name, service_name=name, provider_name=name))
    given = TeamRows(hostile, gpus(), None)
    statement = build_statement(Team("search", name, name, name), period, given, replace(shared, company=name))
    book = render_workbook(statement, given)
    for sheet in (1, 2):
        kinds = {kind for kind, _ in cells(book, sheet).values()}
        assert kinds <= {"s", "n"}
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        assert not [part for part in file.namelist() if "externalLink" in part or "vba" in part.lower()]
        assert not [part for part in file.namelist() if b"hyperlink" in file.read(part).lower() and "rels" in part]
    shown = name.replace("\u202e", "")
    assert shown in {value for _, value in cells(book, 2).values()}
    page = render_pdf(statement)
    assert page.startswith(b"%PDF-")
    for alive in (b"/JavaScript", b"/JS", b"/Launch", b"/URI", b"/EmbeddedFile", b"/OpenAction"):
        assert alive not in unpacked(page)


def unpacked(pdf: bytes) -> bytes:
    """A PDF with its compressed parts opened."""
    parts = [pdf]
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            parts.append(zlib.decompress(match[1]))
        except zlib.error:
            continue
    return b"\n".join(parts)


def test_files_are_attached_and_the_mail_is_the_same_again(statement: Statement, rows: TeamRows) -> None:
    files = statement_files(statement, rows, PAGE, ["pdf", "parquet"])
    message_id = "<statement-2026-07-search@example.com>"
    mail, again = (mail_message(statement, "a@example.com", ["b@example.com"], message_id, files) for _ in range(2))
    assert mail.as_bytes() == again.as_bytes()
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert attached == files
    body = mail.get_body(("html",))
    assert body is not None
    assert "Search" in body.get_content()


def test_the_file_s_date_is_that_of_the_figures(statement: Statement) -> None:
    assert statement.month.period.as_of == datetime(2026, 8, 3, 2, 10)
    assert b"2026-08-03T02:10:00" in unpacked(render_pdf(statement))


def where_rows_lie(
    statement: Statement, monkeypatch: pytest.MonkeyPatch, note: str | None = None
) -> dict[tuple[str, str], int]:
    """The page of each table's rows and total, as the typesetter says; with a note, it stands in every row."""
    asked: list[tuple[bytes, dict[str, Any]]] = []

    def compiled(source: bytes, **options: object) -> bytes:
        asked.append((source, {name: options[name] for name in ("font_paths", "sys_inputs")}))
        return b"%PDF-"

    monkeypatch.setattr("typst.compile", compiled)
    render_pdf(statement)
    ((source, options),) = asked
    if note is not None:
        told = json.loads(options["sys_inputs"]["statement"])
        for table in (*told["own"], *told["company_tables"]):
            table["rows"] = [row | {"note": note} for row in table["rows"]]
        options["sys_inputs"] = {"statement": json.dumps(told)}
    lies = typst.query(source, "<lies>", field="value", **options)
    return {(title, row): page for title, row, page in json.loads(lies)}


@pytest.mark.parametrize("features", range(1, 9))
def test_no_total_stands_alone_on_a_page(
    features: int, team: Team, period: Period, shared: SharedFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row more moves every table down a page: somewhere a total would come to lie behind the page's end."""
    lines = [charge("10", n + 1, feature=f"feature {n}") for n in range(features)]
    statement = build_statement(team, period, TeamRows(charges(*lines), gpus(), charges()), shared)
    places = where_rows_lie(statement, monkeypatch)
    totals = {title for title, row in places if row == "total"}
    assert totals >= {"What it was for", "Where the bill went"}
    assert {title for title in totals if places[title, "total"] != places[title, "last"]} == set()


def test_no_row_stands_on_two_pages(statement: Statement, monkeypatch: pytest.MonkeyPatch) -> None:
    places = where_rows_lie(statement, monkeypatch, note="what it is, " * 60)
    begun = {(title, row): page for (title, row), page in places.items() if row.startswith("row ")}
    assert max(begun.values()) > 3
    assert {row for row, page in begun.items() if places[row[0], row[1].replace("row", "end")] != page} == set()


def test_a_row_that_is_longer_than_a_page_loses_nothing(statement: Statement, monkeypatch: pytest.MonkeyPatch) -> None:
    places = where_rows_lie(statement, monkeypatch, note="what it is, " * 1000)
    assert places["Where the bill went", "end 0"] > places["Where the bill went", "row 0"]


def test_what_the_typesetter_refuses_is_named_with_its_team(
    statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.pdf._template", lambda: b'#panic("no such thing")')
    with pytest.raises(StatementError, match=r"Search & Answers cannot be typeset \(TypstError: .*no such thing"):
        render_pdf(statement)
