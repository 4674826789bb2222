"""Every table's SQL against cases worked out by hand, on both engines."""

from pathlib import Path

import pytest

from contracts import contract, sql_root
from pipelines.engines import Engine
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.golden import actual, cases, expected, run_case, sql_tables

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:pyspark.*", "ignore::DeprecationWarning:pyspark.*")


def _name(case: Path) -> str:
    return f"{case.parent.name}-{case.name}"


@pytest.mark.parametrize("case", cases(), ids=_name)
def test_the_case_holds(case: Path, duckdb_engine: DuckDBEngine) -> None:
    columns, rows = expected(case, contract(case.parent.name))
    assert actual(run_case(duckdb_engine, case), columns) == rows


@pytest.mark.parametrize("case", [case for case in cases() if contract(case.parent.name).published], ids=_name)
def test_no_two_published_rows_have_one_key(case: Path, duckdb_engine: DuckDBEngine) -> None:
    found = run_case(duckdb_engine, case)
    keys = found.select(list(contract(case.parent.name).key)).to_pylist()
    assert len({tuple(key.values()) for key in keys}) == len(keys)


@pytest.mark.parametrize("case", cases(), ids=_name)
def test_both_engines_say_the_same_to_the_last_decimal(
    case: Path, duckdb_engine: DuckDBEngine, spark_engine: Engine
) -> None:
    one = run_case(duckdb_engine, case)
    other = run_case(spark_engine, case, duckdb_engine)
    assert one.schema == other.schema
    assert actual(one, one.column_names) == actual(other, one.column_names)


@pytest.mark.parametrize("table", sql_tables())
def test_every_sql_file_has_a_golden_case(table: str) -> None:
    assert [case for case in cases() if case.parent.name == table], f"cases/{table}/ has no case"


@pytest.mark.parametrize("table", sql_tables())
def test_the_sql_gives_the_contract_s_columns_in_its_order(table: str, duckdb_engine: DuckDBEngine) -> None:
    output = contract(table)
    for name in output.depends_on:
        duckdb_engine.register(name, contract(name).arrow_schema().empty_table())
    text = (sql_root() / output.layer / f"{table}.sql").read_text("utf-8")
    assert duckdb_engine.query(f"select * from ({text})").column_names == [column.name for column in output.columns]


@pytest.mark.parametrize("table", sql_tables())
@pytest.mark.parametrize("banned", ["asof", "quantile_cont", "now()", "current_date", "current_timestamp"])
def test_no_sql_uses_what_the_second_engine_or_a_second_run_would_answer_differently(table: str, banned: str) -> None:
    output = contract(table)
    lines = (sql_root() / output.layer / f"{table}.sql").read_text("utf-8").lower().splitlines()
    assert not [line for line in lines if banned in line and not line.lstrip().startswith("--")]
