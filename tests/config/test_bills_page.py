"""What the page about bills says of limits is what the code does."""

import re
from pathlib import Path

from pipelines.lake import overlaps
from pipelines.lake.judge import FEW_ROWS
from pipelines.lake.weight import LATE
from pipelines.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "bills.md").read_text(encoding="utf-8")
READERS = ("anthropic", "aws", "azure", "focus", "gcp", "openai", "openrouter")


def test_the_page_says_how_long_a_day_takes_to_settle() -> None:
    assert re.findall(r"three days \((\d+) hours\)", PAGE) == [str(int(LATE.total_seconds() // 3600))]


def test_the_page_names_the_shares_and_what_they_come_to() -> None:
    least, most = Limits().least_share, Limits().most_share
    assert f"least_share: {least}, most_share: {most}" in PAGE
    assert f"fewer than {least * 100:.0f} % of the rows" in PAGE
    assert f"more than {100 - least * 100:.0f} % of the amounts" in PAGE
    assert f"more than {most * 100:.0f} % of the rows" in PAGE
    assert f"more than {most * 100 - 100:.0f} % of the amounts" in PAGE


def test_the_page_names_how_few_rows_are_left_aside_and_how_many_lines_make_a_copy() -> None:
    assert re.findall(r"fewer than (\d+) rows", PAGE) == [str(FEW_ROWS)] * 2
    assert re.findall(r"from (\d+) different lines on", PAGE) == [str(overlaps.ENOUGH)]


def test_every_reader_of_bills_and_the_first_page_lead_there() -> None:
    assert "](docs/bills.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    for reader in READERS:
        page = (ROOT / "connectors" / reader / "README.md").read_text(encoding="utf-8")
        assert "](../../docs/bills.md)" in page, reader
