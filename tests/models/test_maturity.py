"""How mature cohorts are, by hand and against delays that are known."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from models.maturity import Age, maturity_by_age

AS_OF = date(2026, 10, 31)


def test_factors_of_three_cohorts_by_hand() -> None:
    # old enough for age 2: 10/01; for age 1: 10/01 and 10/30. By age 1 over by age 0: (8+6)/(4+6); by 2 over by 1: 10/8
    outcomes = {
        Age(date(2026, 10, 1), 0): Decimal(4),
        Age(date(2026, 10, 1), 1): Decimal(4),
        Age(date(2026, 10, 1), 2): Decimal(2),
        Age(date(2026, 10, 30), 0): Decimal(6),
        Age(date(2026, 10, 31), 0): Decimal(100),
    }
    found = maturity_by_age(outcomes, AS_OF, 2)
    assert [round(share, 9) for share in found if share is not None] == [round(Decimal(8) / 14, 9), Decimal("0.8"), 1]


def test_what_comes_before_its_request_counts_at_once_and_what_comes_after_the_last_age_at_that() -> None:
    outcomes = {Age(date(2026, 10, 1), -1): Decimal(1), Age(date(2026, 10, 1), 9): Decimal(3)}
    assert maturity_by_age(outcomes, AS_OF, 1) == [0.25, 1.0]


def test_no_cohort_that_is_old_enough_is_no_estimate() -> None:
    young = {Age(AS_OF - timedelta(days=1), 0): Decimal(5)}
    assert maturity_by_age(young, AS_OF, 3) == [None, None, None, 1.0]
    assert maturity_by_age({}, AS_OF, 1) == [None, 1.0]


def test_an_age_at_which_nothing_had_come_is_no_maturity_at_all() -> None:
    assert maturity_by_age({Age(date(2026, 10, 1), 2): Decimal(5)}, AS_OF, 2) == [0.0, 0.0, 1.0]


def test_delays_that_are_cut_off_today_are_found_again() -> None:
    random = np.random.default_rng(5)
    outcomes: dict[Age, Decimal] = {}
    truth = np.array([0.5, 0.25, 0.125, 0.125])
    for back in range(60):
        cohort = AS_OF - timedelta(days=back)
        for age, count in enumerate(random.multinomial(400, truth)):
            if age <= back:
                outcomes[Age(cohort, age)] = Decimal(int(count))
    found = [float(share) for share in maturity_by_age(outcomes, AS_OF, 3) if share is not None]
    assert found == pytest.approx([0.5, 0.75, 0.875, 1.0], abs=0.01)
