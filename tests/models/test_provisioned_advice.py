"""What is advised of units of provisioned throughput, worked out by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.dollar_rates import UsdRates
from models.frames import frame_of
from models.provisioned import UnitTerms
from models.provisioned_advice import provisioned_advice
from models.provisioned_minutes import DayMinutes, Model, day_minutes
from tests.sql.golden import filled

MONTH = date(2026, 10, 1)
GLOBAL = UnitTerms(3_000, Fraction(4), Fraction(0), fewest=15, step=5)
REGIONAL = UnitTerms(3_000, Fraction(4), Fraction(0), fewest=50, step=50)
TERMS = {"Global": {"gpt-4.1": GLOBAL}, "Regional": {"gpt-4.1": REGIONAL}}
EAST: Model = ("gpt-4.1", "eastus")
HOURLY = {
    "usage_date": date(2026, 10, 31),
    "provider_name": "Microsoft",
    "region_id": "eastus",
    "scope": "Global",
    "purchase_option": "provisioned",
    "sku_id": "unit",
    "sku_price_id": "",
    "currency": "USD",
    "unit_price": "0.30",
}
DEPLOYED = {
    "billing_period": MONTH,
    "provider_name": "Microsoft",
    "deployment_id": "/one",
    "region_id": "eastus",
    "model": "GPT-4.1",
    "provisioned_units": "30",
}


def busy(usd_per_mtok: str = "2", **changed: Any) -> DayMinutes:
    """60,000 tokens in every minute: 20 units carry them, and by the token they cost 172.80 a day at 2 a million."""
    counts = np.tile(np.array([[60_000, 0, 0]]), (1440, 1))
    cost = Decimal(usd_per_mtok) * 60 * 1440 / 1000
    return replace(
        DayMinutes(counts, (60_000 * 1440, 0, 0), cost, unpriced_tokens=0, has_units=False, unmetered_attempts=0),
        **changed,
    )


def days(*told: Mapping[Model, DayMinutes]) -> dict[date, Mapping[Model, DayMinutes]]:
    return {MONTH + timedelta(days=number): one for number, one in enumerate(told)}


def advice(
    minutes: Mapping[date, Mapping[Model, DayMinutes]],
    prices: Sequence[dict[str, Any]] = (HOURLY,),
    deployed: Sequence[dict[str, Any]] = (),
    rates: UsdRates = MappingProxyType({}),
) -> list[dict[str, Any]]:
    deployments = frame_of(filled("provisioned_deployments", list(deployed)))
    listed = frame_of(filled("provisioned_prices", list(prices)))
    return provisioned_advice(minutes, deployments, listed, MONTH, TERMS, rates).to_dicts()


def test_units_that_carry_all_cost_less_than_its_tokens() -> None:
    """20 units at 0.30 are 144 a day, 28.80 less than by the token; a month of 730 hours is 730/24 days."""
    (row,) = advice(days(*[{EAST: busy()}] * 8))
    assert (row["model_id"], row["region_id"], row["day_count"]) == (*EAST, 8)
    assert (row["mean_tokens_per_minute"], row["peak_tokens_per_minute"]) == (60_000, 60_000)
    assert (row["weighted_usd_per_mtok"], row["unit_price"]) == (2, Decimal("0.3"))
    assert (row["current_units"], row["best_units"], row["advised_units"]) == (0, 20, 20)
    assert row["token_monthly_cost"] == row["current_monthly_cost"] == 5256
    assert (row["best_monthly_cost"], row["monthly_saving"]) == (4380, 876)
    assert row["saving_p10"] == 876  # all days are alike
    assert (row["current_spill_ratio"], row["best_spill_ratio"]) == (1, 0)
    assert (row["confidence"], row["reason"]) == ("C", None)


def test_output_weighs_by_the_terms_and_what_was_cached_nothing() -> None:
    """10,000 tokens out weigh as the 40,000 in that are left: 172.80 a day for as many weighted tokens as before."""
    counts = np.tile(np.array([[20_000, 999, 10_000]]), (1440, 1))
    day = busy(counts=counts, priced=(20_000 * 1440, 999 * 1440, 10_000 * 1440))
    (row,) = advice(days(*[{EAST: day}] * 7))
    assert (row["weighted_usd_per_mtok"], row["advised_units"], row["monthly_saving"]) == (2, 20, 876)


def test_a_whole_month_whose_tokens_all_have_a_price_is_surer() -> None:
    assert [row["confidence"] for row in advice(days(*[{EAST: busy()}] * 28))] == ["B"]
    partly = [{EAST: busy(unpriced_tokens=1)}, *[{EAST: busy()}] * 27]
    assert [(row["confidence"], row["unpriced_tokens"]) for row in advice(days(*partly))] == [("C", 1)]


def test_demand_that_nobody_metered_is_counted_and_makes_the_advice_less_sure() -> None:
    partly = [{EAST: busy(unmetered_attempts=3)}, *[{EAST: busy()}] * 26, {EAST: busy(unmetered_attempts=2)}]
    assert [(row["confidence"], row["unmetered_attempts"]) for row in advice(days(*partly))] == [("C", 5)]


def test_what_one_day_alone_would_save_is_not_advised() -> None:
    """At 20 a million the one day costs 1,728 and units 144 on each of seven: 720 less, in seven days.

    A week that is drawn from them has no such day in one case of three, and costs 1,008 more then.
    """
    (row,) = advice(days({EAST: busy("20")}, *[dict[Model, DayMinutes]()] * 6))
    month = Fraction(730, 24 * 7)
    assert (row["best_units"], row["advised_units"], row["reason"]) == (20, None, "no_saving")
    assert row["monthly_saving"] == round(Decimal(720 * 730) / 168, 12)
    assert float(row["saving_p10"]) == pytest.approx(float(-1008 * month))


def test_units_that_are_deployed_are_held_against_the_best_number_once() -> None:
    """30 units are 216 a day, 20 of them 144; two accounts pay for the one deployment."""
    twice = [{**DEPLOYED, "billing_account_id": account} for account in ("1", "2")]
    (row,) = advice(days(*[{EAST: busy()}] * 7), deployed=twice)
    assert (row["current_units"], row["advised_units"], row["current_spill_ratio"]) == (30, 20, 0)
    assert row["monthly_saving"] == Decimal(72) * 730 / 24
    (row,) = advice(days(*[{EAST: busy()}] * 7), deployed=[{**DEPLOYED, "provisioned_units": "20"}])
    assert (row["current_units"], row["advised_units"], row["reason"]) == (20, None, "no_saving")


def test_units_that_nobody_knows_leave_the_saving_unknown() -> None:
    untold: dict[str, Any] = {"deployed": [{**DEPLOYED, "provisioned_units": None}]}
    served = days(*[{EAST: busy(has_units=True)}] * 7)
    for (row,) in (advice(days(*[{EAST: busy()}] * 7), **untold), advice(served)):
        assert (row["current_units"], row["best_units"], row["advised_units"]) == (None, 20, None)
        assert (row["current_monthly_cost"], row["monthly_saving"], row["reason"]) == (None, None, "unknown_units")


def test_each_way_of_buying_is_a_row_by_its_own_terms_and_price() -> None:
    """Reserved for 146 a month of 730 hours a unit is 0.20; regional ones are sold from 50 on: 360 a day."""
    month = {"purchase_option": "reserved", "term_months": 1, "unit_price": "0", "upfront_price": "146"}
    old = {**HOURLY, "usage_date": date(2026, 10, 30), "unit_price": "0.01"}
    euro = {**HOURLY, "currency": "EUR", "unit_price": "0.01"}
    prices = [HOURLY, {**HOURLY, **month}, {**HOURLY, "scope": "Regional", "region_id": ""}, old, euro]
    rows = {(row["scope"], row["purchase_option"]): row for row in advice(days(*[{EAST: busy()}] * 30), prices)}
    assert [key for key, row in rows.items() if row["advised_units"] == 20] == [
        ("Global", "provisioned"),
        ("Global", "reserved"),
    ]
    reserved, regional = rows["Global", "reserved"], rows["Regional", "provisioned"]
    assert (reserved["unit_price"], reserved["term_months"]) == (Decimal("0.2"), 1)
    assert reserved["monthly_saving"] == Decimal("172.8") * 730 / 24 - 20 * Decimal("0.2") * 730
    assert (regional["best_units"], regional["reason"]) == (0, "no_saving")


def test_a_list_in_another_currency_counts_at_the_rate_of_its_month() -> None:
    """0.25 euros at 1.20 are the 0.30 dollars of above; November's rate says nothing of a list of October."""
    week, euro = days(*[{EAST: busy()}] * 7), {**HOURLY, "currency": "EUR", "unit_price": "0.25"}
    october, november = ({("EUR", month): Decimal(rate)} for month, rate in ((MONTH, "1.2"), (date(2026, 11, 1), "2")))
    (row,) = advice(week, [euro], rates=october)
    assert (row["unit_price"], row["advised_units"], row["monthly_saving"]) == (Decimal("0.3"), 20, 876)
    # beside a list in dollars it is the same list, and says nothing
    (row,) = advice(week, [HOURLY, {**euro, "unit_price": "0.01"}], rates=october)
    assert row["unit_price"] == Decimal("0.3")
    unstated: UsdRates = {}
    for rates in (unstated, november):
        (row,) = advice(week, [euro], rates=rates)
        assert (row["reason"], row["unit_price"], row["advised_units"]) == ("no_exchange_rate", None, None)


