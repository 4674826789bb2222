"""What of a record may be landed. Everything that an allow-list does not name is dropped before anything is written.

A list is a nested dictionary of fields and their rules (`values`); `allow_list` makes one function of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from pydantic import SecretStr

from connectors.logs.paths import value_at
from connectors.logs.values import (
    WITHHELD,
    Rule,
    address_rule,
    json_value,
    key_rule,
    keyed_hash,
    person_rule,
    tags_rule,
    text_rule,
)

Fields = dict[str, "Rule | Fields"]
Redactor = Callable[[Mapping[str, Any]], dict[str, Any]]


class UnlandableError(ValueError):
    """A row that is no row of this log: nothing of it may be landed. `reason` says what it is instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class AllowList:
    """`redact` gives what may be landed of a row, or raises UnlandableError; `known` are its top-level fields."""

    redact: Redactor
    known: frozenset[str]


class Rules(NamedTuple):
    """The rules that hash people and addresses under the settings' key."""

    text: Rule
    person: Rule
    key: Rule
    address: Rule
    tags: Rule


def rules_of(hash_key: SecretStr) -> Rules:
    """The rules under that key. Rules without a key (`count`, `money`, `flag`, `instant`) are in `values`."""
    hashed = keyed_hash(hash_key.get_secret_value())
    text = text_rule(hashed)
    return Rules(text, person_rule(hashed), key_rule(hashed), address_rule(text), tags_rule(text))


def allow_list(fields: Fields) -> AllowList:
    """The fields as an allow-list."""
    return AllowList(compiled(fields), frozenset(fields))


def allow(fields: Fields, path: str, rule: Rule) -> None:
    """Adds the field at the dotted path, where the list does not already know it."""
    _allow(fields, path.split("."), rule)


def at(record: Mapping[str, Any], path: str) -> Any:
    """What a landed record holds at the dotted path; None for nothing, and for an object."""
    found: Any = record
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if not isinstance(found, Mapping) else None


def each_of(names: str | Iterable[str], rule: Rule) -> Fields:
    """The same rule for several fields: their names, or a text of them with spaces between."""
    return dict.fromkeys(names.split() if isinstance(names, str) else names, rule)


def compiled(fields: Fields) -> Redactor:
    """The fields as one function: what is absent or empty of meaning is left out."""
    names = tuple(sorted(fields))  # landed lines have their keys in order: so nothing is left to be sorted there
    found = [fields[name] for name in names]
    rules = tuple(object_rule(rule) if isinstance(rule, dict) else rule for rule in found)

    def redact(row: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, rule, value in zip(names, rules, map(row.get, names), strict=True):
            if value is not None and (shown := rule(value)) is not None:
                kept[name] = shown
        return kept

    return redact


def named(wanted: Iterable[tuple[str, str, Rule]]) -> AllowList:
    """The list of a mapping: each field's own name, the dotted path where a row has it, and its rule."""
    fields = tuple(wanted)

    def redact(row: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, path, rule in fields:
            value = value_at(row, path)
            if value is not None and (shown := rule(value)) is not None:
                kept[name] = shown
        return kept

    return AllowList(redact, frozenset(name for name, _, _ in fields))


def object_rule(fields: Fields) -> Rule:
    """The rule of a field that holds an object, or an object as text (a jsonb column in a CSV export)."""
    redact = compiled(fields)

    def rule(value: object) -> object:
        if type(value) is dict:
            return redact(cast("dict[str, Any]", value)) or None
        found = json_value(value) if isinstance(value, str) else value
        if not isinstance(found, dict):
            return None if found in (None, "", []) else WITHHELD
        return redact(cast("dict[str, Any]", found)) or None

    return rule


def _allow(fields: Fields, path: list[str], rule: Rule) -> None:
    name, *rest = path
    if not rest:
        fields.setdefault(name, rule)
        return
    inner = fields.setdefault(name, {})
    if isinstance(inner, dict):
        fields[name] = inner = dict(inner)
        _allow(inner, rest, rule)
