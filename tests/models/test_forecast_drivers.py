"""A month's end under other drivers, worked out by hand."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from models.budgets import breach_chance
from models.forecast_drivers import Drivers, driven

ROW: dict[str, Any] = {
    "metric": "cost",
    "remaining_days": 10,
    "settled_amount": Decimal(500),
    "scheduled_amount": Decimal(80),
    "unsettled_estimate": Decimal(20),
    "month_end_p10": Decimal(900),
    "month_end_p50": Decimal(1000),
    "month_end_p90": Decimal(1200),
    "quantiles": json.dumps({"0.1": "900", "0.5": "1000", "0.9": "1200"}),
}
MORE = Drivers(Fraction(3, 2), Fraction(1, 2), Fraction(2))  # half more requests of half the length at twice the price


def test_what_is_left_is_multiplied_and_what_is_done_stays() -> None:
    """600 are done or awaited; of 400 that are left all follow: 1.5 times, 600 more than the 600."""
    found = driven(ROW, MORE, Fraction(1))
    assert (found.p10, found.p50, found.p90) == (1050, 1200, 1500)
    assert driven(ROW, MORE, Fraction(0)).p50 == 1000
    # of an organisation half of whose money are machines, only the other half follows
    assert driven(ROW, MORE, Fraction(1, 2)).p50 == 600 + 400 * Fraction(5, 4)


def test_a_number_of_tokens_has_no_price() -> None:
    assert driven({**ROW, "metric": "tokens"}, MORE, Fraction(1)).p50 == 600 + 300
    assert driven({**ROW, "metric": "outcome_cost"}, MORE, Fraction(1)).p50 == 1200


def test_the_chance_of_a_breach_is_that_of_the_moved_quantiles() -> None:
    """At 1,200 nine of ten months ended below; half more of what is left makes 1,200 the middle."""
    assert breach_chance(ROW["quantiles"], Decimal(1200)) == Decimal("0.0")
    assert breach_chance(driven(ROW, MORE, Fraction(1)).quantiles, Decimal(1200)) == Decimal("0.5")
    assert breach_chance(driven(ROW, Drivers(), Fraction(1)).quantiles, Decimal(1000)) == Decimal("0.5")


def test_no_demand_moves_a_month_s_end_below_what_is_settled_and_awaited() -> None:
    """580 are settled or awaited, 600 with the unsettled days: a month of 590 in all has nothing left to be driven."""
    low: dict[str, Any] = {
        **ROW,
        "month_end_p10": Decimal(590),
        "quantiles": json.dumps({"0.1": "590", "0.5": "1000", "0.9": "1200"}),
    }
    more, less = (driven(low, Drivers(Fraction(times)), Fraction(1)) for times in ("3", "1/2"))
    assert (more.p10, more.p50, more.p90) == (590, 1800, 2400)
    assert (less.p10, less.p50, less.p90) == (590, 800, 900)
    assert json.loads(more.quantiles or "") == {"0.1": "590.000000000000", "0.5": "1800.000000000000"} | {
        "0.9": "2400.000000000000"
    }
    # of usage with refunds, a quantile below what is known is negative usage, and three times of it is three times less
    refunds = {**low, "month_end_p10": Decimal(570), "quantiles": low["quantiles"].replace("590", "570")}
    assert driven(refunds, Drivers(Fraction(3)), Fraction(1)).p10 == 600 - 3 * 30


def test_a_month_that_is_used_up_and_one_without_an_interval() -> None:
    assert driven({**ROW, "remaining_days": 0}, MORE, Fraction(1)).p50 == 1000
    cold = {**ROW, "month_end_p10": None, "month_end_p90": None, "quantiles": None}
    found = driven(cold, MORE, Fraction(1))
    assert (found.p10, found.p50, found.quantiles) == (None, 1200, None)
    unknown = {**cold, "month_end_p50": None, "unsettled_estimate": None}
    assert driven(unknown, MORE, Fraction(1)).p50 is None


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        Drivers(requests=Fraction(-1))
    with pytest.raises(ValueError, match="from 0 to 1"):
        driven(ROW, MORE, Fraction(2))
