"""What of an outcome may be landed, and the row of `outcomes` that a landed one becomes.

Landed records name the mapping's fields, not the source's: `outcome_id`, `occurred_at`, `result`.
"""

from collections.abc import Mapping
from typing import Any

from connectors.exact import read_decimal
from connectors.logs.allow_list import AllowList, named, rules_of
from connectors.logs.attempt import Record, RowError
from connectors.logs.forms import DECIMAL, TEXT, instant_form, truth_form, unread_instant
from connectors.logs.instants import in_unit
from connectors.logs.paths import value_at
from connectors.logs.values import FURTHEST_ON_A_SCALE, Rule, flag, instant, money
from connectors.logs.words import TRUTHS, UnknownWordError, translated
from connectors.outcomes.settings import SORTS, Mapped

ESSENTIAL = frozenset({"outcome_id", "outcome_kind", "occurred_at", "is_success", "quality_value"})
"""Fields of which a value of the wrong kind refuses the row."""

THERE = "in the source's rows"  # as words about a refusal call the place of its own paths
_TEXTS = tuple(name for name, sort in SORTS.items() if sort in ("text", "person"))


def allowed(settings: Mapped) -> AllowList:
    """The mapping as an allow-list: what it names, by the sort of value that the field holds; nothing else."""
    return named((name, path, _rule(settings, name)) for name, path in settings.fields.items())


def happened(settings: Mapped, row: Mapping[str, Any]) -> int | None:
    """When the event of a source's row happened, in microseconds since 1970; None where it cannot be read."""
    return in_unit(settings.time_unit, value_at(row, settings.fields["occurred_at"]))


def forms(settings: Mapped) -> Mapping[str, str]:
    """What was expected in each landed field, with the remedy; see `connectors.logs.forms`."""
    by_sort: Mapping[str, str] = {"instant": instant_form(settings.time_unit), "number": DECIMAL}
    return {
        name: truth_form(name) if SORTS[name] == "flag" else by_sort.get(SORTS[name], TEXT) for name in settings.fields
    }


def staged_outcome(settings: Mapped, landed: Record) -> dict[str, Any]:
    """The contract's columns of one event, all but those of the delivery itself.

    Raises RowError when it has no id, no kind or no instant, or a word that nobody said the meaning of.
    """
    record: dict[str, Any] = {**settings.constants, **translated(settings.words, landed)}
    for name in ("outcome_id", "outcome_kind"):
        if not record.get(name):
            told = f"fields.{name} takes it from {settings.fields.get(name)!r}, and the row has nothing there"
            raise RowError(f"missing_{name}", f"{told}; correct the path, or let the source write it", name)
    written = record.get("occurred_at")
    occurred = in_unit(settings.time_unit, written)
    if occurred is None:
        told = unread_instant("occurred_at", settings.fields["occurred_at"], settings.time_unit, written)
        raise RowError("unreadable_time", told, "occurred_at")
    unknown = {name: landed[name] for name in landed.keys() - set(settings.fields)}
    return {
        **{name: record.get(name) for name in _TEXTS},
        "occurred_at": occurred,
        "is_success": _truth(settings, record),
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


def _truth(settings: Mapped, record: Record) -> bool | None:
    word = record.get("is_success")
    found = flag(word)
    if found is None or isinstance(found, bool):
        return found
    known = settings.words.get("is_success", {})
    raise UnknownWordError("unknown_word", "is_success", str(word), TRUTHS, known)


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
