"""The organisation's token counts as exclusive classes.

The provider counts inclusively: `input_tokens` = uncached + cached + cache writes, and each of these again by modality.
What it leaves out is derived where the rest determines it, and is unknown otherwise: never zero.
"""

from collections.abc import Mapping, Sequence

from connectors.fields import JsonRow, RowError, count

Tokens = dict[str, int | None]

_MODALITIES = ("text", "audio", "image")
KEPT_APART = frozenset(
    {
        "input_image_tokens",
        "input_cached_text_tokens",
        "input_cached_audio_tokens",
        "input_cached_image_tokens",
        "output_image_tokens",
    }
)
"""Parts by modality that have no column: they are kept in `x_extra` where there are any."""


def completion_tokens(row: JsonRow) -> Tokens:
    """The columns of a completions result. Raises RowError when its numbers contradict each other."""
    total, output = _required(row, "input_tokens"), _required(row, "output_tokens")
    uncached, cached, short, long = _input_parts(row, total)
    audio = count(row, "input_audio_tokens")
    _hold("input_uncached_tokens", uncached, {m: count(row, f"input_{m}_tokens") for m in _MODALITIES})
    _hold("input_cached_tokens", cached, {m: count(row, f"input_cached_{m}_tokens") for m in _MODALITIES})
    output_audio = count(row, "output_audio_tokens")
    _hold("output_tokens", output, {m: count(row, f"output_{m}_tokens") for m in _MODALITIES})
    return {
        "input_uncached_tokens": uncached - (audio or 0),
        "cache_read_tokens": cached,
        "cache_write_5m_tokens": short,
        "cache_write_1h_tokens": long,
        "input_audio_tokens": audio,
        "output_text_tokens": output - (output_audio or 0),
        "output_audio_tokens": output_audio,
        "input_total_tokens": total,
        "output_total_tokens": output,
    }


def input_tokens(row: JsonRow) -> Tokens:
    """The columns of a result that counts input alone (embeddings, moderations): there is no cache for it."""
    total = _required(row, "input_tokens")
    return {"input_uncached_tokens": total, "input_total_tokens": total}


def is_split(row: JsonRow) -> bool:
    """Whether a completions result says how much of its input was cached, or leaves just that to be derived."""
    return _cached(row) is not None or (_uncached(row) is not None and _are_writes_known(row))


def _input_parts(row: JsonRow, total: int) -> tuple[int, int | None, int | None, int | None]:
    """Uncached, cached, and written for the shorter and the longer duration.

    Where uncached input is not stated it takes what the provider did not separate; elsewhere the one part that is not
    stated is what the others leave.
    """
    uncached, cached, (short, long) = _uncached(row), _cached(row), _writes(row)
    are_writes_known = _are_writes_known(row)
    parts = {"uncached": uncached, "cached": cached, "written for 30 minutes": short, "written for 12 hours": long}
    rest = total - sum(part or 0 for part in parts.values())
    if rest < 0 or (rest and uncached is not None and cached is not None and are_writes_known):
        raise _contradiction("input_tokens", total, parts)
    if uncached is None:
        return rest, cached, short, long
    if cached is None and rest and not are_writes_known:
        raise RowError(
            "input_not_split",
            f"of {rest} of {total} input tokens nothing says whether they were read from the cache or written to it",
            "input_cached_tokens",
        )
    left = 0 if cached is None else rest
    cached = rest if cached is None else cached
    if are_writes_known:
        return uncached, cached, short, long
    return (uncached, cached, left, long) if short is None else (uncached, cached, short, left)


def _uncached(row: JsonRow) -> int | None:
    return _stated(row, "input_uncached_tokens", [f"input_{m}_tokens" for m in _MODALITIES])


def _cached(row: JsonRow) -> int | None:
    return _stated(row, "input_cached_tokens", [f"input_cached_{m}_tokens" for m in _MODALITIES])


def _stated(row: JsonRow, name: str, parts: Sequence[str]) -> int | None:
    """The figure, or else the sum of its parts where all of them are given."""
    whole, given = count(row, name), [count(row, part) for part in parts]
    known = [part for part in given if part is not None]
    return sum(known) if whole is None and len(known) == len(parts) else whole


def _are_writes_known(row: JsonRow) -> bool:
    """Whether all cache writes are told, in whatever way."""
    return count(row, "input_cache_write_tokens") is not None or None not in _durations(row)


def _durations(row: JsonRow) -> tuple[int | None, int | None]:
    return count(row, "input_cache_write_30m_tokens"), count(row, "input_cache_write_12h_tokens")


def _writes(row: JsonRow) -> tuple[int | None, int | None]:
    """Input written for the shorter (30 minutes) and the longer (12 hours) duration, as far as the result tells.

    Without durations all of it counts as the shorter: there was only that one before the other was added.
    """
    total, (short, long) = count(row, "input_cache_write_tokens"), _durations(row)
    if total is None:
        return short, long
    if short is None and long is None:
        return total, None
    rest = total - (short or 0) - (long or 0)
    if rest < 0 or (rest and short is not None and long is not None):
        raise _contradiction("input_cache_write_tokens", total, {"for 30 minutes": short, "for 12 hours": long})
    return rest if short is None else short, rest if long is None else long


def _hold(name: str, whole: int | None, parts: Mapping[str, int | None]) -> None:
    """Raises RowError when the parts are more than the whole, or all there are and not the whole."""
    if whole is None:
        return
    given = sum(part or 0 for part in parts.values())
    if given > whole or (given < whole and None not in parts.values()):
        raise _contradiction(name, whole, parts)


def _required(row: JsonRow, name: str) -> int:
    found = count(row, name)
    if found is None:
        raise RowError("missing_value", f"{name} is missing; every result of this endpoint has it", name)
    return found


def _contradiction(name: str, whole: int, parts: Mapping[str, int | None]) -> RowError:
    said = ", ".join(f"{part} {words}" for words, part in parts.items() if part is not None)
    return RowError("parts_do_not_add_up", f"{name} is {whole}, and its parts are {said}", name)
