"""Whatever a line says: each is a row, a refusal or a duplicate, and nothing else happens."""

import json
from typing import Any

from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from connectors.nvml.fields import HEAD, KEPT, NUMBERS
from tests.connectors.nvml.written import JOB, NAMED, POD, milliseconds, page, parse, sample

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({*HEAD, *KEPT, *(number.field for number in NUMBERS), "new"})
HOLDERS = st.lists(st.sampled_from([POD, NAMED, JOB, {"kind": "none"}, {"kind": "unseen"}]), max_size=3, unique_by=str)


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    at = draw(st.integers(0, 3)) * 60_000 + milliseconds("10:00")
    line = sample(gpu=draw(st.integers(0, 1)), at_ms=at, holders=draw(HOLDERS))
    return line | draw(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=2))


@given(st.lists(lines(), max_size=8), st.integers(1, 7))
@with_settings(max_examples=150, deadline=None)
def test_every_line_is_accounted_for(given_lines: list[dict[str, Any]], place: int) -> None:
    parsed = parse(page(*given_lines[:place]), page(*given_lines[place:]))
    staged = {(row["x_page"], row["x_row"]) for row in parsed.rows.to_pylist()}
    refused = {(reject.page_id, reject.row) for reject in parsed.rejects} - staged
    assert len(staged) + len(refused) + parsed.duplicate_count >= len({json.dumps(line) for line in given_lines})
    keys = [
        tuple(row[name] for name in ("sampled_at", "gpu_uuid", "gpu_instance_id", "namespace", "pod", "container"))
        for row in parsed.rows.to_pylist()
    ]
    assert len(keys) == len(set(keys))
    for row in parsed.rows.to_pylist():
        ratios = [value for name, value in row.items() if name.endswith("_ratio") and value is not None]
        assert all(0 <= ratio <= 1 for ratio in ratios)
