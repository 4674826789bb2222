"""What the runbook says of settings and states is what the code has."""

import re
from datetime import timedelta
from pathlib import Path

from contracts import contract
from pipelines.lake.lease import LEASE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)


def test_the_runbook_has_queries() -> None:
    assert len(QUERIES) >= 8


def test_every_status_that_the_runbook_names_is_one_and_those_left_out_ask_for_nothing() -> None:
    (status,) = [column for column in contract("freshness").columns if column.name == "status"]
    named = {word for word in re.findall(r"`([a-z_]+)`", PAGE) if word.startswith("suspicious_")} | {
        "failed",
        "incomplete",
    }
    harmless = {"committed", "unchanged", "empty", "withdrawn"}
    assert set(status.values or ()) == named | harmless


def test_a_killed_run_keeps_a_bucket_for_as_long_as_the_runbook_says() -> None:
    assert timedelta(minutes=10) == LEASE
    assert "ten minutes at most" in PAGE


def test_the_first_page_leads_there() -> None:
    assert "](docs/runbook.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
