"""Expected hours of work that is interrupted, against a simulation and cases that have a closed form."""

import random
from math import e, inf, sqrt

import pytest

from models.checkpointing import Interruptions

MINUTE = 1 / 60


def simulated(given: Interruptions, work: float, interval: float, seed: int) -> float:
    """Hours until the work is done, one attempt after another: what is not saved is lost."""
    chance, hours, done = random.Random(seed), 0.0, 0.0
    left = chance.expovariate(1 / given.mean_hours)
    while done < work:
        step = min(interval, work - done) + given.checkpoint
        if left >= step:
            hours, left, done = hours + step, left - step, done + interval
            continue
        hours += left
        left = chance.expovariate(1 / given.mean_hours)
        while left < given.restart:  # a restart may be interrupted too
            hours += left
            left = chance.expovariate(1 / given.mean_hours)
        hours, left = hours + given.restart, left - given.restart
    return hours


@pytest.mark.parametrize(("mean", "model_overhead"), [(2, 0.547), (8, 0.199), (24, 0.100)])
def test_the_overhead_is_the_published_one_and_a_simulation_s(mean: int, model_overhead: float) -> None:
    """Five minutes to save, sixteen to restart, 200 hours of work."""
    given = Interruptions(mean, 5 * MINUTE, 16 * MINUTE)
    expected = given.expected_hours(200)
    assert expected / 200 - 1 == pytest.approx(model_overhead, abs=0.001)
    runs = [simulated(given, 200, given.best_interval, seed) for seed in range(300)]
    assert sum(runs) / len(runs) == pytest.approx(expected, rel=0.012)


@pytest.mark.parametrize("mean", [2, 8, 24])
def test_no_interval_is_much_better_than_daly_s(mean: int) -> None:
    given = Interruptions(mean, 5 * MINUTE, 16 * MINUTE)
    best = min(given.expected_hours(200, minutes * MINUTE) for minutes in range(5, 24 * 60))
    assert given.expected_hours(200) <= best * 1.001
    for factor in (0.25, 4):
        overhead = given.expected_hours(200, given.best_interval * factor) / 200 - 1
        assert 1.3 < overhead / (given.expected_hours(200) / 200 - 1) < 2.6


def test_for_rare_interruptions_it_is_young_s_interval() -> None:
    given = Interruptions(10_000, 0.1, 0.1)
    assert given.best_interval == pytest.approx(sqrt(2 * 0.1 * 10_000), rel=0.005)
    assert Interruptions(1, 3, 0).best_interval == 1  # saving takes longer than machines last


def test_without_checkpoints_work_as_long_as_the_mean_takes_e_minus_one_of_it() -> None:
    assert Interruptions(5, 0, 0).expected_hours(5, interval=5) == pytest.approx(5 * (e - 1))
    assert Interruptions(0.1, 0, 0).expected_hours(100, interval=100) == inf


def test_saving_for_nothing_loses_nothing() -> None:
    assert Interruptions(5, 0, 0).expected_hours(100) == 100


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="expected hours above zero"):
        Interruptions(0, 1, 1)
    with pytest.raises(ValueError, match="expected above zero"):
        Interruptions(1, 1, 1).expected_hours(0)
