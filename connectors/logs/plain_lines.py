"""Lines of JSON straight to landed lines, without building what is not landed: prompts are most of a log's bytes.

The allow-list and its lines are those of `allow_list`. What its commonest rules ask is asked by the decoder's types and
of the finished line as a whole, the other rules run as ever. A row that is not plain (another kind of value than
expected, an e-mail address, a sign beyond ASCII) is left to the rules altogether: here nothing is changed or refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from connectors.logs.allow_list import Fields, Rules
from connectors.logs.files import Quick
from connectors.logs.instants import microseconds
from connectors.logs.values import LONGEST_TEXT, Rule, count, flag

_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
_Count = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_EMPTY = (b':""', b":{}")
_Types = dict[Rule, Any]
_Ruled = tuple[tuple[str, ...], list[tuple[str, Rule]]]
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PlainForm:
    """What a plain row of a log looks like.

    `fields` is its allow-list, whose texts follow `rules`; `started` is the field that says when it started. A
    row has all the fields in `needed` and none of those in `barred`.
    """

    fields: Fields
    rules: Rules
    started: str
    needed: frozenset[str] = _NONE
    barred: frozenset[str] = _NONE


IsWanted = Callable[[int | None], bool]
"""Whether a row is asked for that started at this microsecond since 1970."""
PlainLines = Callable[[IsWanted], Quick]
"""From what is wanted to a function that lands plain lines; of rows that are not wanted, nothing."""


def plain_lines(form: PlainForm) -> PlainLines:
    """The form as a function."""
    plain_types: _Types = {form.rules.text: _Text, count: _Count, flag: bool}
    row_type = _struct(form.fields, plain_types, form.needed, form.barred)
    decode, encode = msgspec.json.Decoder(row_type).decode, msgspec.json.Encoder().encode
    started = attrgetter(f"f{sorted(form.fields).index(form.started)}")
    objects = list(_ruled(form.fields, plain_types))

    def quick(is_wanted: IsWanted) -> Quick:
        def landed(line: bytes) -> bytes | None:
            try:
                row = decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return None
            if not is_wanted(microseconds(started(row))):
                return b""
            for path, rules in objects:
                _apply(rules, row, path)
            shown = encode(row)
            if b"\\" in shown or b"@" in shown or b"\x7f" in shown or not shown.isascii():
                return None  # quotes and control characters are written with the first of these
            return _without_empty(shown) + b"\n"

        return landed

    return quick


def _apply(rules: list[tuple[str, Rule]], row: Any, path: tuple[str, ...]) -> None:
    """Puts what the rules give in the place of what an object holds."""
    for name in path:
        row = getattr(row, name)
        if row is None:
            return
    for name, rule in rules:
        value = getattr(row, name)
        if value is not None:
            setattr(row, name, rule(value))


def _struct(
    fields: Fields, plain_types: _Types, needed: frozenset[str] = _NONE, barred: frozenset[str] = _NONE
) -> type[msgspec.Struct]:
    """The fields as a type: in the order of their names, as landed lines have them."""
    names = {f"f{n}": name for n, name in enumerate(sorted(fields))}
    found: list[Any] = []
    for attribute, name in names.items():
        rule = fields[name]
        kind = _struct(rule, plain_types) if isinstance(rule, dict) else plain_types.get(rule, Any)
        found.append((attribute, kind) if name in needed else (attribute, kind | None, None))
    for n, name in enumerate(sorted(barred)):
        names[f"barred{n}"] = name
        found.append((f"barred{n}", msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct("Row", found, rename=names, omit_defaults=True, kw_only=True, gc=False)


def _ruled(fields: Fields, plain_types: _Types, path: tuple[str, ...] = ()) -> Iterator[_Ruled]:
    """Each object of which the types do not say everything: where it is, and the rules of its other fields."""
    rules: list[tuple[str, Rule]] = []
    for n, name in enumerate(sorted(fields)):
        rule = fields[name]
        if isinstance(rule, dict):
            yield from _ruled(rule, plain_types, (*path, f"f{n}"))
        elif rule not in plain_types:
            rules.append((f"f{n}", rule))
    if rules:
        yield path, rules


def _without_empty(line: bytes) -> bytes:
    """The line without empty texts and objects, which say nothing. It is plain: no text in it holds a quote."""
    for mark in _EMPTY:
        at = line.find(mark)
        while at >= 0:
            if line.count(b'"', 0, at) % 2:  # it stands in a text, which may well say `prompt_version:{}`
                at = line.find(mark, at + 1)
                continue
            start, end = line.rfind(b'"', 0, at - 1), at + len(mark)
            if line[end : end + 1] == b",":
                end += 1
            elif line[start - 1 : start] == b",":
                start -= 1
            line = line[:start] + line[end:]
            at = line.find(mark)  # what holds it may be empty now
    return line
