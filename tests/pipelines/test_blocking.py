"""What does not hold is not published: a broken contract or a journal that does not balance stops the night."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.compute as pc
import pytest

from contracts import Check, all_contracts
from pipelines.house import open_house
from tests.pipelines.conftest import Night, night, published
from tests.pipelines.small_company import DAY, write_company

OCTOBER = date(2026, 10, 1)


def break_contract(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """A promise that no row keeps is added to the contract."""
    check = Check(name="nothing_is_ever_billed", sql="select * from {batch}", description="A promise nobody keeps.")
    whole = all_contracts()[table]
    monkeypatch.setitem(all_contracts(), table, whole.model_copy(update={"checks": (*whole.checks, check)}))


def lose_a_posting(config: Path) -> None:
    """Takes one team's money out of the journal, behind the back of everything that would build it again."""
    with open_house(config, "tampering") as house:
        (piece,) = [found for found in house.lake.slices("postings") if found.slice_date == OCTOBER]
        rows = house.lake.read("postings")
        kept = rows.filter(pc.not_equal(pc.fill_null(rows["team_id"], ""), "search"))
        assert kept.num_rows == rows.num_rows - 1
        house.lake.replace_slice("postings", OCTOBER, piece.slice_source, kept, piece.fingerprint)


def billed(lake: Path) -> Decimal:
    with published(lake) as database:
        (total,) = database.execute("select sum(effective_cost) from chargeback").fetchone() or (None,)
    return total


@pytest.mark.parametrize("table", ["charges", "chargeback"])
def test_a_night_whose_contract_check_fails_publishes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    config = write_company(tmp_path)
    break_contract(monkeypatch, table)
    blocked: Night = night(config, DAY)
    assert not blocked.result.published
    assert f"{table}: nothing_is_ever_billed is broken" in blocked.problems
    assert not (tmp_path / "lake" / "published").exists()
    assert not (tmp_path / "reports").exists()


def test_a_journal_that_does_not_balance_leaves_what_was_published_before(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    assert night(config, DAY).result.published
    assert billed(tmp_path / "lake") == Decimal("12.5")
    lose_a_posting(config)
    blocked = night(config, DAY, at=DAY + timedelta(days=2))
    assert not blocked.result.published
    assert "does not balance" in blocked.problems
    assert billed(tmp_path / "lake") == Decimal("12.5")
    assert len(list((tmp_path / "lake" / "published" / "snapshots").iterdir())) == 1
