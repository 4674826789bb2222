"""The same share of every line, to the last unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.parts import parts_of

UNITS = st.integers(-(10**24), 10**24)


@pytest.mark.parametrize(
    ("lines", "part", "parts"),
    [
        ([10, 2], 12, [10, 2]),  # all of it
        ([10, 2], 6, [5, 1]),
        ([1, 1, 1], 2, [1, 1, 0]),  # what is left goes in the order given
        ([10, -2, 5], 7, [5, -1, 3]),  # quotas 5.38, -1.08, 2.69: rounded down 5, -2, 2, and two units left
        ([-3, -3, -3], -4, [-1, -1, -2]),
        ([7, 3], -1, [-1, 0]),
        ([10, -10], 3, [2, 1]),  # lines that cancel each other share by size
        ([0, 0], 1, [1, 0]),
        ([], 0, []),
    ],
)
def test_parts_worked_out_by_hand(lines: list[int], part: int, parts: list[int]) -> None:
    assert parts_of(lines, part) == parts


def test_nobody_can_carry_a_part_of_nothing() -> None:
    with pytest.raises(ValueError, match="no line carries 3"):
        parts_of([], 3)


@given(lines=st.lists(UNITS, min_size=1, max_size=8), part=UNITS)
def test_parts_sum_to_the_part_and_each_is_within_a_unit_of_its_quota(lines: list[int], part: int) -> None:
    parts = parts_of(lines, part)
    assert sum(parts) == part
    whole = sum(lines)
    if whole:
        assert all(abs(found * whole - part * line) < abs(whole) for found, line in zip(parts, lines, strict=True))


@given(lines=st.lists(UNITS, min_size=1, max_size=8))
def test_all_of_it_is_the_lines_themselves(lines: list[int]) -> None:
    assert parts_of(lines, sum(lines)) == lines