def test_nobody_is_bound_for_months_by_few_days_or_by_falling_use() -> None:
    """20 units save on 29 days of the same traffic, and in a month of which the last nine days have none.

    21 busy days cost 3,628.80 by the token, 30 days of 20 units at 0.20 2,880. Mann and Kendall's sum of 30 days is
    -21 x 9 = -189, its variance (30 x 29 x 65 - 21 x 20 x 47 - 9 x 8 x 23) / 18 = 1953: p is far below 0.05.
    """
    reserved = {**HOURLY, "purchase_option": "reserved", "term_months": 12, "unit_price": "0.20"}
    hourly = {**HOURLY, "unit_price": "0.20"}
    for told, reason in (
        ([{EAST: busy()}] * 29, "short_history"),
        ([*[{EAST: busy()}] * 21, *[dict[Model, DayMinutes]()] * 9], "falling_use"),
    ):
        by_hour, by_year = advice(days(*told), [hourly, reserved])
        assert (by_hour["advised_units"], by_hour["reason"]) == (20, None)
        assert (by_year["best_units"], by_year["advised_units"], by_year["reason"]) == (20, None, reason)
        assert by_year["monthly_saving"] == by_hour["monthly_saving"]
    assert [row["advised_units"] for row in advice(days(*[{EAST: busy()}] * 30), [reserved])] == [20]


