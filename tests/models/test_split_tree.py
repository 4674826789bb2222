"""Splits from above: every subtotal foots, and is itself what largest remainder gives it."""

from collections import defaultdict
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.allocation import largest_remainder
from models.allocation_frame import split_groups, split_tree

LEVELS = ["team", "feature"]
SCHEMA = {"group": pl.String, "team": pl.String, "feature": pl.String, "customer": pl.String}
NAMES = st.sampled_from(["a", "b", "c", None])
TREES = st.dictionaries(
    st.tuples(st.sampled_from(["g", "h"]), st.sampled_from(["a", "b", "c"]), NAMES, st.sampled_from(["x", "y", "z"])),
    st.integers(0, 10**6),
    min_size=1,
    max_size=20,
)


def frame(weights, totals):
    rows = [(*key, weight, totals[key[0]]) for key, weight in weights.items()]
    return pl.DataFrame(rows, schema={**SCHEMA, "weight": pl.Int128, "total": pl.Int128}, orient="row")


def split(weights, totals):
    rows = split_tree(
        frame(weights, totals), ["total"], group="group", levels=LEVELS, weight="weight", tie="customer"
    ).rows()
    return {row[:4]: row[5] for row in rows}


def by_hand(total, weights):
    """From above in plain numbers: between the first names of the keys, then within each, NULL before all."""
    if () in weights:
        return {(): total}
    branches = defaultdict(dict)
    for key, weight in weights.items():
        branches[key[0]][key[1:]] = weight
    names = sorted(branches, key=lambda name: (name is not None, name or ""))
    sums = [sum(branches[name].values()) for name in names]
    parts = largest_remainder(total, sums) if any(sums) else [0] * len(names)
    return {
        (name, *rest): part
        for name, whole in zip(names, parts, strict=True)
        for rest, part in by_hand(whole, branches[name]).items()
    }


@settings(deadline=None, max_examples=80)
@given(TREES, st.integers(-(10**16), 10**16), st.integers(-(10**6), 10**38 - 1))
def test_the_frame_says_what_numbers_say(weights, one, other):
    totals = {"g": one, "h": other}
    by_group = {group: {k[1:]: w for k, w in weights.items() if k[0] == group} for group in totals}
    weights = {key: w for key, w in weights.items() if any(by_group[key[0]].values())}
    if weights:
        expected = {
            (group, *key): part
            for group in {key[0] for key in weights}
            for key, part in by_hand(totals[group], by_group[group]).items()
        }
        assert split(weights, totals) == expected


@settings(deadline=None, max_examples=60)
@given(TREES, st.integers(-(10**15), 10**15))
def test_every_subtotal_foots_and_is_within_one_unit_of_its_quota(weights, total):
    weights = {key: weight + 1 for key, weight in weights.items()}
    found = split(weights, {"g": total, "h": total})
    for group in {key[0] for key in weights}:
        whole = sum(w for key, w in weights.items() if key[0] == group)
        teams = defaultdict(int), defaultdict(int)
        for key, part in found.items():
            if key[0] == group:
                teams[0][key[1]] += part
                teams[1][key[1]] += weights[key]
        assert sum(teams[0].values()) == total
        for team, part in teams[0].items():
            assert abs(Fraction(total * teams[1][team], whole) - part) < 1


def test_a_flat_split_can_give_many_small_ones_nothing_and_a_tree_does_not():
    """Two units between a (five features of weight 1), b (2) and c (3): one of them is a's."""
    weights = {("g", "a", f"f{n}", "x"): 1 for n in range(5)} | {("g", "b", None, "x"): 2, ("g", "c", None, "x"): 3}
    assert sum(part for key, part in split(weights, {"g": 2}).items() if key[1] == "a") == 1
    rows = frame(weights, {"g": 2}).with_columns(tie=pl.concat_str("team", pl.col("feature").fill_null("")))
    flat = split_groups(rows, ["total"], group="group", weight="weight", tie="tie")
    assert flat.filter(pl.col("team") == "a")["total"].sum() == 0


def test_a_branch_without_weight_gets_nothing_and_one_group_must_have_some():
    found = split({("g", "a", None, "x"): 0, ("g", "a", None, "y"): 0, ("g", "b", None, "x"): 1}, {"g": 9})
    assert list(found.values()) == [0, 0, 9]
    with pytest.raises(ValueError, match=r"weight 0 of 0; expected weights >= 0 with at least one above zero"):
        split({("g", "a", None, "x"): 0}, {"g": 9})


def test_no_rows_have_no_parts():
    assert split({}, {}) == {}
