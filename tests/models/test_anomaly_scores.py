"""Scores and alarms: worked out by hand on series without noise, and by injected truth on seeded ones with it."""

from statistics import NormalDist

import numpy as np
import pytest

from benchmarks.anomaly_truth import KINDS, clean_series
from models.anomaly_scores import SENSITIVITIES, discoveries, known_median, score_days

MEDIUM = SENSITIVITIES["medium"]
USUAL = 100.0
OFFSET = 1.0  # a hundredth of the usual day


def flat(days: int = 60) -> np.ndarray:
    return np.full((1, days), USUAL)


def beyond(score: float) -> float:
    """The value of that score in a series that never varied: its scale is the least, 0.05."""
    return (USUAL + OFFSET) * np.exp(0.05 * score) - OFFSET


@pytest.mark.parametrize(("score", "is_alarm"), [(3.499, False), (3.501, True)])
def test_a_day_is_an_alarm_from_the_limit_on(score: float, is_alarm: bool) -> None:
    values = flat()
    values[0, 50] = beyond(score)
    scores = score_days(values, MEDIUM)
    assert scores.score[0, 50] == pytest.approx(score, abs=1e-9)
    assert scores.expected[0, 50] == pytest.approx(USUAL)
    assert np.flatnonzero(scores.is_point[0]).tolist() == ([50] if is_alarm else [])


def test_the_running_sum_alarms_on_the_day_that_takes_it_past_its_limit_and_begins_anew() -> None:
    values = flat()
    values[0, 50:58] = beyond(2.0)  # 1.5 a day: 1.5, 3, 4.5, 6 > 5, and again
    scores = score_days(values, MEDIUM)
    assert {int(day): int(scores.sum_start[0, day]) for day in np.flatnonzero(scores.sum_start[0] >= 0)} == {
        53: 50,
        57: 54,
    }
    assert not scores.is_point.any()


def test_one_day_counts_in_the_running_sum_as_four_deviations_at_most() -> None:
    values = flat()
    values[0, 50], values[0, 51] = beyond(100), beyond(2.0)  # 3.5, then 5.0, which is not more than 5
    assert not (score_days(values, MEDIUM).sum_start >= 0).any()
    values[0, 51] = beyond(2.001)
    assert score_days(values, MEDIUM).sum_start[0, 51] == 50


def test_a_weekday_is_held_against_its_own_weekdays() -> None:
    values = np.tile([100.0, 100, 100, 100, 100, 10, 10], 9)[None, :]
    values[0, 54] = 100.0  # a Saturday like a Monday
    scores = score_days(values, MEDIUM)
    assert np.flatnonzero(scores.is_point[0]).tolist() == [54]
    assert scores.expected[0, 54] == pytest.approx(10.0)
    assert scores.score[0, 54] == pytest.approx(np.log(101 / 11) / 0.05)


@pytest.mark.parametrize(("peak", "score"), [(300.0, 249.5 / 49.5), (249.0, 198.5 / 49.5), (248.0, None)])
def test_where_days_differ_by_factors_one_far_above_all_of_four_weeks_is_an_alarm(
    peak: float, score: float | None
) -> None:
    """1 and 100 in turn: 50.5 in the mean, 49.5 either way; more than four of these above it is more than 248.5.

    Three of the six same weekdays had 1, three 100: the logarithm's median lies between them, and its deviation is half
    their distance, times 1.4826: 300 is less than one and a half of these above it.
    """
    values = np.tile([1.0, 100.0], 30)[None, :]
    values[0, 55] = peak
    values[0, 57] = peak  # which was reached before
    scores = score_days(values, MEDIUM)
    late = np.flatnonzero(scores.is_point[0, 50:]) + 50  # before, the weekdays are hardly known
    assert late.tolist() == ([] if score is None else [55])
    assert scores.score[0, 55] == pytest.approx(score) if score else scores.score[0, 55] < 1.5
    assert scores.score[0, 57] < 1.5
    assert not (scores.sum_start[0, 50:] >= 0).any()


def test_a_series_that_is_even_is_judged_by_its_weekdays_alone() -> None:
    """100 and 110 in turn: 126 is 4.2 of their deviation of 5 above 105, and 2.6 spreads of logarithms: no alarm."""
    values = np.tile([100.0, 110.0], 30)[None, :]
    values[0, 55] = 126.0
    scores = score_days(values, MEDIUM)
    assert scores.score[0, 55] == pytest.approx(2.6, abs=0.05)
    assert not scores.is_point[0, 50:].any()


def test_a_drop_is_told_as_one_and_never_as_a_rise_once_it_is_usual() -> None:
    values = flat(140)
    values[0, 60:] = 50.0
    scores = score_days(values, MEDIUM)
    assert scores.is_drop[0, 60]
    assert not scores.is_point.any()
    assert not (scores.sum_start >= 0).any()


