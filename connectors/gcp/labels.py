"""Labels as the export writes them, as one JSON object of texts."""

import ast
from typing import Any, cast

import orjson

UNREADABLE = "unreadable_labels"


def read_labels(text: str) -> tuple[str | None]:
    """Labels (a list of key and value, as JSON or as Python writes it) as a JSON object with sorted keys.

    None for no labels. The values of a key that repeats are joined by commas; what is no such list is kept whole, under
    the key `unreadable_labels`.
    """
    found = _pairs(text)
    if found is None:
        return (_json({UNREADABLE: text}),)
    labels = dict[str, str]()
    for key, value in found:
        labels[key] = f"{labels[key]},{value}" if key in labels else value
    return (_json(labels) if labels else None,)


def _pairs(text: str) -> list[tuple[str, str]] | None:
    entries = _parsed(text)
    if entries is None:
        return []
    if not isinstance(entries, list):
        return None
    pairs = list[tuple[str, str]]()
    for entry in cast("list[Any]", entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            return None
        value = entry.get("value")
        pairs.append((entry["key"], "" if value is None else str(value)))
    return pairs


def _parsed(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text


def _json(labels: dict[str, str]) -> str:
    return orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode()
