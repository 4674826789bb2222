"""LiteLLM's usage as exclusive token buckets with inclusive totals.

LiteLLM counts cached input and reasoning inside of `prompt_tokens` and `completion_tokens`, for Anthropic too
(100 + 400 written + 700 read are 1200). Providers that its own normalisation misses count outside; the stated total
tells the two apart.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

Usage = Mapping[str, Any]
_NOTHING: Usage = {}
_MOST_TOKENS = 10**12  # no single attempt comes near; sums over a month stay within 64 bits


class Buckets(NamedTuple):
    """Tokens by exclusive class, in the contract's order, then both totals, who counted, and how the source counts."""

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


class UsageError(ValueError):
    """Usage that contradicts itself. `column` names the field that does not hold."""

    def __init__(self, reason: str, detail: str, column: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.column = column


MISSING = Buckets(*(None,) * 10, usage_provenance="missing", input_semantics="inclusive")


def buckets(prompt: Any, completion: Any, total: Any, usage: Usage, *, is_stream: bool) -> Buckets:
    """The exclusive buckets of one attempt. `usage` is the logged usage object, empty where there is none.

    Usage that is zero throughout was not counted: a failed attempt, or a stream that was cut off. It gives `MISSING`,
    not zero. Raises UsageError for negative, unreadable or contradictory counts.
    """
    inner: Usage = usage.get("prompt_tokens_details") or _NOTHING
    outer: Usage = usage.get("completion_tokens_details") or _NOTHING
    read, written_5m, written_1h = _cached(usage, inner)
    cached = read + written_5m + written_1h
    stated = _stated(usage.get("prompt_tokens", prompt), usage.get("completion_tokens", completion), total, usage)
    if stated is None and not cached:
        return MISSING
    reasoning = _part(outer, "reasoning_tokens")
    audio_in = _part(inner, "audio_tokens") - _part(inner.get("cached_tokens_details") or _NOTHING, "audio_tokens")
    audio_out = _part(outer, "audio_tokens")
    least = (cached + audio_in, reasoning + audio_out)
    input_total, output_total, semantics = _inclusive(stated or (0, 0, 0), cached, reasoning, least)
    uncached = _rest(input_total, {"cached": cached, "audio": audio_in}, "input_total_tokens")
    text = _rest(output_total, {"reasoning": reasoning, "audio": audio_out}, "output_total_tokens")
    # A streamed answer whose usage has no details was counted by the gateway's tokenizer: providers give details.
    provenance = "gateway_tokenizer" if is_stream and not inner and not outer and not cached else "provider"
    classes = (uncached, read, written_5m, written_1h, audio_in, text, reasoning, audio_out)
    return Buckets(*classes, input_total, output_total, provenance, semantics)


def _stated(prompt: Any, completion: Any, total: Any, usage: Usage) -> tuple[int, int, int] | None:
    """Input, output and total as the log states them; a single absent one follows from the others.

    None where nothing was counted: all absent or zero.
    """
    found = [
        None if value is None else _count(value, name)
        for value, name in (
            (prompt, "prompt_tokens"),
            (completion, "completion_tokens"),
            (usage.get("total_tokens", total), "total_tokens"),
        )
    ]
    if not any(found):
        return None
    known_prompt, known_completion, known_total = found
    if known_prompt is None and known_completion is not None and known_total:
        known_prompt = known_total - known_completion
    if known_completion is None and known_prompt is not None and known_total:
        known_completion = known_total - known_prompt
    if known_prompt is None or known_completion is None or min(known_prompt, known_completion) < 0:
        raise UsageError("half_usage", f"input {prompt}, output {completion}, total {total}: one half is not known")
    return known_prompt, known_completion, known_total or 0


def _inclusive(
    stated: tuple[int, int, int], cached: int, reasoning: int, least: tuple[int, int]
) -> tuple[int, int, str]:
    """Inclusive input and output, and whether the source counted cached input inside: the stated total decides.

    Without a total, cached input above the input itself cannot be inside of it. Where the total fits more than one
    reading, the first in which input and output hold at least their parts (`least`) is taken.
    """
    prompt, completion, total = stated
    may_be_inside = cached <= prompt
    sufficient = {0} if may_be_inside else {0, prompt + completion}
    fitting: list[tuple[int, int, str]] = []
    for cached_outside in (0, cached) if may_be_inside else (cached,):
        for reasoning_outside in (0, reasoning):
            given = (prompt + cached_outside, completion + reasoning_outside)
            if total == sum(given) or (total in sufficient and not reasoning_outside):
                fitting.append((*given, "exclusive" if cached_outside else "inclusive"))
    if not fitting:
        raise UsageError(
            "total_does_not_add_up",
            f"input {prompt} and output {completion} do not make the stated total {total}, with or without "
            f"{cached} cached and {reasoning} reasoning",
            "input_total_tokens",
        )
    return next((reading for reading in fitting if reading[0] >= least[0] and reading[1] >= least[1]), fitting[0])


def _cached(usage: Usage, inner: Usage) -> tuple[int, int, int]:
    """Cached input: read, written for five minutes, written for an hour.

    The same figure stands in up to three places, of which some stay zero: the largest is the one that was counted.
    """
    read = max(_part(inner, "cached_tokens"), _part(usage, "cache_read_input_tokens"))
    by_duration: Usage = inner.get("cache_creation_token_details") or _NOTHING
    written_5m = _part(by_duration, "ephemeral_5m_input_tokens")
    written_1h = _part(by_duration, "ephemeral_1h_input_tokens")
    written = max(
        _part(inner, "cache_creation_tokens"),
        _part(inner, "cache_write_tokens"),
        _part(usage, "cache_creation_input_tokens"),
    )
    return read, max(written - written_1h, written_5m), written_1h


def _rest(total: int, parts: Mapping[str, int], column: str) -> int:
    rest = total - sum(parts.values())
    if rest < 0 or min(parts.values()) < 0:
        said = ", ".join(f"{count} {name}" for name, count in parts.items())
        raise UsageError("parts_exceed_total", f"{column} is {total}, but its parts are {said}", column)
    return rest


def _part(usage: Usage, name: str) -> int:
    """A part that the usage may leave out: then there is none of it."""
    value = usage.get(name)
    return 0 if value is None else _count(value, name)


def _count(value: Any, name: str) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
        raise UsageError("bad_token_count", f"{name} is {value!r}; a count from 0 to {_MOST_TOKENS} was expected")
    return value
