"""JSON: an array of records, one record a line, or a document that holds lists of records. Numbers stay as written.

A record's own objects become JSON text under their name. A field inside them (`metadata.podName`), one of an object
around the record (`$.period.from`), or the name of the list that it lay in (`$path`) is a column where the settings
name it.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl

from connectors.base import Body
from connectors.exact import json_text
from connectors.focus.batch import BATCH_ROWS, Batch, Malformed, incomplete
from connectors.focus.streams import metered

LIST_NAME = "$path"
_AROUND = "$."
_MOST_BYTES = 128 * 1024 * 1024  # a file is read as a whole, in about twelve times its size
_JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class _Element:
    """An element of a list of records, the list's name, and the objects around it, the innermost first."""

    value: Any
    where: str = ""
    around: tuple[_JsonObject, ...] = ()


@dataclass
class _Records:
    """Rows as text by field, their numbers, the field of each that is no valid text, and what is no record."""

    rows: list[dict[str, str | None]] = field(default_factory=list[dict[str, str | None]])
    numbers: list[int] = field(default_factory=list[int])
    garbled: list[str | None] = field(default_factory=list[str | None])
    malformed: list[Malformed] = field(default_factory=list[Malformed])

    @property
    def next_number(self) -> int:
        """Records count from 1, the refused ones too."""
        return len(self.numbers) + len(self.malformed) + 1

    def refuse(self, text: str, detail: str) -> None:
        """Takes what is no record."""
        self.malformed.append(Malformed(self.next_number, text, detail))

    def add(self, values: Mapping[str, Any]) -> None:
        """Takes a record."""
        row, garbled = dict[str, str | None](), None
        for key, value in values.items():
            name, _ = _cell(key)
            row[str(name)], is_garbled = _cell(value)
            garbled = name if is_garbled else garbled
        self.numbers.append(self.next_number)
        self.rows.append(row)
        self.garbled.append(garbled)


def read_json(
    name: str, body: Body, records: Sequence[str], fields: Sequence[str], *, compressed: bool
) -> Iterator[Batch]:
    """The records of a JSON file, in batches of the same columns.

    Args:
        name: The file, for messages.
        body: Its bytes.
        records: Where the lists lie in a document: `data`, or `hourlyUsage.*` for every list of that object. Lists on
            the way are passed through. Without any, the document itself is the list, or the one record.
        fields: Columns that are wanted; those inside objects are only read when they stand here.
        compressed: Whether the bytes are gzip.

    Raises IncompleteDeliveryError for what is no whole JSON, and for a document without any of the lists.
    """
    found = _Records()
    wanted = [path for path in fields if "." in path or path == LIST_NAME]
    for document in _documents(name, _text(name, body, compressed=compressed), found):
        for element in _elements(name, document, records):
            if isinstance(element.value, dict):
                found.add(_flat(element, wanted))
            else:
                found.refuse(json_text(element.value), "the element is no JSON object")
    yield from _batches(found)


def _text(name: str, body: Body, *, compressed: bool) -> str:
    content = bytearray()
    try:
        with metered(body, compressed=compressed) as stream:
            while len(content) <= _MOST_BYTES and (chunk := stream.read(1 << 20)):
                content += chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise incomplete(name, f"cannot be unpacked ({error})") from None
    if len(content) > _MOST_BYTES:
        raise incomplete(name, f"holds more than {_MOST_BYTES:,} bytes of JSON; save smaller parts, or CSV")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise incomplete(name, f"is no text in UTF-8 ({error.reason} at byte {error.start})") from None


def _documents(name: str, text: str, found: _Records) -> Iterator[Any]:
    """The one document of the file, or one a line; a line between others that cannot be read is refused."""
    lines = text.split("\n")
    try:
        documents = [_loads(text)]
    except ValueError as error:
        if len(lines) < 2 or not _is_object(lines[0]):
            raise incomplete(name, f"cannot be read as JSON ({error})") from None
    else:
        yield from documents
        return
    for position, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = _loads(line)
        except ValueError as error:
            if position == len(lines):  # no line break follows
                raise incomplete(name, "ends in the middle of a record") from None
            found.refuse(line, f"the line is no JSON ({error})")
            continue
        yield document


def _elements(name: str, document: Any, records: Sequence[str]) -> Iterator[_Element]:
    """The elements of a document's lists of records."""
    if isinstance(document, list):
        yield from (_Element(record) for record in cast("list[Any]", document))
    elif not records:
        yield _Element(document)
    else:
        held = cast("_JsonObject", document) if isinstance(document, dict) else {}
        if not any(path.partition(".")[0] in held for path in records):
            keys = ", ".join(held)[:200] or "nothing"
            raise incomplete(name, f"holds none of the lists {', '.join(records)}; it holds {keys}")
        for path in records:
            yield from _in_lists(_Element(held), path.split("."))


def _in_lists(found: _Element, steps: Sequence[str]) -> Iterator[_Element]:
    if isinstance(found.value, list):
        for value in cast("list[Any]", found.value):
            element = _Element(value, found.where, found.around)
            yield from _in_lists(element, steps) if steps else (element,)
    elif isinstance(found.value, dict) and steps:
        held = cast("_JsonObject", found.value)
        for key in held if steps[0] == "*" else [steps[0]]:
            where = f"{found.where}.{key}" if found.where else key
            yield from _in_lists(_Element(held.get(key), where, (held, *found.around)), steps[1:])


def _flat(element: _Element, wanted: Sequence[str]) -> dict[str, Any]:
    """The record with the wanted fields beside its own; one that is nowhere is left out."""
    record = cast("_JsonObject", element.value)
    row = dict(record)
    for path in wanted:
        if path == LIST_NAME:
            row[path] = element.where
        elif path not in record:
            starts = element.around if path.startswith(_AROUND) else (record,)
            steps = path.removeprefix(_AROUND).split(".")
            if (value := next((v for start in starts if (v := _inner(start, steps)) is not None), None)) is not None:
                row[path] = value
    return row


def _inner(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = cast("_JsonObject", value).get(step) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> tuple[str | None, bool]:
    """A value as text, and whether it held half a character, which no text in UTF-8 can."""
    if value is None or isinstance(value, bool):
        return (None if value is None else str(value).lower()), False
    text = value if isinstance(value, str) else json_text(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode(), True
    return text, False


def _batches(found: _Records) -> Iterator[Batch]:
    header = list(dict.fromkeys(name for row in found.rows for name in row))
    malformed = tuple(found.malformed)
    for start in range(0, max(len(found.rows), 1), BATCH_ROWS):
        rows = found.rows[start : start + BATCH_ROWS]
        yield Batch(
            pl.DataFrame({name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in header}),
            pl.Series(found.numbers[start : start + BATCH_ROWS], dtype=pl.Int64),
            pl.Series(found.garbled[start : start + BATCH_ROWS], dtype=pl.String),
            malformed=malformed if start == 0 else (),
            is_sparse=True,
        )


def _is_object(text: str) -> bool:
    try:
        return isinstance(_loads(text), dict)
    except ValueError:
        return False


def _loads(text: str) -> Any:
    """JSON whose numbers are the text that wrote them. Raises ValueError, also for an object with a field twice."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested deeper than any bill") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"an object names {max(dict(pairs), key=[name for name, _ in pairs].count)!r} more than once")
    return found
