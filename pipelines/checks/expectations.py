"""From a contract to expectations. Imported lazily: Great Expectations takes seconds to load."""

import great_expectations.execution_engine.sqlalchemy_execution_engine as engine_module
import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from contracts import Contract, Severity

KEY_IS_UNIQUE = "key_is_unique"
Named = tuple[str, Severity, Expectation]


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


def expectations(contract: Contract) -> list[Named]:
    """Every promise of the contract as (name, severity, expectation)."""
    return [*_of_the_table(contract), *_of_columns(contract), *_of_rules(contract)]


def together(contract: Contract) -> list[Named]:
    """The same promises, those of single columns as one: asked alone, a column costs more than its rows do."""
    columns = " or ".join([f"{c.name} is null" for c in contract.columns if not c.nullable] + _outside(contract))
    rule = gxe.UnexpectedRowsExpectation(
        unexpected_rows_query=f"select * from {{batch}} where {columns or 'false'}", description="Each column's values."
    )
    return [*_of_the_table(contract), ("columns_hold", Severity.FAIL, rule), *_of_rules(contract)]


def _of_the_table(contract: Contract) -> list[Named]:
    """Which columns there are, and that each row stands once."""
    columns = gxe.ExpectTableColumnsToMatchOrderedList(column_list=[c.name for c in contract.columns])
    unique = (KEY_IS_UNIQUE, Severity.FAIL, _unique(contract))
    return [("columns_are_the_contracts", Severity.FAIL, columns), unique]


def _of_columns(contract: Contract) -> list[Named]:
    found: list[Named] = []
    for column in contract.columns:
        if not column.nullable:
            rule = gxe.ExpectColumnValuesToNotBeNull(column=column.name)
            found.append((f"{column.name}_is_present", Severity.FAIL, rule))
        if column.values:
            rule = gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.values))
            found.append((f"{column.name}_is_a_known_value", Severity.FAIL, rule))
    return found


def _outside(contract: Contract) -> list[str]:
    """What selects the values outside a closed set, a condition a column. NULL is in none and breaks none."""
    return [f"{c.name} not in ({', '.join(map(_quoted, c.values))})" for c in contract.columns if c.values]


def _quoted(value: str) -> str:
    """As SQL, with the braces that a query's template would take for its own doubled."""
    return "'" + value.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def _of_rules(contract: Contract) -> list[Named]:
    found: list[Named] = []
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
