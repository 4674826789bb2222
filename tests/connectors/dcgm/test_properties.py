"""What holds for every page, however it was put together or spoiled."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import SourceError
from connectors.dcgm import SOURCE
from tests.connectors.conformance import canonical_rows, land
from tests.connectors.dcgm.written import HELD, WINDOW, labels, line, page, parse
from tests.connectors.dcgm.written import settings as source_settings

METRICS = ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_SM_ACTIVE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_SM_CLOCK")
LINES = [
    line(metric, labels(gpu, **(HELD if gpu else {"GPU_I_ID": "7"})), value, at)
    for metric in METRICS
    for gpu, value in ((0, 0.25), (1, 1), (1, 0.5))
    for at in ("00:00", "10:00", "23:59")
]
GOOD = page("# TYPE DCGM_FI_DEV_GPU_UTIL gauge", *LINES, *LINES[:5])


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_lines_in_any_order_give_the_same_samples(order: random.Random) -> None:
    shuffled = LINES.copy()
    order.shuffle(shuffled)
    expected, found = parse(page(*LINES)), parse(page(*shuffled))
    without = ("x_page", "x_row")
    assert canonical_rows(found.rows, without=without) == canonical_rows(expected.rows, without=without)
    assert (found.notices, found.rejects) == (expected.notices, ())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=4)), min_size=1, max_size=5))
def test_a_spoiled_page_gives_rows_and_rejects_or_fails_as_a_whole(spoils: list[tuple[int, bytes]]) -> None:
    content = GOOD
    for at, put in spoils:
        content = content[:at] + put + content[at + 1 :]
    try:
        (parsed,) = SOURCE.parse(source_settings(), WINDOW, land([content]))
    except SourceError:
        return
    lines = content.decode("utf-8", "replace").split("\n")
    assert all(reject.payload in lines and reject.detail for reject in parsed.rejects if reject.row)
    assert parsed.rows.num_rows <= len(LINES) + 5
    for name in ("sm_active_ratio", "gpu_util_ratio"):
        assert all(value is None or 0.0 <= value <= 1.0 for value in parsed.rows[name].to_pylist())
