"""Every query that a page of the documentation shows runs on the published tables."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from contracts import all_contracts

META = "meta"  # written with every snapshot, no table of the lake
ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
QUERIES = {
    f"{page.name}-{number}": query
    for page in PAGES
    for number, query in enumerate(re.findall(r"```sql\n(.+?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
}


@pytest.fixture(scope="module")
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file without a row: each table under its name, and in the schema `published`."""
    with duckdb.connect() as connection:
        connection.execute("create schema published")
        for table in all_contracts().values():
            if table.published or table.table == META:
                connection.register("incoming", table.arrow_schema().empty_table())
                connection.execute(f"create table main.{table.table} as select * from incoming")
                connection.execute(f"create view published.{table.table} as select * from main.{table.table}")
        yield connection


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_query_runs_on_what_is_published(published: duckdb.DuckDBPyConnection, query: str) -> None:
    assert published.execute(query).description
