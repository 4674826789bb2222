"""What `farthing query` says of a column that a table does not have."""

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.cli.query_advice import advice


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        found.execute("create table usage_daily (usage_date date, x_source text, model_id text, priced_cost_usd text)")
        found.execute("create table chargeback (billing_period date, team_id text, effective_cost text)")
        found.execute("create table budgets (month_end_p90 text, billing_period date)")
        found.execute(f"create table wide ({', '.join(f'c{number} int' for number in range(14))})")
        yield found


def _advice(database: duckdb.DuckDBPyConnection, sql: str) -> str | None:
    try:
        database.execute(sql)
    except duckdb.Error as error:
        return advice(database, sql, error)
    raise AssertionError(f"{sql} runs")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select day from usage_daily", "usage_daily has no column day; did you mean usage_date?"),
        ("select u.day from usage_daily u", "usage_daily has no column day; did you mean usage_date?"),
        ("select 1 from usage_daily group by Day", "usage_daily has no column Day; did you mean usage_date?"),
        ("with a as (select * from usage_daily) select day from a", "usage_daily has no column day; did you mean usage_date?"),
        ("select modle_id from usage_daily", "usage_daily has no column modle_id; did you mean model_id?"),
        ("select model from usage_daily", "usage_daily has no column model; did you mean model_id?"),
        ("select sum(spend) from usage_daily", "usage_daily has no column spend; did you mean priced_cost_usd?"),
        ("select month from budgets", "budgets has no column month; did you mean month_end_p90 or billing_period?"),
        ("select month from chargeback", "chargeback has no column month; did you mean billing_period?"),
        (
            "select cost from usage_daily, chargeback",
            "chargeback and usage_daily have no column cost; did you mean priced_cost_usd or effective_cost?",
        ),
        (
            "select zz from usage_daily",
            "usage_daily has no column zz; it has usage_date, x_source, model_id, priced_cost_usd",
        ),
        (
            "select zz from wide",
            "wide has no column zz; it has c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, and 2 more: describe wide",
        ),
    ],
)  # fmt: skip
def test_a_column_that_is_not_there_is_told_with_the_one_that_may_be_meant(
    database: duckdb.DuckDBPyConnection, sql: str, said: str
) -> None:
    told = _advice(database, sql)
    assert told is not None
    sentence, _, place = told.partition("\n\n")
    assert sentence == said
    assert place.startswith("LINE 1: ")
    assert place.endswith("^")


@pytest.mark.parametrize("sql", ["select 1 from nowhere", "select x.y from usage_daily", "select zz", "selct 1"])
def test_of_all_else_duckdb_says_what_it_says(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert _advice(database, sql) is None
