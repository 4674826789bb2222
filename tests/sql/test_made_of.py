"""What every table's contract says that its rows are made of: for all marts, and true of every golden case."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from contracts import Contract, Layer, all_contracts, contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.explain.marts import explainable
from tests.pipelines.explaining import held
from tests.sql.golden import cases, given, run_case

MART_NAMES = [name for name, table in all_contracts().items() if table.layer is Layer.MART]
DECLARED = [name for name, table in all_contracts().items() if table.made_of]
SUMMED = [n for n, table in all_contracts().items() if table.made_of and any(p.sums for p in table.made_of.rows)]
_NUMBERS = ("int64", "int32", "double", "decimal")
_STANDS_THERE = re.compile(r"\bm\.([A-Za-z_][A-Za-z0-9_]*)")


def figures_of(table: Contract) -> set[str]:
    return {column.name for column in table.columns if column.type.startswith(_NUMBERS)} - set(table.key)


@pytest.mark.parametrize("name", MART_NAMES)
def test_every_figure_of_every_mart_is_explained(name: str) -> None:
    table = contract(name)
    assert table.made_of, f"{name} says nothing of what it is made of: add made_of to sql/marts/{name}.yml"
    assert figures_of(table) <= table.made_of.figures, "figures without an explanation"
    assert name in explainable()


@pytest.mark.parametrize("name", DECLARED)
def test_a_declaration_speaks_of_columns_that_there_are(name: str) -> None:
    table, made = contract(name), contract(name).made_of
    assert made
    columns = {column.name for column in table.columns}
    summed = {figure for part in made.rows for figure in (*part.sums, *part.taken)}
    for part in made.rows:
        below = {column.name for column in contract(part.table).columns}
        assert set(part.same) <= columns & below, part.title
        assert set(part.equal) <= columns, part.title
        texts = [part.where, *part.sums.values()]
        assert {found for text in texts for found in _STANDS_THERE.findall(text)} <= columns, part.title
    # what is no column is a sum that a formula or a ratio needs, or tells how much the inputs are
    for figure in (*made.formulas, *made.ratios, *made.stated, *(f for m in made.modelled for f in m.figures)):
        assert figure in columns, figure
    for text in (*made.formulas.values(), *(t for ratio in made.ratios.values() for t in (ratio.of, ratio.by))):
        assert set(_STANDS_THERE.findall(text)) <= columns, text
        assert set(re.findall(r"\bp\.([A-Za-z_][A-Za-z0-9_]*)", text)) <= summed, text


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_model_makes_names_its_rules_and_its_inputs(name: str) -> None:
    made = contract(name).made_of
    assert made
    for model in made.modelled:
        assert made.rows, f"{name}: {model.by} has no inputs"
        root = Path(__file__).resolve().parents[2]
        file = model.by if model.by.endswith(".sql") else f"{model.by.replace('.', '/')}.py"
        assert (root / file).exists(), f"{name}: there is no {model.by}"


def _told(case: Path, engine: DuckDBEngine) -> dict[str, pa.Table]:
    """The table of a case, and those that it is made of."""
    table = contract(case.parent.name)
    tables: dict[str, pa.Table] = {table.table: run_case(engine, case)}
    assert table.made_of
    there = set(engine.query("select table_name from information_schema.tables")["table_name"].to_pylist())
    for part in table.made_of.rows:
        name = part.table
        if name not in tables:
            tables[name] = engine.query(f"select * from {name}") if name in there else given(case, name)
    for name in ("request_defects", "usage_by_team_daily", "charge_groups", "usage_daily"):  # named within conditions
        tables.setdefault(name, engine.query(f"select * from {name}") if name in there else given(case, name))
    return tables


@pytest.mark.parametrize(
    "case",
    [case for case in cases() if case.parent.name in SUMMED],
    ids=lambda case: f"{case.parent.name}-{case.name}",
)
def test_the_rows_of_a_case_come_out_of_those_that_they_are_made_of(case: Path, duckdb_engine: DuckDBEngine) -> None:
    assert held(case.parent.name, _told(case, duckdb_engine)) == ([], [])
