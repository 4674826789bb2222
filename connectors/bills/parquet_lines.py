"""Parquet as DuckDB's relation `lines`: each column as it is, structures by their dotted paths."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.bills.names import Given, Kind, Names, literal, quoted


def open_parquet(connection: duckdb.DuckDBPyConnection, where: str, file: Path) -> Names:
    """The file as the view `lines`. Raises duckdb.Error or pyarrow.ArrowInvalid for a file that is not whole."""
    schema = pq.read_schema(file)
    columns = [f"c{n}" for n in range(len(schema))]
    connection.execute(
        f"create view lines({', '.join(columns)}) as "
        f"select * from read_parquet({literal(str(file))}, hive_partitioning = false)"
    )
    return Names(where, [given for n, field in enumerate(schema) for given in _fields(field, field.name, columns[n])])


def _fields(field: pa.Field, name: str, sql: str) -> Iterator[Given]:
    """The field, which `sql` reads, and the fields of a structure by their dotted paths."""
    if (wrapped := _wrapped_list(field.type)) is not None:
        yield Given(name, f"list_transform({sql}.list, lambda entry: entry.{quoted(wrapped)})", "list")
        return
    if pa.types.is_struct(field.type):
        inner = list(field.type)
        has_twins = len({part.name.lower() for part in inner}) < len(inner)  # which SQL takes for one field
        for n, part in enumerate(inner, 1):
            read = f"struct_extract_at({sql}, {n})" if has_twins else f"{sql}.{quoted(part.name)}"
            yield from _fields(part, f"{name}.{part.name}", read)
        return
    yield Given(name, sql, _kind(field.type))


def _wrapped_list(kind: pa.DataType) -> str | None:
    """The field that holds the entries, where a list lies inside structures: BigQuery's `name.list.element`."""
    if not pa.types.is_struct(kind) or kind.num_fields != 1 or kind.field(0).name != "list":
        return None
    entries = kind.field(0).type
    if not pa.types.is_list(entries) or not pa.types.is_struct(entries.value_type):
        return None
    inner = entries.value_type
    return inner.field(0).name if inner.num_fields == 1 and inner.field(0).name in ("element", "item") else None


def _kind(kind: pa.DataType) -> Kind:
    checks: list[tuple[Kind, bool]] = [
        ("text", pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)),
        ("text", pa.types.is_dictionary(kind)),
        ("float", pa.types.is_floating(kind)),
        ("instant", pa.types.is_timestamp(kind)),
        ("date", pa.types.is_date(kind)),
        ("map", pa.types.is_map(kind)),
        ("list", pa.types.is_list(kind) or pa.types.is_large_list(kind)),
        ("bool", pa.types.is_boolean(kind)),
    ]
    for name, holds in checks:
        if holds:
            return name
    return "number"
