"""What of an outcome may be landed, and the row of `outcomes` that a landed one becomes.

Landed records name the mapping's fields, not the source's: `outcome_id`, `occurred_at`, `result`.
"""

from collections.abc import Mapping
from typing import Any

from connectors.exact import read_decimal
from connectors.logs.allow_list import AllowList, named, rules_of
from connectors.logs.attempt import Record, RowError
from connectors.logs.instants import microseconds
from connectors.logs.paths import value_at
from connectors.logs.values import FURTHEST_ON_A_SCALE, Rule, flag, instant, money
from connectors.outcomes.settings import PER_SECOND, SORTS, Mapped

ESSENTIAL = frozenset({"outcome_id", "outcome_kind", "occurred_at", "is_success", "quality_value"})
"""Fields of which a value of the wrong kind refuses the row."""

_TEXTS = tuple(name for name, sort in SORTS.items() if sort in ("text", "person"))


def allowed(settings: Mapped) -> AllowList:
    """The mapping as an allow-list: what it names, by the sort of value that the field holds; nothing else."""
    return named((name, path, _rule(settings, name)) for name, path in settings.fields.items())


def happened(settings: Mapped, row: Mapping[str, Any]) -> int | None:
    """When the event of a source's row happened, in microseconds since 1970; None where it cannot be read."""
    return _instant(settings, value_at(row, settings.fields["occurred_at"]))


def staged_outcome(settings: Mapped, landed: Record) -> dict[str, Any]:
    """The contract's columns of one event, all but those of the delivery itself.

    Raises RowError when it has no id, no kind or no instant, or a word that nobody said the meaning of.
    """
    record: dict[str, Any] = {**settings.constants, **_translated(settings, landed)}
    for name in ("outcome_id", "outcome_kind"):
        if not record.get(name):
            raise RowError(f"missing_{name}", f"the row says nothing under {settings.fields.get(name)!r}", name)
    occurred = _instant(settings, record.get("occurred_at"))
    if occurred is None:
        raise RowError("unreadable_time", _no_time(settings, record), "occurred_at")
    unknown = {name: landed[name] for name in landed.keys() - set(settings.fields)}
    return {
        **{name: record.get(name) for name in _TEXTS},
        "occurred_at": occurred,
        "is_success": _truth(record),
        "quality_value": _number(record),
        "x_extra": unknown or None,
    }


def _rule(settings: Mapped, name: str) -> Rule:
    rules = rules_of(settings.hash_key)
    if name in settings.words or name == "result":
        return _worded(rules.text)
    by_sort: Mapping[str, Rule] = {
        "text": rules.text,
        "person": rules.person,
        "instant": instant if settings.time_unit == "iso" else money,
        "flag": flag,
        "number": money,
    }
    return by_sort[SORTS[name]]


def _worded(text: Rule) -> Rule:
    """Short text; a truth value is its word."""

    def worded(value: object) -> object:
        return text(str(value).lower() if isinstance(value, bool) else value)

    return worded


def _translated(settings: Mapped, landed: Record) -> dict[str, Any]:
    record = dict(landed)
    for name, words in settings.words.items():
        if name in record:
            record[name] = words.get(record[name], record[name])
    return record


def _truth(record: Record) -> bool | None:
    word = record.get("is_success")
    found = flag(word)
    if found is None or isinstance(found, bool):
        return found
    raise RowError(
        "unknown_word", f"is_success is {word!r}; say what it means with words: {{is_success: {{{word}: true}}}}",
        "is_success",
    )  # fmt: skip


def _number(record: Record) -> float | None:
    value = record.get("quality_value")
    if value is None:
        return None
    found = read_decimal(str(value))
    if found is None:
        raise RowError("no_number", f"quality_value is {value!r}, which is no number", "quality_value")
    if abs(found) > FURTHEST_ON_A_SCALE:
        problem = f"quality_value is {value!r}, beyond every scale (-1,000,000 to 1,000,000); map another field"
        raise RowError("beyond_scale", problem, "quality_value")
    return float(found)


def _instant(settings: Mapped, value: Any) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    if settings.time_unit == "iso":
        return microseconds(value if instant(value) == value else None)
    found = read_decimal(str(value))
    return None if found is None else microseconds(float(found / PER_SECOND[settings.time_unit]))


def _no_time(settings: Mapped, record: Record) -> str:
    path, value = settings.fields["occurred_at"], record.get("occurred_at")
    if value is None:
        return f"fields.occurred_at takes it from {path!r}, and the row has nothing there; correct the path"
    return (
        f"{path!r} is {value!r}, which time_unit: {settings.time_unit} does not read as an instant of 2015 to 2099; "
        "set time_unit to iso, s, ms, us or ns"
    )
