"""Whatever a counter does: intervals sum to what was counted between samples, at every length, in any order."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.serving.written import VLLM, rows, scrape

SECOND = 1_790_848_800  # 2026-10-01 10:00
RUNS = st.lists(
    st.tuples(st.integers(1, 900), st.integers(0, 10_000), st.booleans()), min_size=2, max_size=25
)  # seconds to the next sample, tokens in them, whether the engine restarted


def written(samples: list[tuple[int, int]]) -> bytes:
    inside = ",".join(f'{name}="{found}"' for name, found in VLLM.items())
    return scrape(*(f"vllm:prompt_tokens_total{{{inside}}} {value} {at * 1000}" for at, value in samples))


@given(RUNS, st.sampled_from([60, 300, 900, 3600]), st.integers(0, 10))
def test_intervals_sum_to_the_raw_differences(runs: list[tuple[int, int, bool]], length: int, seed: int) -> None:
    samples, at, value = list[tuple[int, int]](), SECOND, 0
    for seconds, tokens, is_restart in runs:
        at += seconds
        value = tokens if is_restart else value + tokens
        samples.append((at, value))
    expected = sum(high - low if high >= low else high for (_, low), (_, high) in pairwise(samples))
    resets = sum(high < low for (_, low), (_, high) in pairwise(samples))
    shuffled = samples.copy()
    random.Random(seed).shuffle(shuffled)
    half = len(shuffled) // 2
    found = rows(written(shuffled[:half]), written(shuffled[half:]), interval_seconds=length, max_gap_seconds=3600)
    assert sum(row["prompt_tokens"] for row in found) == expected
    assert sum(row["reset_count"] for row in found) == resets
    assert all(0 <= row["covered_seconds"] <= length for row in found)
    assert sum(row["covered_seconds"] for row in found) == samples[-1][0] - samples[0][0]
    assert all(row["prompt_tokens"] >= 0 for row in found)
