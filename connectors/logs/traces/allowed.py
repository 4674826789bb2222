"""What of a span may be landed: ids, times, counts and short names. Prompts, answers and tools have no name here."""

import math
import re
from collections.abc import Mapping
from typing import Any, cast

from connectors.logs.allow_list import AllowList, Fields, Rules, UnlandableError, compiled, each_of, rules_of
from connectors.logs.traces.names import (
    AMOUNTS,
    COUNTS,
    ENVIRONMENT,
    OF_ANY_SPAN,
    SERVICE,
    SHORT_TEXTS,
    STREAM,
    TAGS,
    USER,
    operation_of,
)
from connectors.logs.traces.settings import TraceSettings
from connectors.logs.values import WITHHELD, Rule, count, flag, instant, money

_ID = re.compile(r"[0-9a-fA-F]{1,32}", re.ASCII)
_SAMPLING = re.compile(r"(?:^|,)\s*ot=(?:[^,;]*;)*th:(?P<threshold>[0-9a-f]{1,14})(?:[;,]|$)", re.ASCII)
_ERRORS = frozenset({"2", "ERROR", "STATUS_CODE_ERROR"})
_OTHERS = frozenset({"0", "1", "OK", "UNSET", "STATUS_CODE_OK", "STATUS_CODE_UNSET"})


def allowed(settings: TraceSettings) -> AllowList:
    """The fields of a span in the common shape (`spans`); of a span that is none of a model's only who it is of."""
    rules = rules_of(settings.hash_key)
    fields: Fields = {
        **each_of("trace_id span_id parent_id", _id),
        **each_of("start end", instant),
        "status": _status,
        "scope": rules.text,
        "sampling": _sampling,
        "attributes": _attributes(rules),
        "metadata": each_of(settings.wanted_keys, rules.text),
        "resource": each_of((*SERVICE, *ENVIRONMENT, *settings.wanted_keys), rules.text),
    }
    redact = compiled(fields)

    def span(row: Mapping[str, Any]) -> dict[str, Any]:
        if not row:
            raise UnlandableError("unknown_format")
        kept = redact(row)
        attributes: Mapping[str, Any] = kept.get("attributes") or {}
        if operation_of(attributes) is None:
            for name in ("end", "status", "scope", "resource"):
                kept.pop(name, None)
            kept["attributes"] = {name: value for name, value in attributes.items() if name in OF_ANY_SPAN}
        return {name: value for name, value in kept.items() if value != {}}

    return AllowList(span, frozenset(fields))


def _attributes(rules: Rules) -> Rule:
    """The rule of a span's attributes: of the hundred that may be landed most spans have few."""
    named: Mapping[str, Rule] = {
        **dict.fromkeys(SHORT_TEXTS, rules.text),
        **dict.fromkeys(USER, rules.person),
        **dict.fromkeys(STREAM, flag),
        **dict.fromkeys(COUNTS, _token_count),
        **dict.fromkeys(AMOUNTS, money),
        TAGS: rules.tags,
    }

    def attributes(value: object) -> object:
        if not isinstance(value, Mapping):
            return WITHHELD
        held = cast("Mapping[str, object]", value)
        shown = {name: named[name](held[name]) for name in held.keys() & named.keys()}
        return {name: kept for name, kept in shown.items() if kept is not None} or None

    return attributes


def _id(value: object) -> object:
    """A trace's or span's id; a root's parent is empty or zero."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _ID.fullmatch(value):
        return WITHHELD
    return value.lower() if value.strip("0") else None


def _status(value: object) -> object:
    word = str(value).upper()
    return "failure" if word in _ERRORS else "success" if word in _OTHERS else WITHHELD


def _sampling(value: object) -> object:
    """Of a trace state only the threshold of consistent sampling, where it is not that of everything."""
    found = _SAMPLING.search(value) if isinstance(value, str) else None
    return found["threshold"] if found and found["threshold"].strip("0") else None


def _token_count(value: object) -> object:
    """A count; stores that compute with doubles give 1023.9999999 for 1024."""
    if isinstance(value, float) and math.isfinite(value) and abs(value - round(value)) < 0.01:
        return count(round(value))
    return count(value)
