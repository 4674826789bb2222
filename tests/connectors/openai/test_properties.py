"""Whatever the provider's numbers: a row's classes add up to its totals, or the row is refused."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.connectors.openai.written import completion, usage

TOKEN_FIELDS = [name for name in completion() if name.endswith("_tokens")]
INPUT = (
    "input_uncached_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "input_audio_tokens",
)
OUTPUT = ("output_text_tokens", "output_reasoning_tokens", "output_audio_tokens")
SAID = {
    "input_cached_tokens": "cache_read_tokens",
    "input_cache_write_30m_tokens": "cache_write_5m_tokens",
    "input_cache_write_12h_tokens": "cache_write_1h_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
}
few = st.integers(0, 3)
odd = st.sampled_from([None, -1, "5", 2**70, 1.5, True, [], {}])


@st.composite
def coherent(draw: st.DrawFn) -> dict[str, Any]:
    """A result whose numbers agree, with any of the optional ones absent."""
    parts = {name: draw(st.integers(0, 10**12)) for name in ("text", "audio", "image", "c_text", "c_audio", "c_image")}
    short, long = draw(few), draw(few)
    output = {m: draw(st.integers(0, 10**12)) for m in ("text", "audio", "image")}
    uncached = parts["text"] + parts["audio"] + parts["image"]
    cached = parts["c_text"] + parts["c_audio"] + parts["c_image"]
    given_fields = completion(
        input_tokens=uncached + cached + short + long,
        input_uncached_tokens=uncached,
        input_cached_tokens=cached,
        input_cache_write_tokens=short + long,
        input_cache_write_30m_tokens=short,
        input_cache_write_12h_tokens=long,
        **{f"input_{m}_tokens": parts[m] for m in output},
        **{f"input_cached_{m}_tokens": parts[f"c_{m}"] for m in output},
        output_tokens=sum(output.values()),
        **{f"output_{m}_tokens": tokens for m, tokens in output.items()},
    )
    optional = [name for name in TOKEN_FIELDS if name not in ("input_tokens", "output_tokens")]
    for name in draw(st.sets(st.sampled_from(optional))):
        del given_fields[name]
    return given_fields


incoherent = st.fixed_dictionaries({}, optional=dict.fromkeys(TOKEN_FIELDS, few | odd))


def holds(row: dict[str, Any]) -> None:
    for classes, total in ((INPUT, "input_total_tokens"), (OUTPUT, "output_total_tokens")):
        values = [row[name] for name in classes]
        assert all(value is None or value >= 0 for value in values)
        assert sum(value or 0 for value in values) == row[total]


@settings(max_examples=200, deadline=None)
@given(coherent())
def test_coherent_numbers_add_up_and_keep_what_was_said(found: dict[str, Any]) -> None:
    parsed = usage(found)
    if parsed.rejects:  # only what nobody could split: neither the reads nor the writes are told
        assert {reject.reason for reject in parsed.rejects} == {"input_not_split"}
        return
    (row,) = parsed.rows.to_pylist()
    holds(row)
    assert (row["input_total_tokens"], row["output_total_tokens"]) == (found["input_tokens"], found["output_tokens"])
    for field, column in SAID.items():
        assert field not in found or row[column] == found[field]


@settings(max_examples=300, deadline=None)
@given(incoherent)
def test_any_numbers_add_up_or_the_row_is_refused(over: dict[str, Any]) -> None:
    parsed = usage(completion(**over))
    assert parsed.rows.num_rows + len(parsed.rejects) == 1
    for row in parsed.rows.to_pylist():
        holds(row)
    assert all(reject.payload for reject in parsed.rejects)
