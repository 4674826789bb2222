"""Stated token counts as exclusive buckets with inclusive totals, by the convention of whoever stated them.

A figure that the convention leaves open is decided by the stated total, or else by what the parts leave possible:
cached input above the input itself cannot be inside of it.

Here belongs: the arithmetic of classes. Here does not belong: what fields are called, which source counts how
(`conventions`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from connectors.logs.calls import has_output
from connectors.logs.conventions import Convention

MOST_TOKENS = 10**9  # no single attempt comes near; at $999 a million tokens its cost still fits DECIMAL(18,12)


class Buckets(NamedTuple):
    """Tokens by exclusive class, in the contract's order, then both totals, who counted, and how the source counts.

    `is_convention_assumed`: neither the source nor its figures say whether parts are inside, and they were taken so.
    """

    input_uncached_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    input_audio_tokens: int | None
    output_text_tokens: int | None
    output_reasoning_tokens: int | None
    output_audio_tokens: int | None
    input_total_tokens: int | None
    output_total_tokens: int | None
    usage_provenance: str
    input_semantics: str
    is_convention_assumed: bool | None = None


class Counts(NamedTuple):
    """What a source states, under plain names. None is unstated; a part that is unstated is none of it.

    `input_audio_tokens` is audio that was not read from a cache. A cache write whose duration nobody tells is one for
    five minutes.
    """

    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_reasoning_tokens: int | None = None
    output_audio_tokens: int | None = None


class UsageError(ValueError):
    """Usage that contradicts itself. `column` names the field that does not hold."""

    def __init__(self, reason: str, detail: str, column: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.column = column


MISSING = Buckets(*(None,) * 10, usage_provenance="missing", input_semantics="inclusive")
"""No usage: nothing was counted, which is not the same as nothing was used."""


def of_call(counts: Counts, *told: object) -> Counts:
    """The counts, with an output of zero where none is stated and the call has none, by what is told of its kind.

    See `calls.has_output`. Where a total is stated beside the input, the total decides.
    """
    if counts.output_tokens is not None or (counts.input_tokens is None) == (not counts.total_tokens):
        return counts
    return counts if has_output(*told) else counts._replace(output_tokens=0)


def exclusive(counts: Counts, convention: Convention, provenance: str = "provider") -> Buckets:
    """The exclusive buckets of one attempt. `provenance` says who counted, in the contract's words.

    Counts that are zero throughout were not counted: a failed attempt, or a stream that was cut off. They give
    `MISSING`, not zero.

    Raises:
        UsageError: a count is negative or no whole number, half of the usage is not known, the stated total fits no
            reading that the convention allows, or parts exceed what contains them.
    """
    prompt, completion, total, *parts = map(token_count, counts, Counts._fields)
    read, written_5m, written_1h, audio_in, reasoning, audio_out = [count or 0 for count in parts]
    cached = read + written_5m + written_1h
    least = (cached + audio_in, reasoning + audio_out)
    found = _as_stated(prompt, completion, total, least, convention)
    if found is None:
        places = _Places(convention, read, written_5m + written_1h, audio_in, reasoning, audio_out)
        if not (prompt or completion or total or cached or places.outside_input or places.outside_output):
            return MISSING
        found = _inclusive(_halves(prompt, completion, total, places), places, least)
    input_total, output_total, semantics = found
    uncached, text = input_total - least[0], output_total - least[1]
    if uncached < 0:
        raise _exceeded("input_total_tokens", input_total, cached=cached, audio=audio_in)
    if text < 0:
        raise _exceeded("output_total_tokens", output_total, reasoning=reasoning, audio=audio_out)
    classes = (uncached, read, written_5m, written_1h, audio_in, text, reasoning, audio_out)
    parts_of = (read, written_5m + written_1h, reasoning, audio_in, audio_out)
    is_assumed = not total and _is_open(prompt or 0, parts_of, convention)
    return Buckets(*classes, input_total, output_total, provenance, semantics, is_assumed)


def _is_open(prompt: int, parts: tuple[int, int, int, int, int], convention: Convention) -> bool:
    """Whether, without a total, parts could be inside of what is stated or outside; in the convention's order."""
    if "unstated" not in convention:
        return False
    read, written, reasoning, audio_in, audio_out = (
        count if place == "unstated" else 0 for place, count in zip(convention[:5], parts, strict=True)
    )
    return 0 < read + written + audio_in <= prompt or reasoning + audio_out > 0


