"""However a source counts, the same request gives the same buckets, and what contradicts itself is refused."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.logs.buckets import MISSING, Buckets, Counts, UsageError, exclusive, of_call
from connectors.logs.conventions import CONVENTIONS, Convention
from connectors.logs.usage_bodies import read_body

INCLUSIVE = Convention("inside", "inside", "inside")
COUNTS = st.one_of(st.none(), st.integers(-1, 40))
PARTS = st.tuples(*[st.integers(0, 40)] * 8)
PLACES = st.sampled_from(["inside", "outside", "unstated"])
CONVENTION = st.builds(Convention, PLACES, PLACES, PLACES, PLACES, PLACES, st.sampled_from(["everything", "as_named"]))


NAMES = st.sampled_from(
    sorted(
        {"usage", "usageMetadata", "response", "meta", "model", "service_tier", "type", "iterations", "canary"}
        | {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "cached_tokens"}
        | {"input_tokens", "output_tokens", "input_token_details", "cache_creation", "cache_creation_input_tokens"}
        | {"promptTokenCount", "totalTokenCount", "promptTokensDetails", "modality", "tokenCount"}
        | {"inputTokens", "outputTokens", "cacheDetails", "ttl", "billed_units", "tokens", "seconds", "results"}
    )
)
ANYTHING = st.dictionaries(
    NAMES,
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-1, 9), st.floats(allow_nan=False), st.just("canary")),
        lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=4)),
        max_leaves=8,
    ),
    max_size=4,
)


def stated(parts: tuple[int, ...], convention: Convention, *, unstated: str = "inside") -> Counts:
    """What a source of that convention states of a request with those buckets; what is unstated stands as asked."""
    uncached, read, written_5m, written_1h, audio_in, text, reasoning, audio_out = parts
    at = [unstated if place == "unstated" else place for place in convention[:5]]
    counted = {"inside": 1, "outside": 0}
    prompt = uncached + counted[at[0]] * read + counted[at[1]] * (written_5m + written_1h) + counted[at[3]] * audio_in
    completion = text + counted[at[2]] * reasoning + counted[at[4]] * audio_out
    total = sum(parts) if convention.total == "everything" else prompt + completion
    return Counts(prompt, completion, total, read, written_5m, written_1h, audio_in, reasoning, audio_out)


# The request of the whole room: 100 uncached, 700 read, 400 written, 300 text and 20 of reasoning.
REQUEST = (100, 700, 400, 0, 0, 300, 20, 0)


@pytest.mark.parametrize(
    ("source", "counts", "semantics"),
    [
        ("litellm", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("openai", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("chat", Counts(1200, 300, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("perplexity", Counts(1200, 300, 1500, 700, 400, 0, 0, 20), "inclusive"),
        ("anthropic", Counts(100, 320, None, 700, 400, 0, 0, 20), "exclusive"),
        ("bedrock", Counts(100, 320, 1520, 700, 400, 0, 0, 20), "exclusive"),
        ("bedrock_invocation_log", Counts(100, 320, None, 700, 400, 0, 0, 20), "exclusive"),
        ("gemini", Counts(1200, 300, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("langfuse", Counts(100, 300, 1520, 700, 400, 0, 0, 20), "exclusive"),
        ("langfuse_free_form", Counts(100, 300, 1520, 700, 400, 0, 0, 20), "exclusive"),
        ("langfuse_free_form", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("openinference", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("openinference", Counts(100, 320, 420, 700, 400, 0, 0, 20), "exclusive"),
        ("otel_genai", Counts(1200, 320, None, 700, 400, 0, 0, 20), "inclusive"),
        ("otel_genai", Counts(100, 320, None, 700, 400, 0, 0, 20), "exclusive"),
        ("envoy", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "inclusive"),
        ("envoy", Counts(800, 320, 1520, 700, 400, 0, 0, 20), "exclusive"),
        ("helicone", Counts(100, 300, 1520, 700, 400, 0, 0, 20), "exclusive"),
        ("openrouter", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "inclusive"),
    ],
)
def test_one_request_is_the_same_buckets_however_its_source_counts(source: str, counts: Counts, semantics: str) -> None:
    found = exclusive(counts, CONVENTIONS[source])
    assert found[:8] == REQUEST
    assert found.input_semantics == semantics


@pytest.mark.parametrize(
    ("source", "counts", "is_assumed"),
    [
        ("otel_genai", Counts(1200, 320, None, 700, 400), True),  # 1200 could hold the 1100, or stand beside them
        ("otel_genai", Counts(1200, 320, 1520, 700, 400), False),  # the total says inside
        ("otel_genai", Counts(1200, 320, 2620, 700, 400), False),  # the total says outside
        ("otel_genai", Counts(100, 320, None, 700, 400), False),  # 100 cannot hold them
        ("otel_genai", Counts(1200, 320), False),  # nothing is in question
        ("otel_genai", Counts(1200, 320, None, 0, 0, 0, 0, 20), True),  # reasoning is
        ("openinference", Counts(1200, 320, None, 0, 0, 0, 0, 20), False),  # its reasoning is inside
        ("openai", Counts(1200, 320, None, 700), False),
        ("anthropic", Counts(100, 320, None, 700), False),
        ("litellm", Counts(0, 0), None),
    ],
)
def test_what_neither_a_source_nor_its_total_says_is_flagged(
    source: str, counts: Counts, is_assumed: bool | None
) -> None:
    assert exclusive(counts, CONVENTIONS[source]).is_convention_assumed is is_assumed


@pytest.mark.parametrize("source", ["kong", "portkey", "cloudflare", "azure_apim"])
def test_a_source_that_never_tells_cached_input_has_all_input_uncached(source: str) -> None:
    assert exclusive(Counts(1200, 320, 1520), CONVENTIONS[source])[:8] == (1200, 0, 0, 0, 0, 320, 0, 0)


@pytest.mark.parametrize(
    ("source", "counts", "reason"),
    [
        ("openai", Counts(100, 320, 1520, 700, 400), "total_does_not_add_up"),
        ("openai", Counts(100, 320, None, 700, 400), "parts_exceed_total"),
        ("anthropic", Counts(1200, 320, 1520, 700, 400), "total_does_not_add_up"),
        ("bedrock", Counts(100, 320, 420, 700, 400), "total_does_not_add_up"),
        ("gemini", Counts(1200, 320, 1520, 700, 400, 0, 0, 20), "total_does_not_add_up"),
        ("langfuse", Counts(1200, 300, 1520, 700, 400, 0, 0, 20), "total_does_not_add_up"),
        ("otel_genai", Counts(1200, 320, 1519, 700, 400), "total_does_not_add_up"),
        ("anthropic", Counts(None, 320), "half_usage"),
        ("anthropic", Counts(100, 50, None, 0, 0, 0, 101), "parts_exceed_total"),
        ("anthropic", Counts(100, 50, None, 0, 0, 0, 0, 51), "parts_exceed_total"),
    ],
)
def test_what_contradicts_the_convention_of_its_source_is_refused(source: str, counts: Counts, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        exclusive(counts, CONVENTIONS[source])
    assert refused.value.reason == reason


def test_one_absent_half_follows_from_the_total_with_what_stands_outside() -> None:
    assert exclusive(Counts(None, 320, 1520, 700, 400), CONVENTIONS["bedrock"])[:1] == (100,)
    assert exclusive(Counts(1200, None, 1520), CONVENTIONS["openai"]).output_total_tokens == 320


@pytest.mark.parametrize("told", ["embeddings", "aembedding", "embedContent", "EMBEDDING", "amoderation", "arerank"])
@pytest.mark.parametrize("counts", [Counts(8, None), Counts(8, None, 8), Counts(None, None, 8), Counts(8, 0, 8)])
def test_a_call_that_has_no_output_is_whole_without_it(told: str, counts: Counts) -> None:
    for source in ("envoy", "cloudflare", "litellm", "otel_genai", "langfuse", "bedrock_invocation_log"):
        found = exclusive(of_call(counts, None, told), CONVENTIONS[source])
        assert (found.input_total_tokens, found.output_total_tokens) == (8, 0)


@pytest.mark.parametrize("counts", [Counts(8, None), Counts(None, 8), Counts(None, None, 8)])
def test_any_other_call_of_which_half_is_told_is_refused_with_the_remedy(counts: Counts) -> None:
    with pytest.raises(UsageError, match="let the log state it, or the call's kind") as refused:
        exclusive(of_call(counts, "chat/completions", "gpt-5", None), CONVENTIONS["envoy"])
    assert refused.value.reason == "half_usage"


def test_what_a_call_states_stands_whatever_its_kind() -> None:
    counts = (Counts(8, 3), Counts(8, None, 11), Counts(None, 3), Counts(None, None), Counts(None, None, 0))
    assert [of_call(each, "embeddings") for each in counts] == list(counts)


def test_nothing_counted_is_missing_and_not_zero() -> None:
    for convention in CONVENTIONS.values():
        assert exclusive(Counts(None, None), convention) is MISSING
        assert exclusive(Counts(0, 0, 0, 0, 0, 0, 0, 0, 0), convention) is MISSING


def test_input_that_was_all_read_from_a_cache_is_counted() -> None:
    assert exclusive(Counts(0, 0, None, 700), CONVENTIONS["anthropic"])[:2] == (0, 700)


@given(parts=PARTS, source=st.sampled_from(sorted(CONVENTIONS)))
def test_buckets_give_back_what_every_known_source_states_inside(parts: tuple[int, ...], source: str) -> None:
    convention = CONVENTIONS[source]
    found = exclusive(stated(parts, convention), convention)
    assert found is MISSING if not sum(parts) else found[:8] == parts


@given(parts=PARTS, source=st.sampled_from([s for s, c in CONVENTIONS.items() if "unstated" in c]))
def test_the_total_tells_what_stands_outside(parts: tuple[int, ...], source: str) -> None:
    convention = CONVENTIONS[source]
    cached, reasoning = sum(parts[1:4]), parts[6]
    assume(cached != reasoning)  # then the total alone cannot say which of the two is outside
    assume(sum((*parts[:1], *parts[4:6], *parts[7:])))
    assert exclusive(stated(parts, convention, unstated="outside"), convention)[:8] == parts


@given(parts=PARTS, convention=CONVENTION)
def test_inclusive_to_exclusive_and_back_is_the_same(parts: tuple[int, ...], convention: Convention) -> None:
    counts = stated(parts, INCLUSIVE)
    found = exclusive(counts, INCLUSIVE)
    assume(found is not MISSING)
    assert stated(split(found), INCLUSIVE) == counts
    again = exclusive(stated(split(found), convention), convention)
    assert again is MISSING or split(again) == split(found)


@given(counts=st.builds(Counts, *[COUNTS] * 9), convention=CONVENTION)
def test_buckets_are_never_negative_and_always_sum_to_their_totals(counts: Counts, convention: Convention) -> None:
    try:
        found = exclusive(counts, convention)
    except UsageError:
        return
    if found is MISSING:
        return
    parts = split(found)
    assert min(parts) >= 0
    assert sum(parts[:5]) == found.input_total_tokens
    assert sum(parts[5:]) == found.output_total_tokens
    assert parts[1:5] == tuple(count or 0 for count in counts[3:7])
    assert parts[6:] == tuple(count or 0 for count in counts[7:])


@given(data=st.data())
def test_the_order_of_fields_never_matters(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(BODIES))
    assert read_body(shuffled(data, body)) == read_body(body)


@given(body=ANYTHING)
def test_whatever_a_body_holds_it_is_read_or_refused_and_no_text_of_it_is_repeated(body: dict[str, Any]) -> None:
    refused = ""
    try:
        found = read_body(body).buckets
    except UsageError as error:
        refused = str(error)
    else:
        assert found is MISSING or min(split(found)) >= 0
    assert "canary" not in refused


BODIES: list[dict[str, Any]] = [
    {
        "model": "gpt-5",
        "service_tier": "default",
        "usage": {
            "prompt_tokens": 90,
            "completion_tokens": 20,
            "total_tokens": 110,
            "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 5},
            "completion_tokens_details": {"reasoning_tokens": 12},
        },
    },
    {
        "model": "claude-sonnet-4-5",
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 60,
            "cache_creation_input_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 15},
            "output_tokens": 20,
            "service_tier": "standard",
        },
    },
    {
        "modelVersion": "gemini-2.5-flash",
        "usageMetadata": {
            "promptTokenCount": 90,
            "cachedContentTokenCount": 60,
            "candidatesTokenCount": 8,
            "thoughtsTokenCount": 12,
            "totalTokenCount": 110,
            "trafficType": "ON_DEMAND",
        },
    },
    {"usage": {"inputTokens": 10, "outputTokens": 20, "totalTokens": 90, "cacheReadInputTokens": 60}},
    {"model": "sonar", "usage": {"prompt_tokens": 9, "completion_tokens": 2, "num_search_queries": 1}},
]


def shuffled(data: st.DataObject, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    order = data.draw(st.permutations(list(value)))
    return {name: shuffled(data, value[name]) for name in order}


def split(found: Buckets) -> tuple[int, ...]:
    return tuple(count for count in found[:8] if count is not None)
