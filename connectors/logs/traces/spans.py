"""Spans in one shape, from whatever form they are stored in: OTLP/JSON, or rows with columns.

The shape: trace_id, span_id, parent_id, start, end, status, scope, sampling; `attributes` and `resource` with dotted
names; `metadata` with the keys that the settings ask for. Nothing is dropped here: the allow-list comes after.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from connectors.logs.traces.names import KIND, KINDS, METADATA, OTHER_KINDS
from connectors.logs.usage_fields import inner, items
from connectors.logs.values import json_value

Row = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone is the house's form
_LAST_NANOSECOND = 4_102_444_800 * 10**9
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "trace_id": ("traceId", "trace_id", "TraceId", "context.trace_id"),
    "span_id": ("spanId", "span_id", "SpanId", "context.span_id"),
    "parent_id": ("parentSpanId", "parent_span_id", "ParentSpanId", "parent_id"),
    "scope": ("scope_name", "ScopeName", "otel.scope.name", "otel.library.name"),
    "sampling": ("traceState", "trace_state", "TraceState"),
}
_START = ("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime", "Timestamp", "timestamp")
_END = ("endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime")
_NANOSECONDS = ("duration_nano", "Duration", "duration_ns", "durationNano")
_STATUS = ("status_code", "StatusCode", "status.code", "statusCode", "status")
_ATTRIBUTES = ("attributes", "span_attributes", "SpanAttributes", "spanAttributes")
_RESOURCE = ("resource_attributes", "ResourceAttributes", "resourceAttributes", "resource")
_DEEPEST = 8
NO_SPAN: Row = {}
"""Stands where a span should be and is none: the allow-list refuses it."""


def spans_of(row: Row, wanted: tuple[str, ...]) -> Iterator[Row]:
    """The spans of a row of a file: those of an OTLP envelope, or the row itself. `wanted` are keys of metadata."""
    envelopes = _either(row, "resourceSpans", "resource_spans")
    if envelopes is None:
        yield span_of(row, {}, None, wanted)
        return
    for envelope in _objects(envelopes):
        resource = flat(inner(envelope, "resource").get("attributes"))
        scopes = _objects(_either(envelope, "scopeSpans", "scope_spans", "instrumentationLibrarySpans"))
        for scoped in scopes if envelope else [NO_SPAN]:
            scope = inner(scoped, "scope", "instrumentationLibrary").get("name")
            for span in _objects(scoped.get("spans")) if scoped else [NO_SPAN]:
                yield span_of(span, resource, scope, wanted) if span else NO_SPAN


def span_of(row: Row, resource: Row, scope: object, wanted: tuple[str, ...]) -> Row:
    """One span, or `NO_SPAN` for a row that names no trace and no span."""
    found = {name: _column(row, columns) for name, columns in _COLUMNS.items()}
    if found["trace_id"] is None and found["span_id"] is None:
        return NO_SPAN
    attributes = {**flat(_column(row, _ATTRIBUTES)), **_spread(row)}
    kind = row.get("span_kind")
    if KIND not in attributes and (kind in KINDS or kind in OTHER_KINDS):
        attributes[KIND] = kind
    start = _column(row, _START)
    return {
        **found,
        "scope": scope if scope is not None else found["scope"],
        "start": _moment(start),
        "end": _end(row, start),
        "status": _status(row),
        "attributes": attributes,
        "metadata": {key: value for key in wanted if (value := _metadata(attributes, key)) is not None},
        "resource": resource or _resource(row),
    }


def flat(attributes: object) -> dict[str, Any]:
    """Attributes under dotted names, from a list of OTLP's key and value pairs, an object, or JSON text of either."""
    found = json_value(attributes) if isinstance(attributes, str) else attributes
    if isinstance(found, list):
        found = _pairs(cast("list[object]", found), _DEEPEST)
    kept = dict[str, Any]()
    if isinstance(found, Mapping):
        _flatten(cast("Row", found), "", kept, _DEEPEST)
    return kept


