"""Stretches of time are cut where facts may not cross, and lose nothing by it."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.intervals import cut_at_midnights, first_gap

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 9))


def test_a_night_shift_is_two_days() -> None:
    pieces = list(cut_at_midnights(datetime(2026, 10, 1, 23), datetime(2026, 10, 3, 0, 0, 1)))
    assert pieces == [
        (datetime(2026, 10, 1, 23), datetime(2026, 10, 2)),
        (datetime(2026, 10, 2), datetime(2026, 10, 3)),
        (datetime(2026, 10, 3), datetime(2026, 10, 3, 0, 0, 1)),
    ]


@pytest.mark.parametrize("end", [datetime(2026, 10, 1), datetime(2026, 9, 30)])
def test_what_takes_no_time_has_no_pieces(end: datetime) -> None:
    assert list(cut_at_midnights(datetime(2026, 10, 1), end)) == []


@given(INSTANTS, INSTANTS)
def test_pieces_follow_one_another_and_add_up_to_the_whole(start: datetime, end: datetime) -> None:
    pieces = list(cut_at_midnights(start, end))
    assert sum((b - a for a, b in pieces), timedelta()) == max(end - start, timedelta())
    assert all(earlier[1] == later[0] for earlier, later in pairwise(pieces))
    assert all((b - timedelta(microseconds=1)).date() == a.date() for a, b in pieces)


@pytest.mark.parametrize(
    ("spans", "gap"),
    [
        ([], None),
        ([(2, 4)], None),  # what is before the first and after the last is another question
        ([(4, 6), (2, 4)], None),
        ([(2, 4), (5, 6), (8, 9)], (4, 5)),
        ([(2, 8), (3, 4), (5, 6)], None),
        ([(0, 1), (2, 4), (4, 6), (9, 12)], None),  # two are of other windows
    ],
)
def test_the_first_stretch_between_spans_that_none_of_them_covers(
    spans: list[tuple[int, int]], gap: tuple[int, int] | None
) -> None:
    assert first_gap(spans, 2, 10) == gap
    hours = [(datetime(2026, 10, 1, start), datetime(2026, 10, 1, end)) for start, end in spans]
    found = first_gap(hours, datetime(2026, 10, 1, 2), datetime(2026, 10, 1, 10))
    assert (None if found is None else (found[0].hour, found[1].hour)) == gap
