"""Intervals of a ratio: by hand, against a bootstrap, and how often they hold the truth."""

from decimal import Decimal

import numpy as np
import pytest

from models.ratio_interval import Interval, Sums, delta_interval, fieller_interval, ratio_interval, uncertainty


def sums(c: np.ndarray, n: np.ndarray) -> Sums:
    found = (c.sum(), n.sum(), (c * c).sum(), (n * n).sum(), (c * n).sum())
    return Sums(len(c), *(Decimal(repr(float(x))) for x in found))


def ends(found: Interval | None) -> tuple[float, float]:
    assert found is not None
    return float(found.low), float(found.high)


def test_the_delta_interval_of_four_traces_by_hand() -> None:
    # c = 1, 1, 2, 4 and n = 1, 1, 1, 1: R = 2, residuals -1, -1, 0, 2, squares 6, times 4/3 is 8: se = sqrt(8)/4
    found = delta_interval(sums(np.array([1.0, 1, 2, 4]), np.ones(4)))
    half = 1.959963984540054 * 8**0.5 / 4
    assert ends(found) == pytest.approx((2 - half, 2 + half))


def test_fieller_of_a_certain_denominator_is_the_delta_interval() -> None:
    given = sums(np.array([1.0, 1, 2, 4]), np.ones(4))
    found = fieller_interval(given)
    assert ends(found) == pytest.approx(ends(delta_interval(given)))


def test_both_ends_of_fieller_lie_as_far_from_the_ratio_as_its_rule_says() -> None:
    random = np.random.default_rng(7)
    c, n = random.gamma(2, 1, 40), (random.random(40) < 0.15).astype(float)
    given = sums(c, n)
    found = fieller_interval(given)
    assert found is not None
    for end in ends(found):
        residual = c - end * n
        variance = residual.var(ddof=1) * len(c)
        assert residual.sum() ** 2 == pytest.approx(1.959963984540054**2 * variance)
    assert found.high - given.c / given.n > given.c / given.n - found.low


def test_few_successes_take_fieller_and_hardly_any_have_no_interval() -> None:
    many = sums(np.ones(1000), np.ones(1000) * (np.arange(1000) % 2))
    few = sums(np.ones(100), (np.arange(100) % 10 == 0).astype(float))
    hardly = sums(np.ones(100), (np.arange(100) < 2).astype(float))
    assert [found.method if found else None for found in map(ratio_interval, (many, few, hardly))] == [
        "delta",
        "fieller",
        None,
    ]
    assert uncertainty(hardly) > 1
    assert ratio_interval(sums(np.ones(1), np.ones(1))) is None
    assert ratio_interval(sums(np.ones(5), np.zeros(5))) is None


def test_the_interval_is_that_of_a_bootstrap_over_traces() -> None:
    random = np.random.default_rng(3)
    c, n = random.gamma(1.5, 0.1, 2000), (random.random(2000) < 0.7).astype(float)
    chosen = random.integers(0, 2000, (2000, 2000))
    low, high = np.quantile(c[chosen].sum(1) / n[chosen].sum(1), [0.025, 0.975])
    found = ratio_interval(sums(c, n))
    assert ends(found) == pytest.approx((low, high), rel=0.01)


@pytest.mark.parametrize("ratio", [0.7, 0.1])
def test_nineteen_of_twenty_intervals_hold_the_truth(ratio: float) -> None:
    random = np.random.default_rng(11)
    held = told = 0
    for _ in range(2000):
        c, n = random.gamma(1.5, 0.1, 300), (random.random(300) < ratio).astype(float)
        found = ratio_interval(sums(c, n))
        told += found is not None
        held += found is not None and found.low <= 0.15 / ratio <= found.high
    assert told == 2000
    assert 0.93 <= held / told <= 0.97