def _as_stated(
    prompt: int | None, completion: int | None, total: int | None, least: tuple[int, int], convention: Convention
) -> tuple[int, int, str] | None:
    """The likeliest reading by far, found without looking for others: all parts are inside, and the total agrees."""
    if not prompt or completion is None or "outside" in convention:
        return None
    fits = prompt >= least[0] and completion >= least[1] and (not total or total == prompt + completion)
    return (prompt, completion, "inclusive") if fits else None


def token_count(value: object, name: str) -> int | None:
    """The count itself, or None for none. Raises UsageError for what is no whole number that a request can have."""
    if value is None or (type(value) is int and 0 <= value <= MOST_TOKENS):
        return value
    # A text in a number's place could be anything, and is not repeated.
    said = repr(value) if isinstance(value, int | float) else f"no number but {type(value).__name__}"
    raise UsageError("bad_token_count", f"{name} is {said}; a count from 0 to {MOST_TOKENS} was expected")


class _Places:
    """The parts of one attempt, summed by where the convention counts them."""

    __slots__ = ("is_named", "is_outside", "open_input", "open_output", "outside_input", "outside_output")

    def __init__(
        self, convention: Convention, read: int, written: int, audio_in: int, reasoning: int, audio_out: int
    ) -> None:
        at_read, at_written, at_reasoning, at_audio_in, at_audio_out, total = convention
        inputs = ((at_read, read), (at_written, written), (at_audio_in, audio_in))
        outputs = ((at_reasoning, reasoning), (at_audio_out, audio_out))
        self.outside_input = sum([count for at, count in inputs if at == "outside"])
        self.outside_output = sum([count for at, count in outputs if at == "outside"])
        self.open_input = sum([count for at, count in inputs if at == "unstated"])
        self.open_output = sum([count for at, count in outputs if at == "unstated"])
        self.is_outside = at_read == "outside" or at_written == "outside"
        self.is_named = total == "as_named"


def _halves(prompt: int | None, completion: int | None, total: int | None, places: _Places) -> tuple[int, int, int]:
    """Input, output and total as the source names them; a half that is absent follows from the total."""
    said = f"input {prompt}, output {completion}, total {total}"
    if not (prompt or completion or total):
        return 0, 0, 0
    if total:
        named = total - (0 if places.is_named else places.outside_input + places.outside_output)
        if prompt is None and completion is not None:
            prompt = named - completion
        elif completion is None and prompt is not None:
            completion = named - prompt
    if prompt is None or completion is None or prompt < 0 or completion < 0:
        raise UsageError(
            "half_usage",
            f"{said}: one half is not known; let the log state it, or the call's kind where that has no output",
        )
    return prompt, completion, total or 0


def _inclusive(stated: tuple[int, int, int], places: _Places, least: tuple[int, int]) -> tuple[int, int, str]:
    """Inclusive input and output, and whether the source counted cached input inside: the stated total decides.

    Where the total fits more than one reading, the first in which input and output hold at least their parts is taken.
    """
    first = None
    for reading in _readings(stated, places):
        if reading[0] >= least[0] and reading[1] >= least[1]:
            return reading
        first = first or reading
    if first is None:
        raise UsageError(
            "total_does_not_add_up",
            "input {} and output {} do not make the stated total {}".format(*stated)
            + f", with or without their parts ({least[0]} cached or audio, {least[1]} reasoning or audio)",
            "input_total_tokens",
        )
    return first


def _readings(stated: tuple[int, int, int], places: _Places) -> Iterator[tuple[int, int, str]]:
    """What the convention and the stated total allow, the likeliest first: what is unstated is inside, then outside.

    Only a total can say that reasoning is outside. A total of input and output alone does not speak against cached
    input outside of them where it cannot be inside.
    """
    prompt, completion, total = stated
    may_be_inside = places.open_input <= prompt
    is_enough = not total or (not may_be_inside and total == prompt + completion)
    for cached in (0, places.open_input) if may_be_inside else (places.open_input,):
        semantics = "exclusive" if cached or places.is_outside else "inclusive"
        for reasoning in (0, places.open_output):
            input_total = prompt + places.outside_input + cached
            output_total = completion + places.outside_output + reasoning
            expected = prompt + completion if places.is_named else input_total + output_total
            if total == expected or (is_enough and not reasoning):
                yield input_total, output_total, semantics


def _exceeded(column: str, total: int, **parts: int) -> UsageError:
    said = ", ".join(f"{count} {name}" for name, count in parts.items())
    return UsageError("parts_exceed_total", f"{column} is {total}, but its parts are {said}", column)
