"""The night's board: every line of the published marts, and the marts that the snapshot has."""

import base64
import json
import re
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.house import open_house
from pipelines.night.board import write_board
from tests.pipelines.conftest import night, published
from tests.pipelines.small_company import DAY, line, write_bill, write_company


def core(page: str) -> dict[str, Any]:
    """What the page holds beside its columns."""
    found = re.search(r'id="core">([^<]*)<', page)
    assert found
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


def test_the_board_of_a_night_has_the_published_month_and_its_tables(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    assert night(config, DAY).result.failures == ()
    told = core((tmp_path / "reports" / "2026-10" / "board.html").read_text("utf-8"))
    (month,) = told["months"]
    assert (month["month"], Decimal(month["total"]), Decimal(month["allocated"])) == (
        "2026-10",
        Decimal("12.5"),
        Decimal("10.5"),
    )
    with published(tmp_path / "lake") as database:
        (lines,) = database.execute("select count(*) from chargeback").fetchone() or (None,)
    assert told["parts"]["lines-2026-10"]["rows"] == lines
    assert {"ledgers", "anomalies", "commitments", "period_adjustments", "gpu_coverage"} <= set(told["tables"])
    assert ["team:search", "../../etc"] in told["words"]["account"]
    assert told["snapshot"] == "1"


def test_a_table_that_the_snapshot_lacks_is_not_told_as_an_empty_one(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    night(config, DAY)
    (tmp_path / "lake" / "published" / "current" / "parquet" / "anomalies.parquet").unlink()
    with open_house(config, "test", writing=False) as house:
        page = Path(write_board(house) or "")
    told = core(page.read_text("utf-8"))
    assert "anomalies" not in told["tables"]
    assert "commitments" in told["tables"]


def test_a_restated_bill_is_on_the_next_board(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    night(config, DAY)
    write_bill(tmp_path / "bills", [line(BilledCost="11", EffectiveCost="11")])
    night(config, DAY, at=DAY.replace(day=31))
    told = core((tmp_path / "reports" / "2026-10" / "board.html").read_text("utf-8"))
    assert Decimal(told["months"][0]["total"]) == Decimal(13)
