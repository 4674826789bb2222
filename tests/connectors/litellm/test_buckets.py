"""Token classes are exclusive, add up, and unknown usage stays unknown."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.litellm.usage import buckets
from connectors.logs.buckets import MISSING, UsageError

BODIES = Path(__file__).resolve().parents[3] / "../shared/data/provider_usage_bodies/usages_every_fifth.json"


def of(usage: dict[str, Any], *, is_stream: bool = False) -> Any:
    return buckets(None, None, None, usage, is_stream=is_stream)


def details(**parts: int) -> dict[str, dict[str, int]]:
    return {"prompt_tokens_details": parts}


def test_cached_input_and_reasoning_are_taken_out_of_what_includes_them() -> None:
    found = of(
        {
            "prompt_tokens": 1200,
            "completion_tokens": 300,
            "total_tokens": 1500,
            "prompt_tokens_details": {"cached_tokens": 1000, "audio_tokens": 50},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 72},
        }
    )
    assert found[:10] == (150, 1000, 0, 0, 50, 100, 128, 72, 1200, 300)
    assert found.input_semantics == "inclusive"


def test_cached_input_beyond_the_input_was_counted_outside_of_it() -> None:
    found = of({"prompt_tokens": 100, "completion_tokens": 10, **details(cached_tokens=700, cache_creation_tokens=400)})
    assert found[:5] == (100, 700, 400, 0, 0)
    assert (found.input_total_tokens, found.input_semantics) == (1200, "exclusive")


def test_the_stated_total_tells_that_cached_input_was_counted_outside() -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 10, **details(cached_tokens=700)}
    assert of({**usage, "total_tokens": 910}).input_total_tokens == 900
    assert of({**usage, "total_tokens": 1610}).input_total_tokens == 1600


def test_the_stated_total_tells_that_reasoning_was_counted_outside() -> None:
    usage = {"prompt_tokens": 687, "completion_tokens": 75, "completion_tokens_details": {"reasoning_tokens": 165}}
    assert of({**usage, "total_tokens": 927})[5:10] == (75, 165, 0, 687, 240)


def test_cache_writes_without_a_duration_are_writes_for_five_minutes() -> None:
    found = of({"prompt_tokens": 500, "completion_tokens": 0, "cache_creation_input_tokens": 400})
    assert (found.cache_write_5m_tokens, found.cache_write_1h_tokens) == (400, 0)


def test_cached_audio_is_counted_once() -> None:
    parts = {"cached_tokens": 60, "audio_tokens": 50, "cached_tokens_details": {"audio_tokens": 40}}
    found = of({"prompt_tokens": 100, "completion_tokens": 0, "prompt_tokens_details": parts})
    assert found[:5] == (30, 60, 0, 0, 10)


@pytest.mark.parametrize("zero", [{}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_usage_that_is_zero_throughout_is_missing_and_not_zero(zero: dict[str, int]) -> None:
    assert of(zero) is MISSING
    assert MISSING[:11] == (*(None,) * 10, "missing")


def test_a_stream_whose_usage_has_no_details_was_counted_by_the_gateway() -> None:
    plain = {"prompt_tokens": 10, "completion_tokens": 5}
    assert of(plain, is_stream=True).usage_provenance == "gateway_tokenizer"
    assert of(plain).usage_provenance == "provider"
    assert of({**plain, **details(cached_tokens=0)}, is_stream=True).usage_provenance == "provider"


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"prompt_tokens": -1, "completion_tokens": 5}, "bad_token_count"),
        ({"prompt_tokens": 1.5, "completion_tokens": 5}, "bad_token_count"),
        ({"prompt_tokens": True, "completion_tokens": 5}, "bad_token_count"),
        ({"prompt_tokens": 10**9 + 1, "completion_tokens": 5}, "bad_token_count"),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 16}, "total_does_not_add_up"),
        ({"prompt_tokens": 10}, "half_usage"),
        ({"prompt_tokens": 10, "completion_tokens": 5, **details(audio_tokens=11)}, "parts_exceed_total"),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 6}},
            "parts_exceed_total",
        ),
    ],
)
def test_usage_that_contradicts_itself_is_refused(usage: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        of(usage)
    assert refused.value.reason == reason


def test_the_largest_count_that_is_believed_is_accepted() -> None:
    assert of({"prompt_tokens": 10**9, "completion_tokens": 0}).input_total_tokens == 10**9


@given(
    parts=st.tuples(*[st.integers(0, 10_000)] * 8),
    is_exclusive=st.booleans(),
)
def test_buckets_give_back_the_parts_that_usage_was_made_of(parts: tuple[int, ...], is_exclusive: bool) -> None:
    uncached, read, write_5m, write_1h, audio, text, reasoning, audio_out = parts
    cached = read + write_5m + write_1h
    assume(cached != reasoning)  # then the total alone cannot say which of the two is counted outside
    prompt, completion = uncached + audio + (0 if is_exclusive else cached), text + reasoning + audio_out
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion + (cached if is_exclusive else 0),
        "prompt_tokens_details": {
            "cached_tokens": read,
            "audio_tokens": audio,
            "cache_creation_tokens": write_5m + write_1h,
            "cache_creation_token_details": {"ephemeral_1h_input_tokens": write_1h},
        },
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": audio_out},
    }
    if sum(parts) == 0 or (prompt + completion == 0 and not is_exclusive):
        assert of(usage) is MISSING
    else:
        assert of(usage)[:8] == parts


def test_where_the_total_fits_two_readings_the_one_that_holds_its_parts_is_taken() -> None:
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    assert of(usage)[:8] == (0, 5, 0, 0, 5, 0, 5, 0)


def test_bodies_of_real_providers_split_as_an_independent_price_library_splits_them() -> None:
    if not BODIES.is_file():
        pytest.skip("the usage bodies of real providers are not beside this checkout")
    compared = 0
    for sample in json.loads(BODIES.read_text()):
        usage = sample["body"].get("usage")
        expected = [
            found["usage"]
            for found in sample["extracted"]
            if any(e["provider_id"] == "openrouter" and e["api_flavor"] == "chat" for e in found["extractors"])
        ]
        if not isinstance(usage, dict) or "prompt_tokens" not in usage or not expected or "usage" not in sample["body"]:
            continue
        try:
            found = of(usage)
        except UsageError as error:
            raise AssertionError(f"{usage}: {error}") from error
        want = expected[0]
        assert found.input_total_tokens == want["input_tokens"], usage
        assert found.cache_read_tokens == want.get("cache_read_tokens", 0), usage
        assert found.output_total_tokens in (want.get("output_tokens", 0), usage["total_tokens"] - want["input_tokens"])
        assert found.output_reasoning_tokens == want.get("output_reasoning_tokens", 0), usage
        compared += 1
    assert compared >= 30
