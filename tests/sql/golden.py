"""Golden cases: the rows that a table is given and the rows that its SQL must make of them, read from YAML."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from contracts import Column, Contract, contract, sql_root
from pipelines.engines import Engine

CASES = Path(__file__).parent / "cases"
FILLERS = {
    "string": "-",
    "json": "{}",
    "int64": 0,
    "int32": 0,
    "bool": False,
    "double": 0.0,
    "date": "2026-01-01",
    "timestamp": "2026-01-01 00:00:00",
}


def sql_tables() -> list[str]:
    """The tables that are computed in SQL."""
    return sorted(path.stem for path in sql_root().glob("*/*.sql"))


def cases() -> list[Path]:
    """Every golden case: `cases/<table>/<the sentence that must stay true>/`."""
    return sorted(path for path in CASES.glob("*/*") if path.is_dir())


def given(case: Path, name: str) -> pa.Table:
    """The rows that a case gives for a table: none when it has no such file. Columns left out get a filler or NULL."""
    file = case / f"given_{name}.yml"
    entries = yaml.safe_load(file.read_text("utf-8")) or [] if file.exists() else []
    return filled(name, [row for entry in entries for row in _repeated(entry)])


def filled(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """The rows of a table. Columns left out get a filler or NULL; decimals and times are text."""
    table = contract(name)
    return pa.Table.from_pylist([_row(table, row) for row in rows], schema=table.arrow_schema())


def _repeated(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A row, or the same again and again: `_times` and `_every_seconds` move a sample or an hour, and its day."""
    row = dict(entry)
    times, every = row.pop("_times", 1), row.pop("_every_seconds", 0)
    for step in range(times):
        for instant, day in (("sampled_at", "sample_date"), ("hour_start", "usage_date")):
            if instant in row and (times > 1 or instant == "sampled_at"):
                at = datetime.fromisoformat(str(entry[instant])) + timedelta(seconds=step * every)
                row |= {instant: str(at), day: str(at.date())}
        yield dict(row)


def _row(table: Contract, row: dict[str, Any]) -> dict[str, Any]:
    unknown = row.keys() - {column.name for column in table.columns}
    assert not unknown, f"{table.table} has no columns {sorted(unknown)}"
    return {column.name: _value(column, row.get(column.name, _filler(column))) for column in table.columns}


def _filler(column: Column) -> object:
    if column.nullable:
        return None
    if column.values:
        return column.values[0]
    return FILLERS.get(column.type, "0")


def _value(column: Column, value: Any) -> object:
    if value is None:
        return None
    if column.type.startswith("decimal"):
        assert isinstance(value, str | int), f"{column.name}: write decimals in quotes, not as floats: {value!r}"
        return Decimal(str(value))
    if column.type == "date":
        return date.fromisoformat(str(value))
    if column.type == "timestamp":
        return datetime.fromisoformat(str(value))
    return value


def expected(case: Path, table: Contract) -> tuple[list[str], list[tuple[object, ...]]]:
    """The columns that a case speaks of, and its rows in a canonical order."""
    rows = yaml.safe_load((case / "expect.yml").read_text("utf-8"))
    columns = list(rows[0]) if rows else [table.columns[0].name]
    assert all(list(row) == columns for row in rows), "every expected row names the same columns"
    shapes = {column.name: column for column in table.columns}
    values = [tuple(_value(shapes[name], row[name]) for name in columns) for row in rows]
    return columns, sorted(values, key=repr)


def actual(rows: pa.Table, columns: list[str]) -> list[tuple[object, ...]]:
    """The same columns of what came out, in the same order."""
    return sorted((tuple(row.values()) for row in rows.select(columns).to_pylist()), key=repr)


def run_case(engine: Engine, case: Path, below: Engine | None = None) -> pa.Table:
    """Builds the table that a case is about from its given rows.

    Args:
        engine: what runs the table's SQL.
        case: the case's folder.
        below: an engine that has run the case: the tables below are taken from it as rows, as from the lake. Their own
            cases say what `engine` makes of their SQL; to say it again for each table above took most of the time.
    """
    table = contract(case.parent.name)
    _build(engine, case, table, set(), below)
    return engine.read(table.table)


def _build(engine: Engine, case: Path, table: Contract, ready: set[str], built: Engine | None) -> None:
    """Builds a table from the case's rows, and what it has no rows of from what is below that, each once."""
    for name in table.depends_on:
        if name in ready:
            continue
        below = contract(name)
        if _has_rows(case, name) or (below.materialized == "table" and not _is_built(case, below)):
            engine.register(name, given(case, name))
        elif built is not None and below.materialized != "view":
            engine.register(name, built.read(name))
        else:
            _build(engine, case, below, ready, built)
        ready.add(name)
    engine.build(table)


def _is_built(case: Path, table: Contract) -> bool:
    """Whether a table has SQL and stands on rows of the case."""
    is_computed = (sql_root() / table.layer / f"{table.table}.sql").exists()
    return is_computed and any(_has_rows(case, name) or _is_built(case, contract(name)) for name in table.depends_on)


def _has_rows(case: Path, name: str) -> bool:
    return (case / f"given_{name}.yml").exists()
