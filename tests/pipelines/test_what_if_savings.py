"""`farthing what-if savings`: the same month with levers off or other shares, against what was assumed."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner

from models.savings_cells import findings
from models.savings_comparison import Compared, asked_levers, compare
from pipelines.cli.main import app
from pipelines.cli.what_if_savings import read_shares
from pipelines.house import House, open_house
from pipelines.night.savings import month_rows
from tests.pipelines.small_company import write_company
from tests.pipelines.test_savings_night import COMPANY, OCTOBER, Tables
from tests.pipelines.test_variance_bridge import Lake, rows_of


def compared(tables: Tables, *without: str, **shares: str) -> dict[str, Compared]:
    house = cast("House", type("House", (), {"lake": Lake(tables)}))
    levers = asked_levers(without, read_shares([f"{name}={share}" for name, share in shares.items()]))
    return {one.currency: one for one in compare(findings(month_rows(house, OCTOBER)), levers)}


def saved(found: Compared) -> dict[str, tuple[Decimal, Decimal]]:
    return {row.kind.name: (row.assumed_outcome.saving, row.asked_outcome.saving) for row in found.levers}


def test_a_lever_that_is_off_leaves_its_part_to_those_after_it() -> None:
    """Failures: three quarters of 8 + 10 + 3. The job among them saves 3/8 of the 2.5 that they leave, or of all 10."""
    found = compared(COMPANY, "failed_attempts")["USD"]
    assert saved(found) == {
        "failed_attempts": (Decimal("15.75"), Decimal(0)),
        "batch": (Decimal("0.9375"), Decimal("3.75")),
    }
    assert (found.assumed_total, found.asked_total) == (Decimal("16.6875"), Decimal("3.75"))
    assert found.basis == 90
    off = found.levers[0]
    assert off.asked_outcome.p10 == 0 < off.assumed_outcome.p10


def test_another_share_of_success_counts_from_there_on() -> None:
    found = compared(COMPANY, failed_attempts="1/5", batch="0.5..1")["USD"]
    assert saved(found)["failed_attempts"] == (Decimal("15.75"), Decimal("4.2"))
    assert saved(found)["batch"][1] == 8 * Decimal("0.375")
    assert found.levers[0].asked_outcome.p10 <= found.levers[0].asked_outcome.saving


def test_as_assumed_nothing_differs() -> None:
    for found in compared(COMPANY).values():
        assert found.assumed_total == found.asked_total
        assert all(row.assumed_outcome == row.asked_outcome for row in found.levers)


@pytest.mark.parametrize(
    ("without", "shares", "told"),
    [
        (["bach"], [], "there is no lever 'bach'"),
        (["batch"], ["batch=0.5"], "name it once"),
        ([], ["batch=0.7..0.2"], "the lower end first"),
        ([], ["batch=1.2"], "between 0 and 1"),
        ([], ["batch"], "is no share: write"),
        ([], ["batch=half"], "is no share: write"),
        ([], ["batch=0.1", "batch=0.2"], "given twice"),
    ],
)
def test_what_cannot_be_asked_is_refused(without: list[str], shares: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        asked_levers(without, read_shares(shares))


def test_a_share_is_exact() -> None:
    assert read_shares(["batch=0.1..0.3"]) == {"batch": (Fraction(1, 10), Fraction(3, 10))}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = write_company(tmp_path_factory.mktemp("house"))
    with open_house(file, "run") as house:
        for table in ("usage_by_team_daily", "avoidable_requests"):
            rows = rows_of(table, [row for row in COMPANY[table] if row["usage_date"] == OCTOBER])
            house.lake.replace_slice(table, OCTOBER, "farthing", rows, "f")
    return file


def asked(config: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["what-if", "savings", *words, "-c", str(config)], env={"COLUMNS": "160"})
    return result.exit_code, result.output


def test_the_comparison_can_be_pasted(config: Path) -> None:
    code, told = asked(config, "2026-10", "--without", "failed_attempts", "--account", "team:search")
    assert code == 0
    assert "What 2026-10 could have cost less, team:search: of USD 90.00" in told
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if "│" in line]
    failed, batch, together = cells
    assert [failed[0], failed[2], failed[3], failed[5], failed[6], failed[8]] == [
        *("failed_attempts", "50 % to 100 %", "13.50", "off", "0.00", "-13.50")
    ]
    assert [batch[3], batch[6], batch[8]] == ["0.94", "3.75", "2.81"]
    assert [together[3], together[6], together[8]] == ["14.44", "3.75", "-10.69"]


def test_what_is_not_there_is_told_with_what_is(config: Path) -> None:
    code, told = asked(config, "2026-10", "--account", "team:sarch")
    assert (code, "Nothing of 2026-10 could be saved. The month has: residual:unowned_usage, team:search." in told) == (
        2,
        True,
    )
    assert asked(config, "2026-10", "--without", "bach")[0] == 2
    assert asked(config, "2026-10", "--share", "batch")[0] == 2
