"""`docs/figures.md` and `docs/accuracy.md` name columns that are published, in the units that they have."""

import re
from pathlib import Path

import pytest

from contracts import Column, all_contracts

ROOT = Path(__file__).resolve().parents[2]
FIGURES, ACCURACY = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("figures.md", "accuracy.md"))
ROWS = [
    (unit, named)
    for line in FIGURES.splitlines()
    if (cells := [cell.strip() for cell in line.strip("|").split("|")]) and len(cells) == 4
    for unit, named in [(cells[2], cells[3])]
    if named.startswith("`")
]
COUNTED = "attempts"  # counts have no unit in their contract


def columns(text: str) -> list[tuple[str, str]]:
    """Every `table.column` of a text."""
    named: list[tuple[str, str]] = re.findall(r"`([a-z_]+)\.([a-z_0-9]+)`", text)
    return [(table, column) for table, column in named if (table, column) != ("farthing", "yml")]


def found(table: str, column: str) -> Column:
    contract = all_contracts()[table]
    assert contract.published, f"{table} is not published"
    (one,) = [each for each in contract.columns if each.name == column]
    return one


def test_the_pages_name_columns() -> None:
    assert len(ROWS) >= 35
    assert len(columns(ACCURACY)) >= 30


@pytest.mark.parametrize("text", [FIGURES, ACCURACY], ids=["figures", "accuracy"])
def test_every_column_that_a_page_names_is_published(text: str) -> None:
    assert all(found(table, column) for table, column in columns(text))


@pytest.mark.parametrize(("unit", "named"), ROWS, ids=[named for _, named in ROWS])
def test_every_formula_has_its_column_s_unit(unit: str, named: str) -> None:
    for table, column in columns(named):
        assert (found(table, column).unit or COUNTED) == unit


def test_the_first_page_leads_there() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](docs/figures.md)" in first
    assert "](docs/accuracy.md)" in first