def test_a_month_of_28_days_is_as_long_as_it_can_be() -> None:
    reserved = {**HOURLY, "purchase_option": "reserved", "term_months": 12, "unit_price": "0.20"}
    february = date(2026, 2, 1)
    told = {february + timedelta(days=number): {EAST: busy()} for number in range(28)}
    deployed = frame_of(filled("provisioned_deployments", []))
    listed = frame_of(filled("provisioned_prices", [reserved]))
    (row,) = provisioned_advice(told, deployed, listed, february, TERMS).to_dicts()
    assert (row["advised_units"], row["reason"]) == (20, None)


def test_where_units_serve_every_token_none_was_paid_by_itself() -> None:
    """Which is another matter than tokens that no list has a price of."""
    served = busy("0", priced=(0, 0, 0), has_units=True)
    (row,) = advice(days(*[{EAST: served}] * 7), deployed=[DEPLOYED])
    assert (row["current_units"], row["weighted_usd_per_mtok"], row["reason"]) == (30, None, "only_on_units")
    unpriced = replace(served, unpriced_tokens=1)
    (row,) = advice(days(*[{EAST: served}] * 6, {EAST: unpriced}), deployed=[DEPLOYED])
    assert row["reason"] == "no_token_price"


def test_a_unit_for_nothing_is_no_offer() -> None:
    """Beside it the price of 0.30 counts; alone it is no price."""
    free = {**HOURLY, "unit_price": "0"}
    (row,) = advice(days(*[{EAST: busy()}] * 7), [HOURLY, free])
    assert (row["unit_price"], row["advised_units"]) == (Decimal("0.3"), 20)
    (row,) = advice(days(*[{EAST: busy()}] * 7), [free])
    assert (row["reason"], row["advised_units"]) == ("no_unit_price", None)


