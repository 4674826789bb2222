"""From a contract to expectations. Imported lazily: Great Expectations takes seconds to load."""

import great_expectations.execution_engine.sqlalchemy_execution_engine as engine_module
import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from contracts import Contract, Severity

KEY_IS_UNIQUE = "key_is_unique"


class _Dialect(str):
    """The shape that Great Expectations compares dialect names with."""

    __slots__ = ()
    value = "duckdb"


def register_duckdb() -> None:
    """Tells Great Expectations 1.24 to keep DuckDB's connection open while it fetches, as it does for SQLite.

    Without it every expectation fails: the result is read after its connection was left. A test guards this.
    """
    name = "_PERSISTED_CONNECTION_DIALECTS"  # no public name exists for it
    known = getattr(engine_module, name)
    if "duckdb" not in {dialect.value for dialect in known}:
        setattr(engine_module, name, (*known, _Dialect("duckdb")))


def expectations(contract: Contract) -> list[tuple[str, Severity, Expectation]]:
    """Every promise of the contract as (name, severity, expectation)."""
    found: list[tuple[str, Severity, Expectation]] = [
        (
            "columns_are_the_contracts",
            Severity.FAIL,
            gxe.ExpectTableColumnsToMatchOrderedList(column_list=[c.name for c in contract.columns]),
        ),
        (KEY_IS_UNIQUE, Severity.FAIL, _unique(contract)),
    ]
    for column in contract.columns:
        if not column.nullable:
            rule = gxe.ExpectColumnValuesToNotBeNull(column=column.name)
            found.append((f"{column.name}_is_present", Severity.FAIL, rule))
        if column.values:
            rule = gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.values))
            found.append((f"{column.name}_is_a_known_value", Severity.FAIL, rule))
    for check in contract.checks:
        rule = gxe.UnexpectedRowsExpectation(unexpected_rows_query=check.sql, description=check.description)
        found.append((check.name, check.severity, rule))
    return found


def repeated_keys(contract: Contract) -> str:
    """The query for keys that occur more than once: NULL is compared like any other value."""
    columns = ", ".join(contract.key)
    return f"select {columns}, count(*) as occurrences from {{batch}} group by {columns} having count(*) > 1"


def _unique(contract: Contract) -> Expectation:
    """The key as groups that occur twice: unlike the built-in rule, it sees keys with NULL."""
    query = repeated_keys(contract)
    return gxe.UnexpectedRowsExpectation(unexpected_rows_query=query, description="The key is unique.")
