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
    if _is_ambiguous(structure):
        return _by_pointers(connection, where, source, structure)
    columns = ", ".join(f"{literal(name)}: {literal(_sql_type(kind))}" for name, kind in structure.items())
    given = [found for n, (name, kind) in enumerate(structure.items()) for found in _given(kind, name, f"c{n}")]
    connection.execute(
        f"create view lines({', '.join(f'c{n}' for n in range(len(structure)))}) as "
        f"select * from read_json({source}, format = 'newline_delimited', columns = {{{columns}}})"
    )
    return Names(where, given)


def _is_ambiguous(structure: Mapping[str, object]) -> bool:
    """Whether SQL cannot tell two names apart, or has none for one."""
    return (
        len({name.lower() for name in structure}) < len(structure)
        or "" in structure
        or any(_is_ambiguous(_fields(kind)) for kind in structure.values())
    )


def _by_pointers(
    connection: duckdb.DuckDBPyConnection, where: str, source: str, structure: Mapping[str, object]
) -> Names:
    """Each value by its place in the line: slower, and exact about case."""
    paths = list(_paths(structure, ()))
    read = ", ".join(
        f"json_extract_string(json, {literal(''.join(f'/{_escaped(name)}' for name in path))}) as c{n}"
        for n, path in enumerate(paths)
    )
    connection.execute(f"create view lines as select {read} from read_ndjson_objects({source})")
    return Names(where, [Given(".".join(path), f"c{n}", "text") for n, path in enumerate(paths)])


def _paths(structure: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, kind in structure.items():
        if inner := _fields(kind):
            yield from _paths(inner, (*path, name))
        else:
            yield (*path, name)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _fields(kind: object) -> Mapping[str, object]:
    return {str(name): inner for name, inner in kind.items()} if isinstance(kind, dict) else {}


def _sql_type(kind: object) -> str:
    fields = _fields(kind)
    if not fields:
        return "VARCHAR"
    return f"STRUCT({', '.join(f'{quoted(name)} {_sql_type(inner)}' for name, inner in fields.items())})"


def _given(kind: object, name: str, sql: str) -> Iterator[Given]:
    fields = _fields(kind)
    if not fields:
        yield Given(name, sql, "text")
    for field, inner in fields.items():
        yield from _given(inner, f"{name}.{field}", f"{sql}.{quoted(field)}")
