"""JSON lines as DuckDB's relation `lines`: every scalar and every list as text, structures by their dotted paths.

A number with a fraction is read as the binary double that JSON writers mean, by its shortest decimal form; an exporter
that writes more digits than a double holds writes them as text.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import orjson

from connectors.bills.names import Given, Names, literal, quoted


def open_json_lines(connection: duckdb.DuckDBPyConnection, where: str, file: Path, *, is_gzip: bool) -> Names:
    """The file as the view `lines`; its structure is that of all its lines together.

    Raises duckdb.Error for a line that is no JSON object, the cut last one say.
    """
    source = f"{literal(str(file))}, compression = '{'gzip' if is_gzip else 'none'}'"
    found = connection.execute(f"select json_group_structure(json) from read_ndjson_objects({source})").fetchall()
    structure: Mapping[str, object] = orjson.loads(found[0][0])
    columns = ", ".join(f"{literal(name)}: {literal(_sql_type(kind))}" for name, kind in structure.items())
    connection.execute(
        f"create view lines as select * from read_json({source}, format = 'newline_delimited', columns = {{{columns}}})"
    )
    return Names(where, _given(structure, "", ""))


def _sql_type(kind: object) -> str:
    if not isinstance(kind, dict) or not kind:
        return "VARCHAR"
    return f"STRUCT({', '.join(f'{quoted(str(name))} {_sql_type(inner)}' for name, inner in kind.items())})"


def _given(structure: Mapping[str, object], name: str, sql: str) -> Iterator[Given]:
    for field, kind in structure.items():
        path, read = f"{name}{field}", f"{sql}{quoted(field)}"
        if isinstance(kind, dict) and kind:
            yield from _given({str(inner): of for inner, of in kind.items()}, f"{path}.", f"{read}.")
        else:
            yield Given(path, read, "text")