def _flatten(found: Mapping[str, Any], prefix: str, kept: dict[str, Any], deeper: int) -> None:
    for name, value in found.items():
        held = json_value(value) if name == "metadata" and isinstance(value, str) else value
        if isinstance(held, Mapping) and deeper:
            _flatten(cast("Row", held), f"{prefix}{name}.", kept, deeper - 1)
        elif value is not None and value == value:  # noqa: PLR0124 - a frame's NaN is no value
            kept[f"{prefix}{name}"] = value


def _resource(row: Row) -> dict[str, Any]:
    held = _column(row, _RESOURCE)
    return flat(cast("Row", held)["attributes"] if isinstance(held, Mapping) and "attributes" in held else held)


def _spread(row: Row) -> dict[str, Any]:
    """Attributes that are columns of their own, as a frame of Phoenix has them."""
    kept = dict[str, Any]()
    _flatten({name[11:]: value for name, value in row.items() if name.startswith("attributes.")}, "", kept, _DEEPEST)
    return kept


def _pairs(pairs: Sequence[object], deeper: int) -> dict[str, Any]:
    found = (cast("Row", pair) for pair in pairs if isinstance(pair, Mapping))
    return {str(pair["key"]): _value(pair.get("value"), deeper) for pair in found if "key" in pair}


def _value(value: object, deeper: int) -> Any:
    """OTLP's AnyValue as a plain one: an object with one of several names."""
    for name, held in cast("Row", value).items() if isinstance(value, Mapping) else ():
        if held is not None and (read := _READ.get(name)) is not None:
            return read(held, deeper - 1) if deeper else None
    return None


def _whole(held: object, _deeper: int) -> Any:
    """64-bit integers come as text."""
    return int(held) if isinstance(held, str) and held.lstrip("-").isdecimal() and len(held) < 20 else held


def _list(held: object, deeper: int) -> Any:
    return [_value(item, deeper) for item in _objects(cast("Row", held).get("values"))] if _is_object(held) else None


def _object(held: object, deeper: int) -> Any:
    return _pairs(items(cast("Row", held), "values"), deeper) if _is_object(held) else None


def _same(held: object, _deeper: int) -> Any:
    return held


def _is_object(held: object) -> bool:
    return isinstance(held, Mapping)


_READ: Mapping[str, Callable[[object, int], Any]] = {
    **dict.fromkeys(("stringValue", "string_value", "boolValue", "bool_value", "doubleValue", "double_value"), _same),
    **dict.fromkeys(("intValue", "int_value"), _whole),
    **dict.fromkeys(("arrayValue", "array_value"), _list),
    **dict.fromkeys(("kvlistValue", "kvlist_value"), _object),
}


def _metadata(attributes: Row, key: str) -> Any:
    found = (attributes.get(f"{prefix}{key}") for prefix in (*METADATA, ""))
    return next((value for value in found if value is not None), None)


def _moment(value: Any) -> Any:
    """Nanoseconds since 1970 as text of a date and time; anything else as it is."""
    whole = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 20 else value
    if not isinstance(whole, int) or isinstance(whole, bool) or not 10**16 < whole < _LAST_NANOSECOND:
        return value
    return (_EPOCH + timedelta(microseconds=whole // 1000)).isoformat()


def _end(row: Row, start: Any) -> Any:
    lasting = _column(row, _NANOSECONDS)
    begun = _moment(start)
    if lasting is None or not isinstance(lasting, int) or not isinstance(begun, str):
        return _moment(_column(row, _END))
    try:
        return (datetime.fromisoformat(begun) + timedelta(microseconds=lasting // 1000)).isoformat()
    except (ValueError, OverflowError):
        return None


def _status(row: Row) -> Any:
    found = _column(row, _STATUS)
    return cast("Row", found).get("code", 0) if isinstance(found, Mapping) else found


def _column(row: Row, names: tuple[str, ...]) -> Any:
    for name in names:
        found = row.get(name)
        if found is None and name.startswith("context.") and isinstance(row.get("context"), Mapping):
            found = row["context"].get(name[8:])
        if found is not None and found != "":
            return found
    return None


def _either(row: Row, *names: str) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _objects(found: object) -> Iterator[Row]:
    """The objects of a list; `NO_SPAN` for each item that is none, and for what is no list."""
    if found is None:
        return
    for item in cast("list[object]", found) if isinstance(found, list) else [None]:
        yield cast("Row", item) if isinstance(item, Mapping) else NO_SPAN
