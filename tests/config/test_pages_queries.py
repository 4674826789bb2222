"""Every query that a page of the documentation shows runs on the published tables."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from contracts import all_contracts

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
QUERIES = {
    f"{page.name}-{number}": query
    for page in PAGES
    for number, query in enumerate(re.findall(r"```sql\n(.+?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
}


@pytest.fixture
def published() -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file without a row."""
    with duckdb.connect() as connection:
        for table in all_contracts().values():
            if table.published:
                connection.register(table.table, table.arrow_schema().empty_table())
        yield connection


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_query_runs_on_what_is_published(published: duckdb.DuckDBPyConnection, query: str) -> None:
    assert published.execute(query).description
