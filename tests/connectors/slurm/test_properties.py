"""Whatever is listed in whichever files: every second of every run counts once, and in its own day."""

import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.slurm.nodes import node_names
from tests.connectors.slurm.jobs import Folder, gpu_seconds, job, listing

FIRST = datetime(2026, 9, 30)
DAYS = [FIRST.date() + timedelta(days=n) for n in range(3)]
THREE_DAYS = 3 * 86_400
RUN = st.tuples(
    st.integers(0, THREE_DAYS - 2), st.integers(1, 100_000), st.integers(1, 8), st.sets(st.integers(0, 2), min_size=1)
)  # begin, length, GPUs, further days whose files list it


@settings(deadline=None, max_examples=40)
@given(st.lists(RUN, min_size=1, max_size=8))
def test_days_sum_to_the_gpu_seconds_of_the_runs(runs: list[tuple[int, int, int, set[int]]]) -> None:
    listed: list[list[str]] = [[], [], []]
    expected = [Decimal(0)] * 3
    for number, (begin, length, gpus, further) in enumerate(runs):
        end = min(begin + length, THREE_DAYS)
        start_at, end_at = FIRST + timedelta(seconds=begin), FIRST + timedelta(seconds=end)
        line = job(str(number), start_at.isoformat(), end_at.isoformat(), end - begin, f"gres/gpu={gpus}")
        own = {day for day in range(3) if begin < (day + 1) * 86_400 and end > day * 86_400}
        for day in own | further:
            listed[day].append(line)
        for day in own:
            expected[day] += gpus * (min(end, (day + 1) * 86_400) - max(begin, day * 86_400))
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(Path(place))
        for day, lines in zip(DAYS, listed, strict=True):
            folder.file(f"{day}.txt", listing(*lines))
        assert [gpu_seconds(folder.rows(day)) for day in DAYS] == expected


@given(
    st.text("abc-", max_size=4), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 20)), min_size=1, max_size=5)
)
def test_a_list_of_nodes_names_those_that_its_ranges_hold(prefix: str, ranges: list[tuple[int, int]]) -> None:
    width = 3
    inside = ",".join(f"{first:0{width}}-{first + more:0{width}}" for first, more in ranges)
    expected = {f"n{prefix}{number:0{width}}" for first, more in ranges for number in range(first, first + more + 1)}
    found = node_names(f"n{prefix}[{inside}]")
    assert set(found) == expected
    assert len(found) == len(expected)