def test_a_day_is_judged_by_itself_and_the_days_before_it() -> None:
    values = clean_series(20, 120, 0.15, np.random.default_rng(3))
    whole, cut = score_days(values, MEDIUM), score_days(values[:, :90], MEDIUM)
    for name in ("expected", "score", "drop_score", "is_point", "sum_start"):
        np.testing.assert_array_equal(getattr(whole, name)[:, :90], getattr(cut, name))


def test_the_unit_of_a_series_does_not_matter() -> None:
    values = clean_series(20, 120, 0.15, np.random.default_rng(4))
    np.testing.assert_allclose(score_days(values, MEDIUM).score, score_days(values * 1e6, MEDIUM).score, atol=1e-6)


def test_nothing_is_said_of_the_first_ten_days() -> None:
    values = flat(11)
    values[0, 9:] = 10_000.0
    scores = score_days(values, MEDIUM)
    assert np.isnan(scores.score[0, :10]).all()
    assert scores.is_point[0].tolist() == [False] * 10 + [True]


def test_a_young_series_varies_as_the_old_ones_of_its_pool_do() -> None:
    rng = np.random.default_rng(5)
    old = clean_series(30, 80, 0.05, rng)
    young = np.full((2, 80), np.nan)
    young[:, 60:] = USUAL
    young[:, 79] = USUAL * np.exp(0.5)
    pools = np.array([7] * 30 + [7, 8])
    score = score_days(np.vstack([old, young]), MEDIUM, pools).score[:, 79]
    assert score[30] > 3.5  # among others that vary by a twentieth, half as much again is much
    assert score[31] == pytest.approx(np.log((USUAL * np.exp(0.5) + 1) / 101) / 0.3)  # alone: the cautious prior


def test_spending_that_begins_after_weeks_of_none_is_an_alarm() -> None:
    values = np.zeros((1, 60))
    values[0, 50] = 700.0
    assert np.flatnonzero(score_days(values, MEDIUM).is_point[0]).tolist() == [50]


def test_a_day_that_is_not_known_is_neither_an_alarm_nor_a_calm_one() -> None:
    values = flat()
    values[0, 50:54] = beyond(2.0)
    values[0, 52] = np.nan
    values[0, 54] = beyond(2.0)
    scores = score_days(values, MEDIUM)
    assert np.isnan(scores.score[0, 52])
    assert scores.sum_start[0, 54] == 50


def test_the_median_is_of_what_is_known() -> None:
    middle, known = known_median(np.array([[3.0, np.nan, 1.0], [np.nan, np.nan, np.nan], [1.0, 2.0, 4.0]]))
    np.testing.assert_array_equal(middle, [2.0, np.nan, 2.0])
    assert known.tolist() == [2, 0, 3]


@pytest.mark.parametrize(
    ("chances", "rate", "found"),
    [
        ([0.01, 0.02, 0.029, 0.5], 0.04, 3),  # against 0.01, 0.02, 0.03, 0.04
        ([0.011, 0.021, 0.031, 0.5], 0.04, 0),
        ([0.011, 0.021, 0.029, 0.5], 0.04, 3),  # the third carries the first two
        ([0.001, 0.5, 0.6, 0.7], 0.04, 1),
    ],
)
def test_discoveries_are_those_up_to_the_last_one_below_its_line(chances: list[float], rate: float, found: int) -> None:
    scores = np.array([*(NormalDist().inv_cdf(1 - chance * (1 - 1e-9)) for chance in chances), np.nan])
    assert discoveries(scores, rate).tolist() == [index < found for index in range(5)]


@pytest.mark.parametrize(("noise", "most_false", "least_found"), [(0.05, 0.3, 1.0), (0.15, 0.8, 0.75)])
def test_false_alarms_are_few_and_what_was_injected_is_found(
    noise: float, most_false: float, least_found: float
) -> None:
    rng = np.random.default_rng(11)
    clean = clean_series(150, 180, noise, rng)
    scores = score_days(clean, MEDIUM)
    alarms = (scores.is_point | (scores.sum_start >= 0))[:, 49:]
    assert 100 * alarms.mean() <= most_false
    for kind, inject in KINDS.items():
        values, first, last = inject(clean)
        seen = score_days(values, MEDIUM)
        hit = (seen.is_point | (seen.sum_start >= 0))[:, first : last + 1].any(axis=1)
        assert hit.mean() >= least_found, kind


@pytest.mark.filterwarnings("error")
def test_a_day_below_zero_is_judged_as_one_of_zero() -> None:
    refunded, nothing = flat(), flat()
    refunded[0, 50], nothing[0, 50] = -30.0, 0.0
    scores = score_days(refunded, MEDIUM)
    assert scores.is_drop[0, 50]
    # (0 + 1) beside (100 + 1)
    assert scores.drop_score[0, 50] == pytest.approx(-np.log(101) / 0.05)
    assert np.array_equal(scores.expected, score_days(nothing, MEDIUM).expected, equal_nan=True)
