"""GPU money by the hour: sums worked by hand, and the ledger's own shares beside them."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from models.gpu_costs import gpu_costs
from models.ledger import post
from tests.models.conftest import DAY

D = Decimal
HOUR = timedelta(hours=1)
NODE = {"resource_id": "i-1", "cost": "7", "charge_start": DAY, "charge_end": DAY + 2 * HOUR}


def costs_of(rows, charges, states, served=(), owners=(), labels=()):
    return gpu_costs(
        charge_groups=rows.charges(*charges),
        gpu_states=rows.states(*states),
        pod_models=rows.pod_models(*served),
        gpu_labels=rows.labels(*labels),
        owners=rows.owners(*owners),
    )


def by(costs, *columns):
    return {tuple(row[:-1]): row[-1] for row in costs.select(*columns, "effective_cost").rows()}


def test_an_hours_cost_follows_the_seconds_of_each_holder_and_state(rows):
    states = [
        {"namespace": "a", "pod": "a-1", "state_seconds": 1800},
        {"namespace": "a", "pod": "a-2", "state": "allocated_idle", "state_seconds": 1800},
        {"hour_start": DAY + HOUR, "state": "unallocated", "state_seconds": 3600},
    ]
    owners = [{"match_kind": "namespace", "match_value": "a", "team_id": "red"}]
    costs = costs_of(rows, [NODE], states, owners=owners)
    assert by(costs, "hour_start", "pod", "account", "holder_team_id") == {
        (DAY, "a-1", "team:red", "red"): D("1.75"),
        (DAY, "a-2", "team:red", "red"): D("1.75"),
        (DAY + HOUR, "", "residual:idle", None): D("3.5"),
    }


def test_money_follows_the_microseconds_and_seconds_are_told_whole(rows):
    """An hour at $7 of seven holders with a seventh each: a dollar each, in whatever seconds they are told."""
    seventh = 3_600_000_000 // 7
    states = [
        {"namespace": name, "pod": "p", "state_seconds": 515 if name in "abc" else 514}
        | {"state_microseconds": seventh + (name in "abcde")}  # 7 sevenths lack 5 microseconds of the hour
        for name in "abcdefg"
    ]
    states += [{"hour_start": DAY + HOUR, "namespace": "h", "pod": "p", "state_seconds": 0, "state_microseconds": 1}]
    costs = costs_of(rows, [NODE | {"charge_end": DAY + HOUR}], states)
    assert {round(cost, 8) for cost in costs["effective_cost"].to_list()} == {D(1)}
    assert (costs["effective_cost"].sum(), costs["gpu_seconds"].sum()) == (D(7), 3 * 515 + 4 * 514)
    moment = costs_of(rows, [NODE | {"cost": "1", "charge_start": DAY + HOUR}], states)
    assert moment.select("namespace", "gpu_seconds", "effective_cost").rows() == [("h", 0, D(1))]


def test_held_time_that_nobody_saw_is_its_holders_and_only_the_rest_a_residual(rows):
    states = [
        {"namespace": "a", "pod": "a-1", "state": "unknown", "state_seconds": 5400},
        {"state": "unknown", "state_seconds": 1800},
    ]
    owners = [{"match_kind": "namespace", "match_value": "a", "team_id": "red"}]
    assert by(costs_of(rows, [NODE], states, owners=owners), "account", "team_id", "holder_team_id") == {
        ("team:red", "red", "red"): D("5.25"),
        ("residual:unknown_gpu", None, None): D("1.75"),
    }


def test_work_that_a_weak_metric_cannot_prove_costs_its_holder_as_idling_does(rows):
    """A day at $72: 18 hours of utilisation only, which proves no use, and 6 of idleness, all held by one team."""
    held = {"namespace": "a", "pod": "p"}
    states = [
        held | {"hour_start": DAY + n * HOUR, "state": "unknown" if n < 18 else "allocated_idle"} for n in range(24)
    ]
    owners = [{"match_kind": "namespace", "match_value": "a", "team_id": "red"}]
    costs = costs_of(rows, [NODE | {"cost": "72", "charge_end": DAY + 24 * HOUR}], states, owners=owners)
    sums = costs.group_by("account", "gpu_state").agg(pl.col("effective_cost").sum()).sort("gpu_state")
    assert sums.rows() == [("team:red", "allocated_idle", D(18)), ("team:red", "unknown", D(54))]


def test_ways_of_buying_stay_apart_and_seconds_are_told_once(rows):
    charges = [
        NODE | {"purchase_option": "savings_plan", "cost": "5"},
        NODE | {"purchase_option": "on_demand", "cost": "1"},
        NODE | {"charge_category": "Credit", "cost": "-0.5"},
    ]
    costs = costs_of(rows, charges, [{"state_seconds": 3600}, {"hour_start": DAY + HOUR}])
    assert by(costs, "purchase_option", "hour_start") == {
        ("savings_plan", DAY): D("2.5"),
        ("savings_plan", DAY + HOUR): D("2.5"),
        ("on_demand", DAY): D("0.5"),
        ("on_demand", DAY + HOUR): D("0.5"),
        ("", DAY): D("-0.25"),
        ("", DAY + HOUR): D("-0.25"),
    }
    assert costs.group_by("purchase_option").agg(pl.col("gpu_seconds").sum()).sort("purchase_option").rows() == [
        ("", 0),
        ("on_demand", 0),
        ("savings_plan", 7200),
    ]


def test_what_a_later_bill_takes_back_of_an_hour_carries_no_seconds(rows):
    """December credits 8.00 of an hour of November: the hour's seconds were told with November's line."""
    for later in ({"charge_class": "Correction"}, {"charge_category": "Credit"}):
        costs = costs_of(rows, [NODE | later | {"cost": "-8"}], [{"namespace": "a", "pod": "x"}])
        assert costs.select("gpu_seconds", "observed_seconds", "effective_cost").rows() == [(0, 0, D(-8))]


def test_the_model_is_that_of_the_pod_in_the_hour(rows):
    states = [
        {"namespace": "llm", "pod": "p1"},
        {"namespace": "llm", "pod": "p2", "gpu_uuid": "GPU-2"},
        {"namespace": "llm", "pod": "p3", "gpu_uuid": "GPU-3"},
    ]
    costs = costs_of(rows, [NODE], states, [{"pod": "p1"}, {"pod": "p2", "model_id": "qwen", "model_source": "label"}])
    assert dict(costs.select("pod", "model_id").rows()) == {"p1": "llama", "p2": "qwen", "p3": None}


def test_what_activity_did_not_fill_is_told_as_opportunity(rows):
    # 900 of 3600 under-used seconds unfilled: a quarter of that hour's 4.00
    states = [
        {"state": "under_used", "namespace": "a", "pod": "x", "under_used_seconds": 900},
        {"hour_start": DAY + HOUR, "namespace": "a", "pod": "x"},
    ]
    costs = costs_of(rows, [NODE | {"cost": "8"}], states)
    assert dict(costs.select("gpu_state", "under_used_cost").rows()) == {"under_used": D(1), "effective": D(0)}


@pytest.mark.parametrize("cost", ["1", "-1", "0.000000000007", "123456789.123456789123"])
def test_hours_add_up_to_the_ledgers_postings_to_the_last_decimal(rows, cost):
    states = [
        {"gpu_uuid": f"GPU-{gpu}", "hour_start": DAY + hour * HOUR, "namespace": f"n{holder}", "pod": "p", **state}
        for gpu in range(3)
        for hour in range(2)
        for holder, state in enumerate(
            [
                {"state_seconds": 1234 + gpu},
                {"state": "under_used", "state_seconds": 777, "under_used_seconds": 100 + hour},
                {"state": "unknown", "state_seconds": 11},
            ]
        )
    ]
    owners = [{"match_kind": "namespace", "match_value": "n1", "team_id": "red"}]
    charges = [NODE | {"cost": cost}, NODE | {"cost": "3", "charge_end": DAY + HOUR}]
    frames = {
        "charge_groups": rows.charges(*charges),
        "gpu_states": rows.states(*states),
        "pod_models": rows.pod_models(),
        "gpu_labels": rows.labels(),
        "owners": rows.owners(*owners),
    }
    amounts = [pl.col("effective_cost").sum(), pl.col("under_used_cost").sum()]
    key = ["account", "gpu_state"]
    costs = gpu_costs(**frames).group_by(key).agg(amounts).sort(key)
    postings = post(**frames, usage=rows.usage(), pools=[]).filter(pl.col("step") == 2)
    posted = postings.group_by(pl.col("to_account").alias("account"), "gpu_state").agg(amounts).sort(key)
    assert costs.rows() == posted.rows()
    assert sum(costs["effective_cost"].to_list()) == D(cost) + 3
    assert posted["under_used_cost"].sum() != 0 or abs(D(cost)) < 1


def test_seconds_are_observed_where_a_sample_tells_their_state(rows):
    """A node seen free by its scheduler alone is known to be free, and not observed; neither is what a sample cannot tell."""
    states = [
        {"state": "unallocated", "state_seconds": 1800, "observed_seconds": 0},
        {"namespace": "a", "pod": "p", "state": "unknown", "state_seconds": 600, "observed_seconds": 600},
        {"namespace": "a", "pod": "p", "state_seconds": 1200, "observed_seconds": 900},
    ]
    frames = {
        "charge_groups": rows.charges(NODE | {"cost": "3"}, NODE | {"cost": "1", "service_name": "Storage"}),
        "gpu_states": rows.states(*states),
        "pod_models": rows.pod_models(),
        "gpu_labels": rows.labels(),
        "owners": rows.owners(),
    }
    by_state = [pl.col("gpu_seconds").sum(), pl.col("^observed.*$").sum()]
    expected = [("effective", 1200, 900), ("unallocated", 1800, 0), ("unknown", 600, 0)]
    assert gpu_costs(**frames).group_by("gpu_state").agg(by_state).sort("gpu_state").rows() == expected
    postings = post(**frames, usage=rows.usage(), pools=[]).filter(pl.col("step") == 2)
    assert postings.group_by("gpu_state").agg(by_state).sort("gpu_state").rows() == expected


def test_money_of_an_assumed_holder_says_so_to_the_ledger_and_by_the_hour(rows):
    states = [
        {"namespace": "a", "pod": "p", "state": "allocated_idle", "state_seconds": 1200, "holder_source": "assumed"},
        {"namespace": "a", "pod": "p", "state": "allocated_idle", "state_seconds": 600}
        | {"gpu_uuid": "GPU-2", "holder_source": "allocation_node"},
        {"namespace": "b", "pod": "q", "state_seconds": 1800, "holder_source": "exporter_label"},
    ]
    frames = {
        "charge_groups": rows.charges(NODE | {"cost": "3"}),
        "gpu_states": rows.states(*states),
        "pod_models": rows.pod_models(),
        "gpu_labels": rows.labels(),
        "owners": rows.owners(),
    }
    found = gpu_costs(**frames).select("holder_source", "gpu_seconds").sort("holder_source").rows()
    assert found == [("allocation_node", 600), ("assumed", 1200), ("exporter_label", 1800)]
    postings = post(**frames, usage=rows.usage(), pools=[]).filter(pl.col("step") == 2)
    told = postings.select("gpu_state", "gpu_seconds", "assumed_gpu_seconds").sort("gpu_state").rows()
    assert told == [("allocated_idle", 1800, 1200), ("effective", 1800, 0)]


def test_without_gpus_nothing_is_costed(rows):
    assert costs_of(rows, [{"cost": "9", "resource_id": "vm-1"}], []).is_empty()
    assert costs_of(rows, [], [{"usage_date": date(2026, 10, 5)}]).is_empty()
