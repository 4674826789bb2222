"""Runs a contract's expectations over rows where they lie: Parquet files through a DuckDB view, never a pandas copy."""

import sys
import tempfile
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from contracts import Contract
from pipelines.checks.outcome import Outcome

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.datasource.fluent.interfaces import Batch

    from pipelines.checks.expectations import Named

PYSPARK = "pyspark"
EXAMPLES, LONGEST = 3, 600  # rows that an outcome shows, and characters of them
Row = Mapping[str, object]
Rows = Sequence[str] | pa.Table | ds.Dataset


def validate(contract: Contract, rows: Rows) -> list[Outcome]:
    """Holds `rows` (local Parquet paths, an Arrow table or a dataset) against the contract.

    Returns one outcome a check, broken ones with up to three example rows. Raises what the engine raises when the
    rows cannot be read at all.
    """
    with quiet_import():
        import great_expectations as gx

        from pipelines.checks.expectations import KEY_IS_UNIQUE, expectations, repeated_keys, together

    with tempfile.TemporaryDirectory(prefix="farthing-checks-") as folder:
        scratch = Path(folder) / "scratch.duckdb"
        _expose(scratch, contract, rows)
        batch = _batch(scratch, contract.table)

        # Whether all hold is asked in few questions; which one does not, and what breaks it, only where one does not.
        rules = expectations(contract)
        if batch.validate(_suite(contract, together(contract)), result_format="BOOLEAN_ONLY").success:
            return [Outcome(contract.table, name, True, severity, None) for name, severity, _ in rules]
        result = batch.validate(_suite(contract, rules), result_format="SUMMARY")

        queries = {check.name: check.sql for check in contract.checks} | {KEY_IS_UNIQUE: repeated_keys(contract)}

        def rows_of(query: str) -> Sequence[Row]:
            rule = gx.expectations.UnexpectedRowsExpectation(unexpected_rows_query=query)
            found = batch.validate(rule, result_format="COMPLETE").result or {}
            return found.get("details", {}).get("unexpected_rows", [])

        return [_with_examples(_outcome(contract, item), queries, rows_of) for item in result.results]


def _batch(scratch: Path, table: str) -> "Batch":
    """The table as Great Expectations sees it."""
    import great_expectations as gx

    from pipelines.checks.expectations import register_duckdb

    register_duckdb()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # pyright: ignore[reportAttributeAccessIssue]
    source = context.data_sources.add_sql("lake", connection_string=f"duckdb:///{scratch}")
    return source.add_table_asset(table, table_name=table).add_batch_definition_whole_table("rows").get_batch()


def _suite(contract: Contract, rules: "Sequence[Named]") -> "ExpectationSuite":
    import great_expectations as gx

    found = gx.ExpectationSuite(name=contract.table)
    for name, severity, rule in rules:
        rule.meta = {"name": name, "severity": severity.value}
        found.add_expectation(rule)
    return found


@contextmanager
def quiet_import() -> Generator[None]:
    """Imports in here see no PySpark, and warnings of one library about another stay untold.

    Great Expectations imports PySpark wherever it is installed. PySpark in turn takes a process whose main module has
    no file, as a scheduler's worker has, for its own doctests, and ends it. These checks run on DuckDB alone.
    """
    hidden = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == PYSPARK}
    for name in hidden:
        del sys.modules[name]
    sys.modules[PYSPARK] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        del sys.modules[PYSPARK]
        sys.modules.update(hidden)


def _expose(scratch: Path, contract: Contract, rows: Rows) -> None:
    with duckdb.connect(str(scratch)) as connection:
        if isinstance(rows, pa.Table | ds.Dataset):
            connection.register("arrow_rows", rows)
            connection.execute(f"create table {contract.table} as select * from arrow_rows")
        elif rows:
            columns = ", ".join(column.name for column in contract.columns)
            files = ", ".join("'" + path.replace("'", "''") + "'" for path in rows)
            rows_there = f"read_parquet([{files}], hive_partitioning=false)"
            connection.execute(f"create view {contract.table} as select {columns} from {rows_there}")
        else:
            connection.register("arrow_rows", contract.arrow_schema().empty_table())
            connection.execute(f"create table {contract.table} as select * from arrow_rows")


def _with_examples(outcome: Outcome, queries: Mapping[str, str], rows_of: Callable[[str], Sequence[Row]]) -> Outcome:
    """A broken rule with what it selects: with its count alone nobody knows where to look."""
    query = queries.get(outcome.name)
    if outcome.passed or query is None:
        return outcome
    found = rows_of(f"select * from ({query}) as broken limit {EXAMPLES}")
    return replace(outcome, examples="; ".join(map(_told, found))[:LONGEST])


def _told(row: Row) -> str:
    """A rule may say in one column what it found; else all of them are named."""
    return ", ".join(str(value) if len(row) == 1 else f"{name} {value}" for name, value in row.items())


def _outcome(contract: Contract, item: object) -> Outcome:
    """One result of Great Expectations in our words."""
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

    from contracts import Severity

    if not isinstance(item, ExpectationValidationResult) or item.expectation_config is None:
        raise TypeError("Great Expectations returned a result of another shape than 1.24's")
    meta = item.expectation_config.meta or {}
    if item.exception_info and item.exception_info.get("raised_exception"):
        raise RuntimeError(f"{contract.table}: {meta['name']}: {item.exception_info.get('exception_message')}")
    result = item.result or {}
    unexpected = result.get("unexpected_count", result.get("observed_value"))
    examples = result.get("partial_unexpected_list") or (result.get("details") or {}).get("unexpected_rows") or []
    return Outcome(
        table=contract.table,
        name=meta["name"],
        passed=bool(item.success),
        severity=Severity(meta["severity"]),
        broken_count=unexpected if isinstance(unexpected, int) else None,
        examples="; ".join(str(example) for example in list(examples)[:EXAMPLES])[:LONGEST],
    )
