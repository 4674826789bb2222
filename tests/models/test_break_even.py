"""Serving oneself against an API: closed forms, and plans that are worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from models.break_even import Plan, Serving, Traffic, break_even
from models.break_even_risk import assumptions, risk
from models.mean_month import MONTH_HOURS

WEEK = np.ones(168)
# 2.50 an hour, 25,000 tokens a second in and 2,500 out: a replica-second is 25,000 in or 2,500 out
PLAN = Plan(gpus=1, gpu_hour_cost=2.5, prefill_rate=25_000, decode_rate=2_500, overhead_ratio=0.0)


def traffic(erlangs: float, *, peak: float = 1.0) -> Traffic:
    """Four tokens in for each one out, as much as keeps that many replicas of PLAN busy."""
    out = erlangs * 3600 / (4 / 25_000 + 1 / 2_500)
    return Traffic(4 * out * WEEK, out * WEEK, peak * WEEK)


def test_tokens_of_a_replica_that_is_always_busy_cost_its_rent_by_its_rate() -> None:
    """The published fixture: 0.028 and 0.278 a million in and out, 0.078 blended at four to one."""
    rent = 2.5 / 3600
    assert (rent / 25_000 * 1e6, rent / 2_500 * 1e6) == (
        pytest.approx(0.0278, abs=5e-5),
        pytest.approx(0.2778, abs=5e-5),
    )
    one = traffic(1.0)
    month = (one.input_tokens.sum() + one.output_tokens.sum()) * MONTH_HOURS / 168
    assert MONTH_HOURS * 2.5 / month * 1e6 == pytest.approx(0.0778, abs=5e-5)


def test_small_loads_keep_replicas_as_idle_as_erlang_says() -> None:
    for erlangs, replicas in ((2, 6), (5, 10), (10, 17), (50, 64)):
        serving = Serving.of(traffic(erlangs), PLAN)
        assert serving.replica_hours == pytest.approx(replicas * MONTH_HOURS)
        assert serving.utilisation_ratio == pytest.approx(erlangs / replicas)
        assert serving.cost == pytest.approx(replicas * MONTH_HOURS * 2.5)


def test_a_stricter_latency_target_keeps_replicas_idler_and_pays_later() -> None:
    """12 replicas instead of 10 for five replicas' work: the same tokens cost a fifth more, and pay at a higher price."""
    strict = replace(PLAN, most_waiting=0.01)
    usual, waiting = (Serving.of(traffic(5), plan) for plan in (PLAN, strict))
    assert (usual.replica_hours, waiting.replica_hours) == pytest.approx((10 * MONTH_HOURS, 12 * MONTH_HOURS))
    assert waiting.utilisation_ratio == pytest.approx(5 / 12)
    api_cost = 11 * MONTH_HOURS * 2.5
    assert break_even(traffic(5), PLAN, api_cost).monthly_saving == pytest.approx(MONTH_HOURS * 2.5)
    assert break_even(traffic(5), strict, api_cost).monthly_saving == pytest.approx(-MONTH_HOURS * 2.5)


def test_rent_is_paid_whatever_is_used() -> None:
    """A plan whose rent followed utilisation would be wrong: half the traffic, the same replica."""
    full, half = (Serving.of(traffic(erlangs), PLAN) for erlangs in (0.04, 0.02))
    assert full.cost == half.cost == MONTH_HOURS * 2.5
    assert half.utilisation_ratio == pytest.approx(full.utilisation_ratio / 2)


def test_replicas_stand_ready_for_the_busiest_of_an_hour_and_for_availability() -> None:
    assert Serving.of(traffic(2, peak=2.5), PLAN).replica_hours == pytest.approx(10 * MONTH_HOURS)
    two = Plan(1, 2.5, 25_000, 2_500, min_replicas=2)
    assert Serving.of(traffic(0.01), two).replica_hours == pytest.approx(2 * MONTH_HOURS)
    by_day = np.tile(np.repeat([1.0, 0.0], 12), 7)
    day = Traffic(by_day * 25_000 * 3600 * 5, 0 * WEEK, WEEK)
    assert Serving.of(day, PLAN).replica_hours == pytest.approx((10 + 1) / 2 * MONTH_HOURS)


