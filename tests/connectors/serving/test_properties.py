"""Whatever a counter does: intervals sum to what was counted between samples, at every length, in any order."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.serving.written import PROCESS, VLLM, rows, scrape

SECOND = 1_790_848_800  # 2026-10-01 10:00
RUNS = st.lists(
    st.tuples(st.integers(3, 900), st.integers(0, 10_000), st.booleans()), min_size=2, max_size=25
)  # seconds to the next sample, tokens in them, whether the engine restarted


def written(metric: str, named: dict[str, str], samples: list[tuple[int, int]]) -> list[str]:
    inside = ",".join(f'{name}="{found}"' for name, found in named.items())
    return [f"{metric}{{{inside}}} {value} {at * 1000}" for at, value in samples]


def page(samples: list[tuple[int, int]], starts: dict[int, int]) -> bytes:
    told = [(at, starts[at]) for at, _ in samples]
    return scrape(
        *written("vllm:prompt_tokens_total", VLLM, samples), *written("process_start_time_seconds", PROCESS, told)
    )


@given(RUNS, st.sampled_from([60, 300, 900, 3600]), st.integers(0, 10))
def test_intervals_sum_to_the_raw_differences(runs: list[tuple[int, int, bool]], length: int, seed: int) -> None:
    samples, at, value = list[tuple[int, int]](), SECOND, 0
    starts, started = dict[int, int](), SECOND - 864_000
    for seconds, tokens, is_restart in runs:
        at += seconds
        value = tokens if is_restart else value + tokens
        started = at - seconds + 2 if is_restart and samples else started
        samples.append((at, value))
        starts[at] = started
    restarts = {at for (_, _, is_restart), (at, _) in zip(runs[1:], samples[1:], strict=True) if is_restart}
    expected = sum(high if at in restarts else high - low for (_, low), (at, high) in pairwise(samples))
    shuffled = samples.copy()
    random.Random(seed).shuffle(shuffled)
    half = len(shuffled) // 2
    pages = (page(shuffled[:half], starts), page(shuffled[half:], starts))
    found = rows(*pages, interval_seconds=length, max_gap_seconds=3600)
    assert sum(row["prompt_tokens"] for row in found) == expected
    assert sum(row["reset_count"] for row in found) == len(restarts)
    assert all(0 <= row["covered_seconds"] <= length for row in found)
    assert sum(row["covered_seconds"] for row in found) == samples[-1][0] - samples[0][0]
    assert all(row["prompt_tokens"] >= 0 for row in found)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 2)), min_size=2, max_size=25))
def test_two_scrapers_that_take_turns_count_what_the_engine_counted(turns: list[tuple[int, int]]) -> None:
    """Each reading is as old as the scraper lags, in readings; the last is up to date. The process never restarts."""
    truth = [1_000_000]
    for tokens, _ in turns:
        truth.append(truth[-1] + tokens)
    lags = [0, *(lag for _, lag in turns[:-1]), 0]
    samples = [(SECOND + 60 * n, truth[max(n - lag, 0)]) for n, lag in enumerate(lags)]
    found = rows(page(samples, {at: SECOND - 86_400 for at, _ in samples}))
    assert sum(row["prompt_tokens"] for row in found) == truth[-1] - truth[0]
    assert sum(row["reset_count"] for row in found) == 0
