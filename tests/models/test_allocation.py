"""Exact splits: published vectors, the properties that define the method, and the same answers on columns."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import largest_remainder
from models.allocation_frame import split_groups

D = Decimal
TOTALS = st.integers(-(10**30), 10**30)
WEIGHTS = st.lists(st.integers(0, 10**20), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100_000, [8, 6, 4], [44445, 33333, 22222]),  # koku: $1,000 by slice-hours, in cents
        (771, [8, 6, 4], [343, 257, 171]),  # koku: February's A100, in cents
        (10, [6, 6, 2], [4, 4, 2]),  # with the next line: the Alabama paradox
        (11, [6, 6, 2], [5, 5, 1]),
        (120_000, [30, 20], [72_000, 48_000]),  # 50 provisioned units at $1 an hour for a day
        (100, [25, 75], [25, 75]),
        (-5, [1, 1, 1], [-2, -2, -1]),
        (0, [1, 2], [0, 0]),
        (7, [0, 3, 0], [0, 7, 0]),
    ],
)
def test_largest_remainder_gives_the_published_parts(total, weights, parts):
    assert largest_remainder(total, weights) == parts


def test_a_mig_node_is_conserved_to_the_cent():
    slices = {"ml-train": 2 * 4, "inference": 6 * 1, "serving": 2 * 2}
    day = slices | {"unallocated": 7 * 24 - sum(slices.values())}
    parts = largest_remainder(72 * 10**12, list(day.values()))
    assert sum(parts) == 72 * 10**12
    assert {name: round(D(part).scaleb(-12), 4) for name, part in zip(day, parts, strict=True)} == {
        "ml-train": D("3.4286"),
        "inference": D("2.5714"),
        "serving": D("1.7143"),
        "unallocated": D("64.2857"),
    }


@given(TOTALS, WEIGHTS)
def test_the_parts_sum_to_the_total_and_each_is_less_than_one_unit_from_its_quota(total, weights):
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1
        assert part * total >= 0
        assert weight or not part


@given(TOTALS, WEIGHTS)
def test_a_credit_is_split_as_its_charge_with_the_sign_turned(total, weights):
    assert largest_remainder(-total, weights) == [-part for part in largest_remainder(total, weights)]


@given(TOTALS, WEIGHTS, st.integers(1, 10**9))
def test_only_the_proportions_of_the_weights_matter(total, weights, factor):
    assert largest_remainder(total, [weight * factor for weight in weights]) == largest_remainder(total, weights)


def test_equal_remainders_are_served_in_the_order_given():
    assert largest_remainder(2, [1, 1, 1]) == [1, 1, 0]


@pytest.mark.parametrize(
    ("weights", "message"), [([1, -1], "weight -1 is negative"), ([0, 0], "all 2 weights are zero")]
)
def test_weights_that_cannot_carry_a_total_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        largest_remainder(5, weights)
    frame = frame_of([("g", 5, weights)])
    with pytest.raises(ValueError, match="group g: weight"):
        split_groups(frame, ["total"], group="group", weight="weight", tie="tie")


def frame_of(groups):
    rows = [
        (name, f"{number:03}", total, weight)
        for name, total, weights in groups
        for number, weight in enumerate(weights)
    ]
    schema = {"group": pl.String, "tie": pl.String, "total": pl.Int128, "weight": pl.Int128}
    return pl.DataFrame(rows, schema=schema, orient="row")


@settings(max_examples=60)
@given(
    st.lists(st.tuples(TOTALS, WEIGHTS), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_splitting_columns_gives_what_splitting_numbers_gives_however_wide_they_are(groups, dice):
    named = [(f"g{number}", total, weights) for number, (total, weights) in enumerate(groups)]
    frame = frame_of(named)
    shuffled = frame[dice.sample(range(frame.height), frame.height)]
    split = split_groups(shuffled, ["total"], group="group", weight="weight", tie="tie")
    expected = [part for _, total, weights in sorted(named) for part in largest_remainder(total, weights)]
    assert split["total"].to_list() == expected


def test_several_totals_of_a_group_are_split_each_by_the_same_weights():
    frame = frame_of([("g", 10, [6, 6, 2])]).with_columns(other=pl.lit(-11, pl.Int128))
    split = split_groups(frame, ["total", "other"], group="group", weight="weight", tie="tie")
    assert split.select("total", "other").rows() == [(4, -5), (4, -5), (2, -1)]


def test_no_groups_have_no_parts():
    assert split_groups(frame_of([]), ["total"], group="group", weight="weight", tie="tie").is_empty()
