"""The night's board: every line of the published marts, and the marts that the snapshot has."""

import base64
import hashlib
import json
import re
import zlib
from datetime import timedelta
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


def told(folder: Path) -> dict[str, Any]:
    return core((folder / "reports" / "2026-10" / "board.html").read_text("utf-8"))


def ledgers(board: dict[str, Any], names: list[str]) -> list[tuple[Any, ...]]:
    """Columns of the four ledgers; amounts as numbers."""
    table = board["tables"]["ledgers"]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return [tuple(Decimal(row[n]) if n.endswith(("_cost", "difference")) else row[n] for n in names) for row in rows]


def test_the_board_of_a_night_has_the_published_month_and_the_next_one_what_was_restated(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    config.write_text(config.read_text("utf-8") + "reports: {formats: [pdf, xlsx, parquet]}\n", "utf-8")
    assert night(config, DAY).result.failures == ()
    first = told(tmp_path)
    (month,) = first["months"]
    assert month["month"] == "2026-10"
    assert (Decimal(month["total"]), Decimal(month["allocated"])) == (Decimal("12.5"), Decimal("10.5"))
    with published(tmp_path / "lake") as database:
        (lines,) = database.execute("select count(*) from chargeback").fetchone() or (None,)
        costs = "provider_id, billed_cost, estimated_cost, difference"
        summary = database.execute(f"select {costs} from reconciliation_summary order by all").fetchall()
    assert ledgers(first, costs.split(", ")) == summary  # a 0 of the mart is a 0 here, and no dash
    assert [row[:2] for row in summary] == [("openai", 0)]
    assert ledgers(first, ["has_bill"]) == [(False,)]
    assert first["parts"]["lines-2026-10"]["rows"] == lines
    assert_a_statement_has_its_files(tmp_path / "reports" / "2026-10")
    assert {"ledgers", "anomalies", "commitments", "period_adjustments", "gpu_coverage"} <= set(first["tables"])
    assert {"bill_errata", "verified_savings"} <= set(first["tables"])
    page = (tmp_path / "reports" / "2026-10" / "board.html").read_text("utf-8")
    by_month = set(re.findall(r'id="([a-z_]+)-2026-10"', page))
    advised = {"commitment_advice", "provisioned_advice"}
    assert by_month == {"lines", "gpu", "hours", "why", "savings", "request_costs", *advised}
    assert ["team:search", "../../etc"] in first["words"]["account"]

    write_bill(tmp_path / "bills", [line(BilledCost="11", EffectiveCost="11")])
    assert night(config, DAY, at=DAY + timedelta(days=2)).result.failures == ()
    second = told(tmp_path)
    assert Decimal(second["months"][0]["total"]) == Decimal(13)
    assert int(second["snapshot"]) > int(first["snapshot"])
    assert_a_lacking_table_is_not_an_empty_one(config)


def assert_a_statement_has_its_files(folder: Path) -> None:
    """Of each of the two teams: page, text, PDF, workbook, rows and their hash."""
    ends = sorted("".join(file.suffixes) for file in folder.glob("statement-2026-10-support.*"))
    assert ends == [
        *(".customers.parquet", ".customers.parquet.sha256"),
        *(".html", ".parquet", ".parquet.sha256", ".pdf", ".txt", ".xlsx"),
    ]
    rows = folder / "statement-2026-10-support.parquet"
    (hash_line,) = rows.with_name(f"{rows.name}.sha256").read_text().splitlines()
    assert hash_line == f"{hashlib.sha256(rows.read_bytes()).hexdigest()}  {rows.name}"


def assert_a_lacking_table_is_not_an_empty_one(config: Path) -> None:
    """An older snapshot may lack a mart: the page must not take that for a month without any of it."""
    (config.parent / "lake" / "published" / "current" / "parquet" / "anomalies.parquet").unlink()
    with open_house(config, "test", writing=False) as house:
        assert write_board(house)
    tables = told(config.parent)["tables"]
    assert "anomalies" not in tables
    assert "commitments" in tables
