"""Levers on the same money: the published example, an oracle by brute force, and sums that are exact."""

from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from random import Random

import pytest

from models.waterfall import Cell, Lever, combined, in_money, ranges, savings

A, B, C, D = "eliminate", "reroute", "cache", "batch"


def cell(cost: str, cluster: str = "w1", **shares: str) -> Cell:
    return Cell(cluster, Fraction(cost), {name: Fraction(share) for name, share in shares.items()})


def test_four_levers_that_promise_73_percent_save_56() -> None:
    """Alone .104, .315, .1497 and .1658 come to 73.4 %; what they leave is .896 x .685 x .8503 x .8342 = .4354."""
    levers = [Lever(A), Lever(B), Lever(C), Lever(D)]
    found = savings([cell("1", eliminate=".104", reroute=".315", cache=".1497", batch=".1658")], levers)
    assert sum(saving.alone for saving in found.values()) == Fraction("0.7345")
    assert [round(saving.waterfall, 3) for saving in found.values()] == [
        Fraction(text) for text in (".104", ".282", ".092", ".087")
    ]
    assert [round(saving.shapley, 3) for saving in found.values()] == [
        Fraction(text) for text in (".075", ".255", ".111", ".124")
    ]
    whole = 1 - Fraction(".896") * Fraction(".685") * Fraction(".8503") * Fraction(".8342")
    assert sum(saving.waterfall for saving in found.values()) == whole
    assert sum(saving.shapley for saving in found.values()) == whole
    assert round(whole, 3) == Fraction("0.565")


def test_what_is_gone_cannot_be_had_for_less() -> None:
    """Of 10, half need not be; batching halves what is left: 5 and 2.5. Of another 4, batching alone takes 2."""
    found = savings([cell("10", gone="1/2", half="1/2"), cell("4", half="1/2")], [Lever("gone"), Lever("half")])
    assert (found["gone"].waterfall, found["half"].waterfall) == (5, Fraction("4.5"))
    # each comes first in one of two orders: (5 + 2.5) / 2 of the ten
    assert (found["gone"].shapley, found["half"].shapley) == (Fraction("3.75"), Fraction("5.75"))
    assert (found["gone"].alone, found["half"].alone) == (5, 7)


def test_half_of_what_may_succeed_counts() -> None:
    found = savings([cell("8", gone="1")], [Lever("gone", Fraction(1, 4), Fraction(3, 4))])
    assert found["gone"].waterfall == found["gone"].shapley == 4


def test_shapleys_value_is_the_mean_over_all_orders() -> None:
    draw = Random(5)
    names = ["a", "b", "c", "d"]
    for _ in range(3):
        cells = [
            Cell("w", Fraction(draw.randint(-5, 90)), {n: Fraction(draw.randint(0, 9), 9) for n in names})
            for _ in range(3)
        ]
        found = savings(cells, [Lever(name) for name in names])
        orders = [savings(cells, [Lever(name) for name in order]) for order in permutations(names)]
        for name in names:
            mean = sum((order[name].waterfall for order in orders), Fraction(0)) / len(orders)
            assert found[name].shapley == mean
        whole = combined(cells, [Lever(name) for name in names])
        assert sum(saving.waterfall for saving in found.values()) == whole


def test_a_dozen_levers_on_one_cost_sum_exactly() -> None:
    """Each takes a half: alike, each has a twelfth of what is left of nothing but 2 ** -12."""
    names = [f"lever-{number:02}" for number in range(12)]
    found = savings([Cell("w", Fraction(1), dict.fromkeys(names, Fraction(1, 2)))], [Lever(name) for name in names])
    assert {saving.shapley for saving in found.values()} == {(1 - Fraction(1, 2**12)) / 12}
    assert sum(saving.waterfall for saving in found.values()) == 1 - Fraction(1, 2**12)


def test_money_sums_although_parts_are_rounded() -> None:
    third = Fraction(1, 3) / 10**12
    found = in_money({"a": Fraction(1) + third, "b": third, "c": third})
    # each third of a pico-unit is none; together they are one, and it is the largest's
    assert found == {"a": Decimal("1.000000000001"), "b": Decimal(0), "c": Decimal(0)}
    assert in_money({}) == {}


def test_one_cluster_and_a_sure_share_leave_no_range() -> None:
    assert ranges([cell("8", gone="1/2")], [Lever("gone")]) == {"gone": (Decimal(4), Decimal(4), Decimal(4))}


def test_the_range_of_a_share_is_that_of_its_bounds() -> None:
    """Uniform from 0 to 1 of 100: P10 is 10, P50 50, P90 90; a thousand draws come within 4 of it."""
    found = ranges([cell("100", gone="1")], [Lever("gone", Fraction(0), Fraction(1))])["gone"]
    for value, meant in zip(found, (10, 50, 90), strict=True):
        assert abs(value - meant) < 4


def test_clusters_come_and_go_whole() -> None:
    """Of two clusters, one with all the money, a draw has it twice (1/4), once or never (1/4): P10 is 0, P90 twice."""
    cells = [cell("10", "w1", gone="1"), cell("0", "w2", gone="1")]
    assert ranges(cells, [Lever("gone")])["gone"] == (Decimal(0), Decimal(10), Decimal(20))


def test_a_later_lever_s_range_is_of_what_is_left() -> None:
    cells = [cell("8", gone="1/2", half="1/2")]
    assert ranges(cells, [Lever("gone"), Lever("half")])["half"] == (Decimal(2), Decimal(2), Decimal(2))


def test_no_cell_no_range_and_no_saving() -> None:
    assert ranges([], [Lever("gone")]) == {}
    assert ranges([cell("8")], [Lever("gone")]) == {}
    assert savings([], [Lever("gone")])["gone"].waterfall == 0


@pytest.mark.parametrize(
    ("levers", "told"),
    [
        ([Lever("a"), Lever("a")], "2 levers of 1 names"),
        ([Lever("a")], r"not given: \['gone'\]"),
    ],
)
def test_what_cannot_be_summed_is_refused(levers: list[Lever], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        savings([cell("8", gone="1/2")], levers)
