"""The team's month as a workbook: what the statement says, every line behind it, and whom it was for.

Here belongs: cells. Here does not belong: figures. Text is written as text, whatever it looks like: no cell is a
formula or a link. An amount is a number with its format; where a spreadsheet's fifteen digits would round it, the exact
decimal stands beside it as text.
"""

import io
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from models.minor_units import minor_unit
from reports.given import TeamRows
from reports.statement import Statement
from reports.tables import Table
from reports.wording import clean

_DIGITS = 15
"""Significant digits that a spreadsheet keeps of a number (IEEE 754 doubles, as Excel shows and writes them)."""
_CELL_LIMIT = 32_767  # characters that a cell can hold
ROW_LIMIT = 1_048_576  # rows that a sheet can hold; the library drops what is written beyond, and raises nothing
_LINES = (
    ("Day", "charge_date"),
    ("Account", "account"),
    ("Provider", "provider_name"),
    ("Service", "service_name"),
    ("Model", "model_id"),
    ("Feature", "feature"),
    ("Kind", "cost_kind"),
    ("How charged", "rule_kind"),
    ("Corrects", "corrected_period"),
    ("Cause", "cause"),
    ("Bill", "period_state"),
    ("Currency", "billing_currency"),
)
_CUSTOMERS = (
    ("Named by", "naming"),
    ("Customer", "customer_hash"),
    ("User", "user_hash"),
    ("Product", "product"),
    ("Feature", "feature"),
    ("Business unit", "business_unit"),
    ("Cost centre", "cost_centre"),
    ("Corrects", "corrected_period"),
    ("Currency", "billing_currency"),
)
_AMOUNTS = (
    ("Effective cost", "effective_cost", "billing_currency"),
    ("Billed cost", "billed_cost", "billing_currency"),
    ("Effective cost, reported", "reporting_effective_cost", "reporting_currency"),
)


def render_workbook(statement: Statement, rows: TeamRows) -> bytes:
    """An XLSX file; the same statement and rows, in whatever order, give the same bytes."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(stream, options) as book:
        as_of = statement.month.period.as_of
        book.set_properties(
            {
                "title": _title(statement),
                "company": statement.month.company,
                "subject": f"Statement {statement.number}",
                "created": as_of,
            }
        )
        _statement_sheet(book, statement)
        _rows_sheet(book, "Lines", rows.chargeback, _LINES, _elsewhere(statement, by_customer=False))
        if rows.customers is not None:
            _rows_sheet(book, "Customers", rows.customers, _CUSTOMERS, _elsewhere(statement, by_customer=True))
    return stream.getvalue()


def is_exact(amount: Decimal) -> bool:
    """Whether a spreadsheet's number can hold it."""
    return len(amount.normalize().as_tuple().digits) <= _DIGITS


def _title(statement: Statement) -> str:
    return f"{statement.team_name}: AI costs, {statement.month.period.label}"


def _statement_sheet(book: Workbook, statement: Statement) -> None:
    """The statement's own tables, as they are printed: its figures are text, those of the lines are numbers."""
    sheet = book.add_worksheet("Statement")
    bold = book.add_format({"bold": True})
    month = statement.month
    number = f"Statement {statement.number}"
    head = (
        _title(statement),
        number,
        statement.unit_line,
        f"{month.banner.headline}. {month.banner.text}",
        month.total_text,
    )
    at = 0
    for text in (*head, month.apart_text, month.change_text):
        if text:
            _text(sheet, at, 0, text, bold if at == 0 or text == month.total_text else None)
            at += 1
    for table in (*statement.glance, *statement.team_tables, *statement.company_tables):
        at = _table(sheet, at + 1, table, bold)
    for note in month.footnotes:
        _text(sheet, at + 1, 0, note)
        at += 1
    sheet.set_column(0, 0, 52)
    sheet.set_column(1, 6, 18)


