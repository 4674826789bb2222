"""Plans against APIs and machines: the offers that count, and figures worked out by hand."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.api_offers import ApiOffer, Residency, api_offers
from models.break_even import Plan, Serving, Traffic
from models.break_even_risk import assumptions
from models.checkpointing import Interruptions
from models.dollar_rates import UsdRates
from models.frames import schema_of
from models.gpu_offers import GpuOffer, gpu_offers
from models.mean_month import MONTH_HOURS
from models.self_host_verdicts import TODAYS, Workload, rates_of_reference, verdict_of, verdict_rows
from tests.sql.golden import filled

DAY = date(2026, 10, 31)
WEEK = np.ones(168)


def machine(way: str, price: str, **changed: Any) -> dict[str, Any]:
    row = {
        "usage_date": DAY,
        "provider_name": "AWS",
        "region_id": "us-east-1",
        "instance_type": "p5",
        "currency": "USD",
    }
    return {**row, "purchase_option": way, "price_per_hour": price, "gpu_count": 8, "product": "Linux", **changed}


def offers(
    rows: list[dict[str, Any]], regions: tuple[str, ...] = (), rates: UsdRates = MappingProxyType({})
) -> list[tuple[str, str, Fraction]]:
    table = pl.from_arrow(filled("machine_prices", rows))
    assert isinstance(table, pl.DataFrame)
    found = gpu_offers(table, {"p5": None}, regions, rates)
    return [(offer.region_id, offer.way, offer.price) for offer in found]


def test_the_cheapest_of_each_region_and_way_counts() -> None:
    rows = [
        machine("on_demand", "40"),
        machine("on_demand", "60", product="Windows"),
        machine("reserved", "30", term_months=12),
        machine("savings_plan", "25", term_months=36),
        machine("on_demand", "50", region_id="eu-central-1"),
        machine("on_demand", "1", usage_date=DAY - timedelta(days=1)),  # an older reading of the list
        machine("on_demand", "2", instance_type="p4d"),
        machine("capacity_block", "3"),
        machine("on_demand", "4", currency="EUR"),
    ]
    assert offers(rows) == [
        ("eu-central-1", "on_demand", 50),
        ("us-east-1", "on_demand", 40),
        ("us-east-1", "reserved", 25),
    ]
    assert offers(rows, ("eu-central-1",)) == [("eu-central-1", "on_demand", 50)]


def test_a_price_in_another_currency_is_an_offer_at_the_rate_of_its_month() -> None:
    """40 euros at 1.10 are 44 dollars; spot is the mean of 10 euros in October and 12 in November, at 1.10 and 1.20."""
    november = DAY + timedelta(days=1)
    rows = [
        machine("on_demand", "40", currency="EUR"),
        machine("spot", "10", currency="EUR", availability_zone="a"),
        machine("spot", "12", currency="EUR", availability_zone="a", usage_date=november),
        machine("reserved", "1", currency="CHF"),
    ]
    rates = {("EUR", DAY.replace(day=1)): Decimal("1.1"), ("EUR", november): Decimal("1.2")}
    assert offers(rows, rates=rates) == [("us-east-1", "on_demand", 44), ("us-east-1", "spot", Fraction("12.7"))]
    assert offers(rows) == []


def test_spot_is_the_mean_of_its_zone_s_days_and_takes_its_gpus_from_the_list() -> None:
    zones = [("a", "10", 0), ("a", "13", 1), ("b", "14", 0), ("b", "1", 31)]
    rows = [
        machine("spot", price, availability_zone=zone, gpu_count=None, usage_date=DAY - timedelta(days=ago))
        for zone, price, ago in zones
    ]
    # zone a cost 11.50 in the mean, b 14: its price of a month ago is forgotten
    assert offers([machine("on_demand", "40"), *rows])[1:] == [("us-east-1", "spot", Fraction(23, 2))]
    assert offers(rows) == []  # nobody says how many GPUs it has


def book(rows: list[dict[str, Any]]) -> pl.DataFrame:
    blank = {"service_tier": "default", "region_id": "", "input_tokens_from": 0, "input_tokens_to": 10**9}
    dated = {"valid_from": "2026-01-01 00:00:00", "valid_to": "9999-12-31 00:00:00"}
    found = pl.from_arrow(filled("price_book", [{**blank, **dated, **row} for row in rows]))
    assert isinstance(found, pl.DataFrame)
    return found


def api(provider: str, uncached: str | None, out: str | None, **changed: Any) -> dict[str, Any]:
    prices = {"input_uncached_usd_per_token": uncached, "output_text_usd_per_token": out}
    return {"provider_id": provider, "model_id": "llama", **prices, **changed}


def test_apis_of_the_same_weights_come_cheapest_first_and_none_is_free() -> None:
    rows = [
        api("dear", "0.000002", "0.000004"),
        api("cheap", "0.000001", "0.000002"),
        api("trial", "0", "0"),
        api("untold", "0.0000001", None),
        api("other", "0.0000001", "0.0000001", model_id="mistral"),
        api("batch", "0.0000001", "0.0000001", service_tier="batch"),
        api("gone", "0.0000001", "0.0000001", valid_to="2026-10-01 00:00:00"),
    ]
    tokens = {"input_uncached": 3_000_000, "output_text": 1_000_000, "cache_read": 0}
    at = datetime(2026, 10, 31)

    def sellers(residency: Residency = Residency()) -> list[tuple[str, Fraction]]:  # noqa: B008
        found = api_offers(book(rows), lambda name: name == "llama", tokens, Fraction(1, 2), at, residency)
        return [(offer.provider_id, offer.monthly_cost) for offer in found]

    # half a month of 3 million in and 1 million out
    assert sellers() == [("cheap", 10), ("dear", 20)]
    assert sellers(Residency(providers=frozenset({"dear"}))) == [("dear", 20)]
    # a price that holds everywhere does not say where it is computed: who is trusted must be named
    assert sellers(Residency(regions=frozenset({"eu"}))) == []
    assert sellers(Residency(frozenset({"eu"}), frozenset({"dear"}))) == [("dear", 20)]


def workload(**changed: Any) -> Workload:
    plan: dict[str, Any] = {
        "plan_id": "tickets",
        "gpus": 2,
        "prefill_rate": 20_000.0,
        "decode_rate": 1_000.0,
        "is_measured": True,
        "min_replicas": 1,
        "most_waiting": 0.05,
        "overhead_ratio": 0.0,
        "people_monthly_cost": 0.0,
        "setup_cost": 0.0,
    }
    return Workload(**(plan | changed))


def by_day(erlangs: float) -> Traffic:
    """Output only, for half of each day."""
    half = np.tile(np.repeat([1.0, 0.0], 12), 7)
    return Traffic(0 * WEEK, half * erlangs * 3600 * 1_000, WEEK)


def one(load: Workload, traffic: Traffic, machines: list[GpuOffer], cost: int) -> list[dict[str, Any]]:
    apis = [(TODAYS, ApiOffer("", "gpt", "", Fraction(cost)))]
    return list(verdict_rows(load, traffic, 1_000, apis, machines))


def offer(way: str, price: int, gpus: int = 8) -> GpuOffer:
    return GpuOffer("AWS", "us-east-1", "p5", way, 0, gpus, Fraction(price))


def test_machines_are_rented_whole() -> None:
    """Five replicas' worth of work take ten replicas of two GPUs: three machines of eight, by night one."""
    (row,) = one(workload(), by_day(5), [offer("on_demand", 40)], 200_000)
    assert row["own_monthly_cost"] == Decimal((3 + 1) * 40 * MONTH_HOURS // 2)
    assert row["utilisation_ratio"] == pytest.approx(2.5 / (4 * (3 + 1) / 2))
    assert row["monthly_saving"] == 200_000 - row["own_monthly_cost"]
    # a replica of sixteen GPUs takes two machines: ten by day, one by night
    (row,) = one(workload(gpus=16), by_day(5), [offer("on_demand", 40)], 200_000)
    assert row["own_monthly_cost"] == Decimal(2 * (10 + 1) * 40 * MONTH_HOURS // 2)


def test_a_commitment_is_bought_for_the_hours_that_always_come() -> None:
    """Three machines by day and one by night: at 24 of 40 an hour only the one that always runs is worth a term."""
    rows = one(workload(), by_day(5), [offer("on_demand", 40), offer("reserved", 24)], 200_000)
    reserved = next(row for row in rows if row["purchase_option"] == "reserved")
    assert reserved["committed_machines"] == 1
    # a mean hour: one at 24, and two at 40 in half of the hours
    assert reserved["own_monthly_cost"] == Decimal((24 + 40) * MONTH_HOURS)
    assert reserved["machine_hour_cost"] == Decimal(32)  # of two machines in the mean hour
    # where nothing is sold on demand all three are committed to, and paid by night
    (alone,) = one(workload(), by_day(5), [offer("reserved", 24)], 200_000)
    assert alone["committed_machines"] == 3
    assert alone["own_monthly_cost"] == Decimal(3 * 24 * MONTH_HOURS)


def test_the_verdict_says_how_sure_it_is_and_when_it_pays_back() -> None:
    machines = [offer("on_demand", 8)]
    (sure,) = one(workload(setup_cost=50_000.0), by_day(5), machines, 100_000)
    assert (sure["verdict"], sure["probability"]) == ("self_host", 1.0)
    assert sure["payback_months"] == pytest.approx(50_000 / float(sure["saving_p50"]), abs=1e-6)
    assert sure["break_even_monthly_tokens"] == round(sure["break_even_multiple"] * 1_000)
    (lost,) = one(workload(people_monthly_cost=20_000.0), by_day(5), machines, 10_000)
    assert (lost["verdict"], lost["payback_months"], lost["needed_utilisation_ratio"]) == ("api", None, None)
    assert set(sure) | {"plan_id"} <= set(schema_of("break_even"))


def test_the_edges_of_sure_count_as_sure() -> None:
    assert [verdict_of(chance) for chance in (0.8, 0.7999, 0.2001, 0.2)] == ["self_host", "open", "open", "api"]


def test_a_published_rate_is_what_it_says_at_its_own_lengths() -> None:
    prefill, decode = rates_of_reference(1_000.0, 500, 250)
    # 250 tokens out and 500 in take as long as 250 at the published rate
    assert 500 / prefill + 250 / decode == pytest.approx(250 / 1_000)
    assert prefill == 10 * decode


def test_a_published_peak_is_less_sure_than_a_measured_rate() -> None:
    drawn = assumptions(10_000, is_measured=False)["throughput"]
    assert (drawn.min() * 0.525, drawn.max() * 0.525) == (pytest.approx(0.35, abs=1e-3), pytest.approx(0.7, abs=1e-3))
    others = [assumptions(500, is_measured=known)["traffic"] for known in (True, False)]
    assert (others[0] == others[1]).all()


def test_a_machine_s_other_replicas_are_paid_too() -> None:
    load = Traffic(0 * WEEK, 0.01 * WEEK * 3600, WEEK)
    assert Serving.of(load, Plan(2, 1.0, 1.0, 1.0, replicas_per_machine=4)).replica_hours == pytest.approx(
        4 * MONTH_HOURS
    )
    with pytest.raises(ValueError, match="replicas on a machine"):
        Plan(2, 1.0, 1.0, 1.0, replicas_per_machine=0)


def test_an_hour_of_work_on_spot_takes_more_than_an_hour_of_machines() -> None:
    """Five replicas' work on machines at 40: taken away once in 8 hours, each time 16 minutes are lost.

    Saved every five minutes' worth, the published overhead is 19.9 %; where nothing has to be saved an hour takes
    exp(16 / 480) of one.
    """
    saved = workload(interruptions=Interruptions(8, 5 / 60, 16 / 60))
    (row,) = one(saved, by_day(5), [offer("spot", 40)], 200_000)
    assert row["spot_hours_ratio"] == pytest.approx(1.199, abs=0.001)
    assert float(row["machine_hour_cost"]) == pytest.approx(40 * row["spot_hours_ratio"])
    assert float(row["own_monthly_cost"]) == pytest.approx((3 + 1) * 40 * MONTH_HOURS / 2 * row["spot_hours_ratio"])
    (row,) = one(workload(interruptions=Interruptions(8, 0, 16 / 60)), by_day(5), [offer("spot", 40)], 200_000)
    assert row["spot_hours_ratio"] == pytest.approx(2.718281828 ** (16 / 480))
    assert (row["verdict"], row.get("reason")) == ("self_host", None)
    # and nobody takes away what is on demand
    (row,) = one(saved, by_day(5), [offer("on_demand", 40)], 200_000)
    assert (row["spot_hours_ratio"], row["machine_hour_cost"]) == (None, 40)


def test_without_a_word_on_interruptions_spot_is_told_as_no_saving() -> None:
    (cheap,) = one(workload(), by_day(5), [offer("spot", 40)], 200_000)
    assert (cheap["verdict"], cheap["reason"], cheap["machine_hour_cost"]) == (None, "unknown_interruptions", 40)
    assert cheap["monthly_saving"] > 0
    # what is dearer than the API even so is dearer
    (dear,) = one(workload(), by_day(5), [offer("spot", 40)], 10_000)
    assert (dear["verdict"], dear.get("reason")) == ("api", None)


@pytest.mark.parametrize(("restart", "works"), [(6.907, True), (6.908, False), (100.0, False)])
def test_more_than_a_thousand_hours_of_machines_for_one_of_work_are_too_many(restart: float, works: bool) -> None:
    """Taken away every hour on average, an hour takes exp(restart): 999.2, 1,000.2, and a number of 44 digits."""
    spot = workload(interruptions=Interruptions(1, 0, restart))
    (row,) = one(spot, by_day(5), [offer("spot", 40)], 200_000)
    assert (row.get("reason") != "interrupted_too_often", "own_monthly_cost" in row) == (works, works)
    assert row["machine_hour_cost"] < 40 * 1000


def test_machines_that_never_last_long_enough_do_no_work() -> None:
    (row,) = one(workload(interruptions=Interruptions(0.001, 1, 1)), by_day(5), [offer("spot", 40)], 200_000)
    assert (row["reason"], row["spot_hours_ratio"], row.get("verdict")) == ("interrupted_too_often", None, None)
    assert "own_monthly_cost" not in row
