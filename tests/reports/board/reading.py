"""Reading a board that is open in a browser: its tables, its files, its amounts, and what to click."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import polars as pl

from reports.board import BoardMonth
from reports.money import exact_sum
from tests.reports.board.browser import Page


def cost(rows: pl.DataFrame) -> Decimal:
    """What rows of chargeback cost, of those that a rate is known for."""
    return exact_sum(rows["reporting_effective_cost"].drop_nulls())


def exact(amount: Decimal) -> str:
    """An amount as the page shows it when every digit is asked for."""
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    whole, _, rest = f"{amount.copy_abs():,f}".partition(".")
    return f"{sign}${whole}.{rest.rstrip('0').ljust(2, '0')}"


def month_name(month: BoardMonth) -> str:
    """As the address of a view has it."""
    return f"{month.period.start:%Y-%m}"


def pick_month(page: Page, name: str) -> None:
    """Chooses a month in the head."""
    page.act(
        f"{{const m = document.getElementById('month'); m.value = '{name}'; m.dispatchEvent(new Event('change'))}}"
    )


def table_rows(page: Page, name: str) -> dict[str, list[str]]:
    """The rows of a table by what they are about; notes under a name are left out."""
    script = (
        f"Array.from(document.querySelectorAll('#table-{name} tbody tr'), row => Array.from(row.children, "
        "cell => { const own = cell.cloneNode(true); own.querySelectorAll('.note').forEach(n => n.remove()); "
        "return own.textContent; }))"
    )
    return {row[0]: row[1:] for row in page.run(script)}


def file_rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a file that the page wrote, by their headings."""
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines()))


def fresh(board: Path) -> Path:
    """A folder without any file in it yet."""
    folder = board.parent / f"files-{len(list(board.parent.iterdir()))}"
    folder.mkdir()
    return folder


def click(focus: str) -> str:
    """A script that clicks what has that name for the focus."""
    quoted = json.dumps(focus)
    return (
        "Array.from(document.querySelectorAll('[data-focus]')).find(x => x.getAttribute('data-focus') === "
        f"{quoted}).dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    )
