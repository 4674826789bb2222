"""Rows held against their table's contract: the one door through which they come into a table and out of an engine."""

import pyarrow as pa
import pyarrow.compute as pc

from contracts.contract import Contract


class ContractBrokenError(ValueError):
    """Rows that do not fit their table's contract: nothing of them is used."""


def conform(table_contract: Contract, rows: pa.Table) -> pa.Table:
    """Rows in the contract's column order and types. The values are never changed, only their representation.

    Raises ContractBrokenError naming the table, the column, what was found and what is expected.
    """
    schema = table_contract.arrow_schema()
    missing = [name for name in schema.names if name not in rows.column_names]
    unknown = [name for name in rows.column_names if name not in schema.names]
    if missing or unknown or len(rows.column_names) != len(schema):
        raise ContractBrokenError(
            f"{table_contract.table}: the rows' columns are not the contract's: missing {missing}, "
            f"not in the contract {unknown}; correct the rows or {_home(table_contract)}"
        )
    columns = [_column(table_contract, field, rows[field.name]) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(table_contract: Contract, field: pa.Field, values: pa.ChunkedArray) -> pa.ChunkedArray:
    where = f"{table_contract.table}.{field.name}"
    if not field.nullable and values.null_count:
        raise ContractBrokenError(
            f"{where}: {values.null_count} of {len(values)} values are NULL; none may be: correct what the rows are "
            f"made from, or declare the column nullable in {_home(table_contract)}"
        )
    if values.type.equals(field.type):
        return values
    if pa.types.is_decimal(field.type) and pa.types.is_floating(values.type):
        raise ContractBrokenError(f"{where}: found {values.type}, expected {field.type}; money is never a float")
    try:
        return pc.cast(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ContractBrokenError(f"{where}: found {values.type}, expected {field.type}: {error}") from error


def _home(table_contract: Contract) -> str:
    return f"sql/{table_contract.layer}/{table_contract.table}.yml"
