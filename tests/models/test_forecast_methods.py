"""How a series goes on: recursions against the library's own, plain rules by hand, widths against what they must hold."""

import numpy as np
import pytest

from models.ets_paths import EtsState, ets_paths, state_of
from models.forecast_calibration import calibrated, factor_of
from models.forecast_methods import auto_ets, is_intermittent, seasonal_naive, seasonal_window_average
from models.forecast_origins import FEWEST_TRAINING_DAYS, Record, Target, origins, record_of

WEEK = np.array([10.0, 12, 11, 13, 12, 4, 3])


def weeks(count: int) -> np.ndarray:
    return np.tile(WEEK, count)


def noisy(days: int, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.resize(WEEK, days) * np.exp(random.normal(0, 0.1, days)) * np.exp(0.002 * np.arange(days))


@pytest.mark.parametrize("model", ["AAA", "MAM", "MAA", "ANA", "ANN", "MNM"])
def test_paths_are_those_of_the_library_for_the_same_errors(model: str) -> None:
    from statsforecast.ets import etssimulate, switch
    from statsforecast.models import AutoETS

    fitted = AutoETS(season_length=7, model=model, damped=True if model[1] == "A" else None).fit(noisy(150)).model_
    scale = 0.05 if model[0] == "M" else 1.0
    errors = np.random.default_rng(2).normal(0, scale, (3, 40))
    ours = ets_paths(state_of(fitted), errors)
    kinds = [switch(letter) for letter in fitted["components"][:3]]
    parameters = [0.0 if np.isnan(value) else value for value in fitted["par"][:4]]
    for path, of_path in zip(ours, errors, strict=True):
        theirs = np.zeros(40)
        etssimulate(fitted["states"][-1], 7, *kinds, *parameters, 40, theirs, of_path)
        assert np.abs(path - theirs).max() < 1e-9


def test_without_errors_a_damped_trend_fades_and_the_week_repeats() -> None:
    season = np.array([-3.0, 1, 2, 0, 0, 0, 0])  # newest first: the oldest is what comes next
    state = EtsState("AAAD", 0.5, 0.1, 0.1, 0.5, 100.0, 8.0, season, np.zeros(1))
    (path,) = ets_paths(state, np.zeros((1, 8)))
    # 100 + 8 * (1/2 + 1/4 + ...), and the weekday's part
    assert path[:4].tolist() == [104.0, 106.0, 107.0, 107.5]
    assert path[6] == pytest.approx(100 + 8 * (1 - 0.5**7) - 3)


def test_naive_is_the_week_before_again_and_again() -> None:
    paths = seasonal_naive(weeks(5))(weeks(5), 17, 3, np.random.default_rng(1))
    assert (paths == np.resize(WEEK, 17)).all()


def test_naive_wanders_off_further_each_week() -> None:
    history = noisy(140)
    paths = seasonal_naive(history)(history, 28, 4000, np.random.default_rng(1))
    spread = paths.std(axis=0).reshape(4, 7).mean(axis=1)
    # a random walk by weeks: the fourth week's spread is twice the first's
    assert spread[3] / spread[0] == pytest.approx(2.0, rel=0.05)


def test_the_window_average_is_the_mean_of_four_weeks() -> None:
    history = np.concatenate([weeks(1) * 100, weeks(1), weeks(1) * 2, weeks(1) * 3, weeks(1) * 6])
    paths = seasonal_window_average(history)(history, 9, 200_000, np.random.default_rng(1))
    assert paths.mean() == pytest.approx(np.resize(WEEK, 9).mean() * 3, rel=0.03)  # (1 + 2 + 3 + 6) / 4
    exact = seasonal_window_average(weeks(5))(weeks(5) * 3, 9, 2, np.random.default_rng(1))
    assert (exact == np.resize(WEEK, 9) * 3).all()


def test_ets_finds_week_and_noise() -> None:
    history = noisy(150)
    paths = auto_ets(history)(history, 14, 500, np.random.default_rng(1))
    truth = np.resize(np.roll(WEEK, -150), 14) * np.exp(0.002 * np.arange(150, 164))
    assert np.median(paths, axis=0) == pytest.approx(truth, rel=0.12)


def test_weekends_without_anything_are_not_intermittent() -> None:
    assert not is_intermittent(np.tile([5.0, 5, 5, 5, 5, 0, 0], 8))
    assert is_intermittent(np.tile([5.0, 0, 5, 0, 0, 5, 0, 0], 8))
    assert not is_intermittent(np.zeros(56))


def test_origins_leave_whole_targets_and_four_weeks_to_learn_from() -> None:
    assert origins(100, Target(0, 20)) == (31, 38, 45, 52, 59, 66, 73, 80)
    assert len(origins(400, Target(0, 20))) == 12
    assert origins(FEWEST_TRAINING_DAYS + 20, Target(0, 20)) == (28,)
    assert origins(FEWEST_TRAINING_DAYS + 19, Target(0, 20)) == ()


def test_what_was_said_does_not_know_what_came_after() -> None:
    history, target = noisy(200), Target(0, 10)
    other = history.copy()
    other[-10:] *= 5  # the newest origin's target
    said = [record_of(one, target, auto_ets, np.random.default_rng(1), [True] * 200) for one in (history, other)]
    assert (said[0].middle == said[1].middle).all()
    assert said[0].actual[-1] * 5 == pytest.approx(said[1].actual[-1])
    assert (said[0].actual[:-1] == said[1].actual[:-1])[:-1].all()


def test_an_origin_whose_target_is_not_all_known_is_left_out() -> None:
    is_known = [True] * 200
    is_known[195] = False
    record = record_of(weeks(29)[:200], Target(0, 10), seasonal_naive, np.random.default_rng(1), is_known)
    assert 190 not in record.days
    assert len(record.days) == 11


def test_the_factor_is_the_eighth_of_nine_and_the_unknown_one() -> None:
    own = np.array([0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert factor_of(own, np.zeros(0)) == 0.8
    assert factor_of(own[:3], np.zeros(0)) == np.inf  # three of four, and four of five are wanted
    # 24 others weigh as much as twelve of its own, and the unknown one as one: of 13, four of five are 10.4
    assert factor_of(np.zeros(0), np.linspace(0.05, 1.2, 24)) == pytest.approx(1.05)
    # 1200 others weigh as much as twelve of its own, whatever their number: with six own ones of 2, two thirds are low
    assert factor_of(np.full(6, 2.0), np.full(1200, 0.5)) == 2.0
    assert factor_of(np.full(2, 2.0), np.full(1200, 0.5)) == 0.5


def drawn(random: np.random.Generator, spread: float, count: int = 12) -> Record:
    """Forecasts of a method that takes the spread to be 1."""
    actual = random.normal(0, spread, count)
    half = np.full(count, 1.2816)
    days = tuple(range(100, 100 + 30 * count, 30))
    return Record(days, Target(0, 20), actual, -half, np.zeros(count), half, np.ones(count), 1.0)


def test_widened_intervals_hold_four_of_five_of_what_comes() -> None:
    random = np.random.default_rng(4)
    found = calibrated([drawn(random, 2.0) for _ in range(100)])
    coming = random.normal(0, 2.0, 100_000)
    factors = np.array([one.factor for one in found if one is not None])
    assert len(factors) == 100
    held = np.mean([np.mean(np.abs(coming) <= 1.2816 * factor) for factor in factors])
    # of twelve own, as many of others and the unknown one, 0.8 of 25 are 20 of 24
    assert held == pytest.approx(20 / 24, abs=0.02)
    measured = [one.pool_coverage for one in found if one is not None]
    assert measured[0] == pytest.approx(20 / 24, abs=0.03)


def test_too_few_origins_have_no_width() -> None:
    random = np.random.default_rng(4)
    found = calibrated([drawn(random, 1.0), drawn(random, 1.0, 3)])
    assert found[0] is not None
    assert found[1] is None
