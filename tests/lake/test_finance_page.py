"""What `docs/finance.md` promises of the published file: its notebooks run on it, and it needs nothing but itself."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from contracts import all_contracts
from pipelines.lake import Lake, Publication
from tests.lake.test_publish import META
from tests.sql.golden import filled

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "finance.md").read_text(encoding="utf-8")
NOTEBOOKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PLAIN = {"DATE", "TIMESTAMP", "VARCHAR", "BOOLEAN", "INTEGER", "BIGINT", "DOUBLE"}
CHARGES = (
    ("2026-09-30", "team:search", "1.25"),
    ("2026-10-01", "team:search", "2.000000000001"),
    ("2026-10-01", "residual:idle", "4.5"),
)


@pytest.fixture
def publication(local_lake: Lake) -> Publication:
    """Two months of charges, published."""
    for day in sorted({day for day, _, _ in CHARGES}):
        rows = [
            {"billing_period": f"{day[:7]}-01", "charge_date": day, "account": account, "effective_cost": cost}
            for on, account, cost in CHARGES
            if on == day
        ]
        month = date.fromisoformat(f"{day[:7]}-01")
        local_lake.replace_slice("chargeback", month, "given", filled("chargeback", rows), day)
    return local_lake.publish(["chargeback"], META)


def costs(found: Any) -> dict[str, Decimal]:
    """Cost by account, whatever the notebook's library calls its table."""
    table: pa.Table = found if isinstance(found, pa.Table) else found.to_arrow()
    (cost,) = set(table.column_names) - {"account"}
    return dict(zip(table["account"].to_pylist(), table[cost].to_pylist(), strict=True))


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_reads_every_month_to_the_last_digit(publication: Publication, notebook: str) -> None:
    names: dict[str, Any] = {"published": str(Path(publication.location).parent)}
    exec(notebook, names)  # the page's own words
    assert costs(names["teams"]) == {"team:search": Decimal("3.250000000001"), "residual:idle": Decimal("4.5")}


def test_the_file_holds_no_way_out_and_answers_with_every_way_closed(publication: Publication) -> None:
    with duckdb.connect(
        publication.location, read_only=True, config={"enable_external_access": False, "lock_configuration": True}
    ) as client:
        views = client.sql("select view_name, sql from duckdb_views() where not internal order by 1").fetchall()
        assert [name for name, _ in views] == ["chargeback", "meta"]
        for name, text in views:
            assert re.fullmatch(rf"CREATE VIEW published\.{name}.* AS SELECT \* FROM main\.{name};", text), text
            assert client.sql(f"select count(*) from published.{name}").fetchall()
        assert client.sql("select function_name from duckdb_functions() where not internal").fetchall() == []
        databases = client.sql("select database_name from duckdb_databases() where not internal").fetchall()
        assert databases == [("farthing",)]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            client.execute("create table mine (a int)")


def test_no_published_column_has_a_type_that_old_clients_do_not_know() -> None:
    with duckdb.connect() as client:
        for table in (found for found in all_contracts().values() if found.published):
            client.register("rows", table.arrow_schema().empty_table())
            types = {row[1] for row in client.sql("describe rows").fetchall()}
            assert {kind for kind in types if not kind.startswith("DECIMAL(")} <= PLAIN, table.table


def test_the_first_page_leads_there() -> None:
    assert "](docs/finance.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