def test_what_goes_with_gpus_and_people_is_paid_too() -> None:
    plan = Plan(2, 2.5, 25_000, 2_500, overhead_ratio=0.1, fixed_monthly_cost=10_000)
    serving = Serving.of(traffic(2), plan)
    gpus = 6 * 2 * 2.5 * MONTH_HOURS
    assert (serving.gpu_cost, serving.overhead_cost, serving.fixed_cost) == pytest.approx((gpus, gpus / 10, 10_000))


def test_the_needed_utilisation_and_the_volume_from_which_it_pays() -> None:
    plan = Plan(1, 2.5, 25_000, 2_500, overhead_ratio=0.0, fixed_monthly_cost=1_825)
    # two erlangs of work are 3,650 of rent a month; of an API's 9,125 the people take 1,825, so half busy would do
    found = break_even(traffic(2), plan, 9_125)
    assert found.needed_utilisation_ratio == pytest.approx(0.5)
    assert found.serving.utilisation_ratio == pytest.approx(1 / 3)
    assert found.monthly_saving == pytest.approx(9_125 - 6 * 1_825 - 1_825)
    # it pays from where fixed + replicas x 1,825 is below 4,562.5 an erlang: at 4 erlangs 8 or 9 replicas cost 18,250
    volume = found.volume_multiple
    assert 1 < volume < 3
    after, before = (break_even(traffic(2 * volume * step), plan, 9_125 * volume * step) for step in (1.0, 0.985))
    assert after.monthly_saving >= 0 > before.monthly_saving


def test_what_never_pays_says_so() -> None:
    dear = Plan(8, 10.0, 2_500, 250, fixed_monthly_cost=20_000)
    found = break_even(traffic(1), dear, 500)
    assert np.isnan(found.needed_utilisation_ratio)
    assert np.isnan(found.volume_multiple)
    assert found.monthly_saving < 0


def test_no_traffic_is_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        break_even(Traffic(0 * WEEK, 0 * WEEK, WEEK), PLAN, 10)
    with pytest.raises(ValueError, match="168 hours"):
        Traffic(np.ones(24), np.ones(24), np.ones(24))
    with pytest.raises(ValueError, match="expected 1 or more"):
        Traffic(WEEK, WEEK, WEEK / 2)
    with pytest.raises(ValueError, match="above zero"):
        Plan(1, 1.0, 0.0, 1.0)


def test_chance_has_the_spread_that_is_said() -> None:
    drawn = assumptions(200_000)
    assert drawn["throughput"].mean() == pytest.approx(1, abs=0.005)
    assert drawn["throughput"].std() == pytest.approx(0.3, abs=0.005)
    assert (drawn["gpu_price"].min(), drawn["gpu_price"].max()) == pytest.approx((0.85, 1.15), abs=1e-3)
    assert drawn["traffic"].std() == pytest.approx(0.2, abs=0.005)
    assert drawn["overhead"].mean() == pytest.approx(0.16 / 3, abs=0.001)
    assert (drawn["api_price"].min(), drawn["api_price"].max()) == pytest.approx((0.75, 1.0), abs=1e-3)


def test_what_is_far_cheaper_is_sure_and_what_is_far_dearer_is_not() -> None:
    sure = risk(traffic(20), PLAN, 1_000_000)
    assert (sure.probability, sure.p10 > 0) == (1.0, True)
    never = risk(traffic(20), PLAN, 1_000)
    assert (never.probability, never.p90 < 0) == (0.0, True)
    assert sure.p10 < sure.p50 < sure.p90
    assert {swing.assumption for swing in sure.swings} == set(assumptions(100))
    assert [swing.width for swing in sure.swings] == sorted((swing.width for swing in sure.swings), reverse=True)
    assert risk(traffic(20), PLAN, 1_000_000) == sure


def test_the_curve_is_the_plan_where_nothing_is_left_to_chance() -> None:
    """Linear in what is linear: with work alone at stake, the median saving is the plan's at the median work."""
    found = risk(traffic(40), PLAN, 200_000)
    api = next(swing for swing in found.swings if swing.assumption == "api_price")
    # the tenth and the ninetieth percentile of 1 - U(0, 0.5) / 2 are 0.775 and 0.975: a fifth of the API's cost
    assert api.width == pytest.approx(0.2 * 200_000, rel=0.02)
