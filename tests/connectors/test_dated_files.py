"""Files kept by day: which belong to a day, by their paths or by a layout."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from connectors.dated_files import DatedLayout, dates_in, files_of_day

DAY = date(2026, 10, 1)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for path in (
        "2026-10-01/a.txt",
        "b-20261001.txt",
        "c-20261001T101500Z.txt",
        "d-120261001.txt",
        "e-2026-10-011.txt",
        "2026-10-02/a.txt",
        "x/2026-10-01/f.json",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    return str(tmp_path)


def test_without_a_layout_every_file_with_the_date_in_its_path_is_the_days(folder: str) -> None:
    found = [stored.path for stored in files_of_day(folder, {}, None, DAY)]
    assert found == ["2026-10-01/a.txt", "b-20261001.txt", "c-20261001T101500Z.txt", "x/2026-10-01/f.json"]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("{date}/*.txt", ["2026-10-01/a.txt"]),
        ("*-{yyyymmdd}.txt", ["b-20261001.txt"]),
        ("*/{date}/*", ["x/2026-10-01/f.json"]),
        ("{date}/*.csv", []),
    ],
)
def test_a_layout_says_which_files_are_the_days(folder: str, layout: str, expected: list[str]) -> None:
    assert [stored.path for stored in files_of_day(folder, {}, layout, DAY)] == expected


def test_a_layout_without_a_date_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must hold \{date\}"):
        TypeAdapter(DatedLayout).validate_python("*.txt")


def test_dates_are_those_that_the_calendar_has() -> None:
    assert dates_in(["a-20261002.txt", "2026-10-01/b", "20261399", "2026-10-01/c"]) == [DAY, date(2026, 10, 2)]
