"""A source that leaves the configuration is neither dropped nor kept unseen: it is told, and withdrawn by decision."""

import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.conftest import night, published
from tests.pipelines.small_company import CONFIG, DAY, write_company

OCTOBER = date(2026, 10, 1)
RENAMED = CONFIG.replace("name: other-bill", "name: second-bill")


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Pulled once, then one of its bills is given another name."""
    write_company(tmp_path)
    assert night(tmp_path / "farthing.yml", DAY).result.published
    (tmp_path / "farthing.yml").write_text(RENAMED, encoding="utf-8")
    return tmp_path


def rows(company: Path, sql: str) -> list[tuple[Any, ...]]:
    with published(company / "lake") as database:
        return database.execute(sql).fetchall()


def billed(company: Path) -> Decimal:
    return rows(company, "select sum(billed_cost) from chargeback")[0][0]


def farthing(company: Path, *arguments: str) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("farthing")), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(company), "COLUMNS": "200"}
    ran = subprocess.run(
        command, cwd=company, capture_output=True, text=True, check=False, env=environment, timeout=600
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_what_leaves_is_told_in_whole_sentences(company: Path) -> None:
    code, said = farthing(company, "withdraw", "other-bill", "--yes")
    assert code == 0
    assert "other-bill: 1 slice of charges (2026-10-01), billed 2.00 USD\n" in said
    assert "1 slice of other-bill withdrawn; landing keeps what came." in said


def test_a_renamed_source_is_told_until_it_is_withdrawn_and_then_counts_once(company: Path) -> None:
    again = night(company / "farthing.yml", DAY, at=DAY + timedelta(days=2))
    assert again.result.published
    assert billed(company) == Decimal("14.5")  # 10.5 + 2, and the renamed 2 once more
    warning = (
        "other-bill: 1 slice of charges (2026-10-01), billed 2.00 USD, in the lake, and no source of that name in the "
        "configuration: still counted, and twice if it was renamed; it holds the same as second-bill. "
        "Put the name back, or take it out: farthing withdraw other-bill"
    )
    assert warning in again.problems
    code, said = farthing(company, "check")
    assert code == 3
    assert warning in said

    code, said = farthing(company, "withdraw", "other-bill")
    assert (code, billed(company)) == (2, Decimal("14.5"))  # nobody said yes
    assert "--yes" in said
    code, said = farthing(company, "withdraw", "other-bill", "--yes")
    assert code == 0, said
    assert billed(company) == Decimal("12.5")
    restated = rows(
        company, "select x_source, slice_date, previous_total_cost, total_cost, difference from restatements"
    )
    assert restated == [("other-bill", OCTOBER, Decimal(2), Decimal(0), Decimal(-2))]
    status = "select status, delivery_id, row_count, total_cost from freshness where x_source = 'other-bill'"
    assert rows(company, status) == [("withdrawn", None, 0, Decimal(0))]
    assert any((company / "lake" / "landing").rglob("*other-bill*"))

    after = night(company / "farthing.yml", DAY, at=DAY + timedelta(days=3))
    assert after.problems == ""
    assert billed(company) == Decimal("12.5")
    assert len(rows(company, "select * from restatements")) == 1
    assert farthing(company, "check")[0] == 0


def test_a_withdrawn_source_that_comes_back_counts_again(company: Path) -> None:
    (company / "farthing.yml").write_text(
        CONFIG.replace("  - {name: other-bill, kind: focus, account: other, location: other}\n", ""), encoding="utf-8"
    )
    code, said = farthing(company, "withdraw", "other-bill", "--yes")
    assert code == 0, said
    assert billed(company) == Decimal("10.5")
    (company / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    assert night(company / "farthing.yml", DAY, at=DAY + timedelta(days=2)).problems == ""
    assert billed(company) == Decimal("12.5")
    restated = rows(company, "select difference from restatements order by restated_at desc, attempt_id")
    assert sorted(restated) == [(Decimal(-2),), (Decimal(2),)]


def test_only_what_is_in_the_lake_and_not_configured_can_be_withdrawn(company: Path) -> None:
    for name, words in (("bill", "is configured"), ("other-bil", "Did you mean 'other-bill'?")):
        code, said = farthing(company, "withdraw", name, "--yes")
        assert code == 2
        assert words in said
    assert billed(company) == Decimal("12.5")
