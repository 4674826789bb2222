"""One score of Langfuse: what of it may be landed, and the row of `outcome_scores` that it becomes.

Here belongs: the fields of version 3 of the API, and of the export. Here does not belong: pages, files.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any, cast

from connectors.langfuse.export import api_names
from connectors.langfuse.settings import LangfuseScoresSettings
from connectors.logs.allow_list import AllowList, Fields, allow_list, each_of, rules_of
from connectors.logs.attempt import NOTHING, Record, RowError
from connectors.logs.instants import microseconds
from connectors.logs.values import FURTHEST_ON_A_SCALE, instant, money

DATA_TYPES = ("NUMERIC", "BOOLEAN", "CATEGORICAL")
"""Kinds of scores that are read. Texts and corrections are content, and are not."""

ESSENTIAL = frozenset({"id", "name", "dataType", "timestamp", "value", "stringValue"})
_SUBJECTS = {"trace": "traceId", "observation": "observationId", "session": "sessionId"}


def allowed(settings: LangfuseScoresSettings) -> AllowList:
    """The fields of a score: no comment, no metadata, nobody who scored."""
    text = rules_of(settings.hash_key).text
    fields: Fields = {
        **each_of("id traceId observationId sessionId name dataType stringValue source environment", text),
        **each_of("timestamp updatedAt", instant),
        "value": money,
    }
    return allow_list(fields)


def is_asked_for(settings: LangfuseScoresSettings, row: Mapping[str, Any]) -> bool:
    """Whether a row, under the API's names, is a score that the settings name, or none that can be told."""
    return row.get("name", settings.names[0]) in settings.names and row.get("dataType", "NUMERIC") in DATA_TYPES


def of_api(row: Mapping[str, Any]) -> dict[str, Any]:
    """A score of the API: its subject as ids, its value as a number or a text."""
    found: dict[str, Any] = {name: value for name, value in row.items() if name != "subject"}
    subject = cast("Record", row["subject"]) if isinstance(row.get("subject"), dict) else NOTHING
    if (name := _SUBJECTS.get(str(subject.get("kind")))) is not None:
        found[name] = subject.get("id")
    if subject.get("traceId") is not None:
        found["traceId"] = subject["traceId"]
    return _typed(found)


def of_export(row: Mapping[str, Any]) -> dict[str, Any]:
    """A score of the export under the API's names."""
    return _typed(api_names(row))


def staged_score(record: Record, known: frozenset[str]) -> dict[str, Any]:
    """The contract's columns of one score, all but those of the delivery itself.

    Raises RowError when it has no identity, no instant, or no value of its kind.
    """
    for name in ("id", "name"):
        if not record.get(name):
            raise RowError(f"missing_{name}", f"the score has no {name}", name)
    scored = microseconds(record.get("timestamp"))
    if scored is None:
        raise RowError("unreadable_time", "the score has no readable timestamp; UTC text was expected", "timestamp")
    kind = str(record.get("dataType"))
    is_number = kind in ("NUMERIC", "BOOLEAN")
    value = record.get("value") if is_number else record.get("stringValue")
    if kind not in DATA_TYPES or value is None:
        raise RowError("no_value", f"a score of type {kind} without a value of it", "value")
    if is_number and not isfinite(float(value)):
        raise RowError("no_value", f"{value} is no number that a score can have", "value")
    if is_number and abs(float(value)) > FURTHEST_ON_A_SCALE:
        problem = f"a score of {value}, beyond every scale (-1,000,000 to 1,000,000); leave the score out of names"
        raise RowError("beyond_scale", problem, "value")
    unknown = {name: record[name] for name in record.keys() - known}
    return {
        "score_id": record["id"],
        "trace_id": record.get("traceId"),
        "observation_id": record.get("observationId"),
        "session_id": record.get("sessionId"),
        "score_name": record["name"],
        "data_type": kind.lower(),
        "score_value": float(value) if is_number else None,
        "score_category": None if is_number else value,
        "score_source": str(record["source"]).lower() if record.get("source") else None,
        "environment": record.get("environment"),
        "scored_at": scored,
        "x_extra": unknown or None,
    }


def _typed(found: dict[str, Any]) -> dict[str, Any]:
    """Version 3 has one value of the score's own kind; before, and in the export, a text stands beside the number."""
    value, kind = found.get("value"), found.get("dataType")
    if isinstance(value, bool):
        found["value"] = int(value)
    elif kind == "CATEGORICAL":
        found["stringValue"] = found.get("stringValue") or value
        found["value"] = None
    else:
        found["stringValue"] = None
    return found