def _table(sheet: Worksheet, at: int, table: Table, bold: Any) -> int:
    """Writes one table, with what is said above and under it. Returns the first row under it."""
    _text(sheet, at, 0, table.title, bold)
    at += 1
    if table.lead:
        _text(sheet, at, 0, table.lead)
        at += 1
    _texts(sheet, at, table.headings)
    at += 1
    for row in table.rows:
        _texts(sheet, at, (row.label, *row.cells, row.note, row.ask))
        at += 1
    if table.total is not None:
        _texts(sheet, at, (table.total.label, *table.total.cells), bold)
        at += 1
    _text(sheet, at, 0, table.remark)
    return at + bool(table.remark)


def _elsewhere(statement: Statement, *, by_customer: bool) -> str:
    """Where all rows are that a sheet cannot hold, in a sentence: in the statement's Parquet file, where it has one."""
    links = (row.link for table in statement.team_tables if table.name == "files" for row in table.rows)
    parquet = (link for link in links if link.endswith(".parquet"))
    name = next((link for link in parquet if link.endswith(".customers.parquet") is by_customer), None)
    if name is None:
        return "No file of this statement has them: whoever runs Farthing can add Parquet (reports.formats)."
    return f"All are in {name}, in the folder alone." if by_customer else f"All are in {name}."


def _rows_sheet(
    book: Workbook, title: str, rows: pl.DataFrame, columns: Sequence[tuple[str, str]], elsewhere: str
) -> None:
    """Rows of a table: what `columns` name, then each amount with its exact digits, in an order of its own.

    Where there are more than a sheet can hold, its last row says how many are left out, and `elsewhere` where they are.
    """
    sheet = book.add_worksheet(title)
    headings = [heading for heading, _ in columns]
    for heading, _, _ in _AMOUNTS:
        headings += [heading, f"{heading}, exact"]
    bold = book.add_format({"bold": True})
    _texts(sheet, 0, headings, bold)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    formats = {c: book.add_format({"num_format": _number_format(c)}) for c in _currencies(rows)}
    shown = [name for _, name in columns if name in rows.columns]
    others = [name for name in rows.columns if name not in shown]  # what ties in all that is shown has an order
    fits = rows.height < ROW_LIMIT  # the headings take a row, what says that rows are left out another
    held = rows.sort(*shown, "effective_cost", *others).head(rows.height if fits else ROW_LIMIT - 2)
    for at, row in enumerate(held.iter_rows(named=True), start=1):
        for column, (_, name) in enumerate(columns):
            _cell(sheet, at, column, row.get(name), day)
        for number, (_, name, currency) in enumerate(_AMOUNTS):
            _amount(sheet, at, len(columns) + 2 * number, row.get(name), formats[row[currency]])
    if not fits:  # below the filter, so that no sorting moves it among the rows
        left_out = f"{rows.height - held.height:,} more rows are left out: a sheet holds {ROW_LIMIT:,}, and no more."
        _text(sheet, ROW_LIMIT - 1, 0, f"{left_out} {elsewhere}", bold)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, held.height, len(headings) - 1)
    sheet.set_column(0, len(headings) - 1, 16)


def _currencies(rows: pl.DataFrame) -> set[str]:
    return {*rows["billing_currency"].unique(), *rows["reporting_currency"].unique()}


def _number_format(currency: str) -> str:
    places = -int(minor_unit(currency).adjusted())
    return f"#,##0.{'0' * places}" if places else "#,##0"


def _cell(sheet: Worksheet, row: int, column: int, value: Any, day: Any) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, column, datetime.combine(value, time.min), day)
    elif value is not None:
        _text(sheet, row, column, str(value))


def _amount(sheet: Worksheet, row: int, column: int, amount: Decimal | None, shown: Any) -> None:
    """The number, and beside it the exact decimal where the number is rounded. Nothing where it is not known."""
    if amount is None:
        return
    as_number: Any = amount  # the library writes a decimal's own digits; its annotations name floats alone
    sheet.write_number(row, column, as_number, shown)
    if not is_exact(amount):
        _text(sheet, row, column + 1, f"{amount:f}")


def _texts(sheet: Worksheet, row: int, texts: Sequence[str], style: Any = None) -> None:
    for column, text in enumerate(texts):
        _text(sheet, row, column, text, style)


def _text(sheet: Worksheet, row: int, column: int, text: str, style: Any = None) -> None:
    if text:
        sheet.write_string(row, column, clean(text, _CELL_LIMIT), style)
