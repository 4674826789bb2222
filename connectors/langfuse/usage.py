"""Langfuse's usage details as exclusive token buckets.

Langfuse files what it normalises (OpenAI's shape, OpenTelemetry) in exclusive buckets with a `total` beside them; what
a caller states itself it files as it came, and adds the sum of all keys as the total where there is none.
Source of the names: the ingestion and the default price list of Langfuse.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from connectors.logs.attempt import Record
from connectors.logs.buckets import Buckets, Counts, UsageError, exclusive, of_call
from connectors.logs.conventions import CONVENTIONS, Convention
from connectors.logs.usage_fields import most, part
from connectors.logs.values import count

Reading = Literal["auto", "exclusive", "inclusive"]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "input": ("input", "input_tokens", "prompt_tokens", "promptTokens", "prompt_token_count", "promptTokenCount"),
    "output": (
        "output",
        "output_tokens",
        "completion_tokens",
        "completionTokens",
        "candidates_token_count",
        "candidatesTokenCount",
    ),
    "total": ("total", "total_tokens", "totalTokens", "total_token_count", "totalTokenCount"),
    "read": (
        "input_cached_tokens",
        "input_cache_read",
        "input_cache_read_tokens",
        "cache_read_input_tokens",
        "cached_tokens",
        "cached_content_token_count",
        "cachedContentTokenCount",
    ),
    "written": (
        "input_cache_creation",
        "input_cache_creation_tokens",
        "input_cache_write",
        "cache_creation_input_tokens",
    ),
    "written_5m": ("input_cache_creation_5m",),
    "written_1h": ("input_cache_creation_1h",),
    "audio_in": ("input_audio_tokens", "input_audio"),
    "reasoning": (
        "output_reasoning_tokens",
        "output_reasoning",
        "reasoning_tokens",
        "thoughts_token_count",
        "thoughtsTokenCount",
    ),
    "audio_out": ("output_audio_tokens", "output_audio"),
}
"""Names of each class. One class stands under one name, or is repeated under another."""

KNOWN = frozenset(name for names in _NAMES.values() for name in names)
_A_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}", re.ASCII)
_INSIDE = Convention("inside", "inside", "inside", "inside", "inside")


def usage_rule(found: object) -> object:
    """What may be landed of usage details: known names whatever they hold, others where they hold a count."""
    if not isinstance(found, dict):
        return None if found in (None, "") else count(found)
    kept = dict[str, object]()
    for name, value in found.items():
        shown = count(value)
        if shown is not None and (name in KNOWN or (isinstance(shown, int) and is_name(name))):
            kept[name] = shown
    return kept


def is_name(text: str) -> bool:
    """Whether a key of usage or cost is the name of something, and no text."""
    return _A_NAME.fullmatch(text) is not None


def used(details: Record, reading: Reading, *, told: Iterable[object], provenance: str) -> Buckets:
    """The exclusive buckets of one observation.

    Args:
        details: usage details as landed.
        reading: how the project's callers count, see the settings.
        told: what tells its kind, its type and model; an embedding has no output to state.
        provenance: who counted.

    Raises:
        UsageError: the usage contradicts itself, or that way of counting.
    """
    counts = of_call(_counts(details), *told)
    if reading == "inclusive":
        is_own_sum = counts.total_tokens == _sum_of_keys(details)
        inside = counts._replace(total_tokens=None) if is_own_sum else counts
        return exclusive(inside, _INSIDE, provenance)
    beside = _with_others(counts, details)
    try:
        return exclusive(beside, CONVENTIONS["langfuse"], provenance)
    except UsageError as error:
        if reading == "exclusive":
            raise
        return _inside(counts, error, provenance)


def others(details: Record) -> dict[str, int]:
    """Usage under names that are no known class."""
    return {name: value for name, value in details.items() if name not in KNOWN}


def is_tokenized(model: str | None, patterns: tuple[str, ...]) -> bool:
    """Whether Langfuse itself counts that model's tokens, by the settings."""
    return model is not None and any(fnmatchcase(model, pattern) for pattern in patterns)


def _inside(counts: Counts, refusal: UsageError, provenance: str) -> Buckets:
    try:
        return exclusive(counts, CONVENTIONS["langfuse_free_form"], provenance)
    except UsageError:
        raise refusal from None


def _with_others(counts: Counts, details: Record) -> Counts:
    """Langfuse itself counts every name with `input` in it as input, and every one with `output` as output.

    What is neither (searches, seconds) is no token; where the stated total is the sum of all keys, it leaves the total.
    """
    placed = {"input": 0, "output": 0}
    unplaced = 0
    for name, value in others(details).items():
        half = next((half for half in placed if half in name.lower()), None)
        if half is None:
            unplaced += value
        else:
            placed[half] += value
    total = counts.total_tokens
    return counts._replace(
        input_tokens=_sum(counts.input_tokens, placed["input"]),
        output_tokens=_sum(counts.output_tokens, placed["output"]),
        total_tokens=total - unplaced if total is not None and total == _sum_of_keys(details) else total,
    )


def _sum(stated: int | None, more: int) -> int | None:
    return stated if not more else (stated or 0) + more


def _sum_of_keys(details: Record) -> int:
    return sum(value for name, value in details.items() if name not in _NAMES["total"])


def _counts(details: Record) -> Counts:
    found = {kind: most(*(part(details, name) for name in names)) for kind, names in _NAMES.items()}
    is_stated = {kind: any(details.get(name) is not None for name in names) for kind, names in _NAMES.items()}
    by_duration = found["written_5m"] + found["written_1h"]
    # One figure for both durations is their sum, or the rest that has none.
    written = 0 if found["written"] == by_duration else found["written"]
    return Counts(
        input_tokens=found["input"] if is_stated["input"] else None,
        output_tokens=found["output"] if is_stated["output"] else None,
        total_tokens=found["total"] or None,
        cache_read_tokens=found["read"],
        cache_write_5m_tokens=found["written_5m"] + written,
        cache_write_1h_tokens=found["written_1h"],
        input_audio_tokens=found["audio_in"],
        output_reasoning_tokens=found["reasoning"],
        output_audio_tokens=found["audio_out"],
    )
