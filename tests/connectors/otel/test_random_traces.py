"""Traces made at random from calls whose tokens are known: whatever tells them, however often, the sums are the calls'."""

import itertools
import json
import random
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Bytes, LandedPage, Window
from connectors.otel import SOURCE

WINDOW = Window(datetime(2026, 11, 21), datetime(2026, 11, 22))
SETTINGS: Any = SOURCE.settings_model.model_validate(
    {"name": "log", "kind": "otel_genai", "location": "/", "hash_key": "sixteen letters!"}
)
PLAIN: dict[str, Any] = {}
AROUND = [{"openinference.span.kind": "AGENT"}, {"gen_ai.operation.name": "execute_tool"}, PLAIN]


def gen_ai(tokens: tuple[int, int]) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": tokens[0],
        "gen_ai.usage.output_tokens": tokens[1],
    }


def open_inference(tokens: tuple[int, int]) -> dict[str, Any]:
    return {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": tokens[0],
        "llm.token_count.completion": tokens[1],
        "llm.token_count.total": sum(tokens),
    }


calls = st.lists(
    st.tuples(
        st.integers(1, 9999),  # input
        st.integers(1, 9999),  # output
        st.lists(st.sampled_from(["gen_ai", "open_inference", "plain", "lost"]), max_size=4),  # what stands around it
        st.integers(0, 3),  # the span of its trace that it hangs on
        st.integers(0, 2),  # its trace
    ),
    max_size=12,
)


def told(found: list[tuple[int, int, list[str], int, int]]) -> list[dict[str, Any]]:
    """Landed spans that tell the calls: each is told by a chain of spans, of which the innermost states its tokens."""
    numbers, spans = itertools.count(100), list[dict[str, Any]]()

    def add(trace: int, number: int, parent: int | None, attributes: dict[str, Any]) -> int:
        ids = {"trace_id": f"{trace + 1:032x}", "span_id": f"{number:016x}"}
        if parent is not None:
            ids["parent_id"] = f"{parent:016x}"
        times = {"start": "2026-11-21T01:00:00", "end": "2026-11-21T01:00:01", "status": "success"}
        spans.append({**ids, **times, "attributes": attributes})
        return number

    for trace in range(3):
        for number, around in enumerate([{"openinference.span.kind": "AGENT"}, *AROUND]):
            add(trace, number + 1, number or None, around)
    for read, written, layers, hangs_on, trace in found:
        parent = hangs_on + 1
        for layer in layers:
            tokens = (read, written)
            attributes = {
                "gen_ai": gen_ai(tokens),
                "open_inference": open_inference(tokens),
                "plain": PLAIN,
                "lost": {"gen_ai.operation.name": "chat"},
            }[layer]
            parent = add(trace, next(numbers), parent, attributes)
        add(trace, next(numbers), parent, gen_ai((read, written)))
    return spans


def read(spans: list[dict[str, Any]], pages: int) -> tuple[list[tuple[str, int, int]], int, int]:
    """Identity and tokens of the rows, how many spans count as repetitions, and how many were refused or told of."""
    bodies = [b"".join(json.dumps(one).encode() + b"\n" for one in spans[number::pages]) for number in range(pages)]
    landed = [LandedPage(f"{n}", f"{n:064x}", Bytes(body)) for n, body in enumerate(bodies)]
    chunks = list(SOURCE.parse(SETTINGS, WINDOW, landed))
    rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    kept = sorted((row["dedup_key"], row["input_total_tokens"], row["output_total_tokens"]) for row in rows)
    told_of = sum(len(chunk.rejects) + len(chunk.notices) for chunk in chunks)
    return kept, sum(chunk.duplicate_count for chunk in chunks), told_of


@settings(deadline=None, max_examples=80)
@given(calls, st.randoms(use_true_random=False), st.integers(1, 3))
def test_every_call_counts_once_whatever_tells_it(
    found: list[tuple[int, int, list[str], int, int]], chance: random.Random, pages: int
) -> None:
    spans = told(found)
    rows, repeated, told_of = read(spans, 1)
    tellings = sum(1 + sum(layer != "plain" for layer in layers) for _, _, layers, _, _ in found)
    assert sorted(tokens for _, *tokens in rows) == sorted([read, written] for read, written, *_ in found)
    assert (repeated, told_of) == (tellings - len(found), 0)
    chance.shuffle(spans)
    assert read(spans, pages) == (rows, repeated, 0)