def test_a_region_that_is_not_told_has_the_price_that_all_agree_on() -> None:
    """And the units of regions that the log has nothing of."""
    nowhere: dict[Model, DayMinutes] = {("gpt-4.1", ""): busy()}
    week = days(*[nowhere] * 7)
    west = {**HOURLY, "region_id": "westus"}
    (row,) = advice(week, [HOURLY, west], [DEPLOYED])
    assert (row["region_id"], row["current_units"], row["unit_price"]) == ("", 30, Decimal("0.3"))
    (row,) = advice(week, [HOURLY, {**west, "unit_price": "0.40"}])
    assert (row["unit_price"], row["best_units"], row["reason"]) == (None, None, "unknown_region")


def test_without_what_it_takes_there_is_a_row_that_says_so() -> None:
    week = days(*[{EAST: busy()}] * 7)
    assert [row["reason"] for row in advice(days(*[{EAST: busy()}] * 6))] == ["short_log"]
    assert [row["reason"] for row in advice(week, [])] == ["no_unit_price"]
    assert [row["reason"] for row in advice(week, [{**HOURLY, "region_id": "westus"}])] == ["no_unit_price"]
    cached = busy(priced=(0, 500, 0), cost=Decimal(1))
    (row,) = advice(days(*[{EAST: cached}] * 7))
    assert (row["reason"], row["weighted_usd_per_mtok"]) == ("no_token_price", None)
    west = {**DEPLOYED, "deployment_id": "/two", "region_id": "westus"}
    old = {**DEPLOYED, "deployment_id": "/three", "model": "gpt-4o", "provisioned_units": "50"}
    rows = {(row["model_id"], row["region_id"]): row for row in advice(week, deployed=[west, old])}
    told = {key: (row["current_units"], row["reason"]) for key, row in rows.items()}
    assert told == {
        EAST: (0, None),
        ("gpt-4.1", "westus"): (30, "no_traffic"),
        ("gpt-4o", "eastus"): (50, "no_terms"),
    }
    assert advice({}) == []


def test_a_days_minutes_are_added_over_tiers_and_priced_by_the_token_alone() -> None:
    minute = {
        "usage_date": MONTH,
        "minute_start": "2026-10-01 10:00:00",
        "provider_id": "azure",
        "model_id": "gpt-4.1",
        "service_tier": "default",
        "region_id": "eastus",
        "is_priced": True,
        "input_tokens": 100,
        "cached_tokens": 50,
        "output_tokens": 10,
        "priced_cost_usd": "0.25",
        "unmetered_attempts": 0,
    }
    unpriced = {**minute, "is_priced": False, "priced_cost_usd": None, "input_tokens": 7, "cached_tokens": 0}
    later = {**minute, "minute_start": "2026-10-01 10:01:00", "region_id": ""}
    lost = {**unpriced, "minute_start": "2026-10-01 10:02:00", "unmetered_attempts": 2}
    lost |= dict.fromkeys(("input_tokens", "cached_tokens", "output_tokens"))
    rows = [minute, unpriced, {**unpriced, "service_tier": "provisioned"}, later, lost]
    found = day_minutes(frame_of(filled("provisioned_minutes", rows)))
    assert found.keys() == {EAST, ("gpt-4.1", "")}
    east = found[EAST]
    assert east.counts.tolist() == [[114, 50, 30]]
    assert (east.priced, east.cost, east.unpriced_tokens, east.has_units) == ((100, 50, 10), Decimal("0.25"), 17, True)
    assert (east.unmetered_attempts, found["gpt-4.1", ""].unmetered_attempts) == (2, 0)
    assert not found["gpt-4.1", ""].has_units
    assert day_minutes(pl.DataFrame(schema=frame_of(filled("provisioned_minutes", [])).schema)) == {}
