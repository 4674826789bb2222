"""Shared pools on cases small enough to work out by hand, for every way of splitting one."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ledger import check_conservation, post
from models.pools import Pool, Split
from tests.models.conftest import Rows

D = Decimal
DAY = datetime(2026, 10, 5)
PLATFORM = {"cost": "100", "tags": '{"team":"platform"}'}
TO_PLATFORM = {"rule_id": "shared", "match_value": "platform", "pool_id": "platform", "priority": 1}


def owned(team, cost, **more):
    """A charge of a team, and the rule that says so."""
    charge = {"cost": cost, "sub_account_id": team} | more
    return charge, {"rule_id": team, "match_kind": "sub_account", "match_value": team, "team_id": team, "priority": 2}


def settle(rows, pools, charges=(PLATFORM,), owners=(TO_PLATFORM,), **frames):
    bill = rows.charges(*charges)
    postings = post(
        charge_groups=bill,
        usage=rows.usage(*frames.get("usage", ())),
        gpu_states=rows.states(*frames.get("states", ())),
        pod_models=rows.pod_models(),
        gpu_labels=rows.labels(),
        owners=rows.owners(*owners),
        pools=pools,
    )
    assert check_conservation(bill, postings).is_empty()
    assert postings["posting_id"].is_unique().all()
    return postings


def resting(postings, charge="g0"):
    final = postings.filter("is_final_account", pl.col("charge_group_id") == charge)
    return dict(final.group_by("to_account").agg(pl.col("effective_cost").sum()).sort("to_account").iter_rows())


def pool(split, pool_id="platform", **more):
    return Pool(pool_id, split=split, **more)


def test_a_pool_with_stated_shares_gives_them_and_keeps_nothing(rows):
    shared = pool(Split.FIXED, shares={"team:a": 25, "team:b": 75})
    postings = settle(rows, [shared])
    moved = postings.filter(pl.col("step") > 1).select(
        "step", "from_account", "to_account", "rule_id", "effective_cost"
    )
    assert moved.rows() == [
        (2, "pool:charges", "pool:platform", "shared", D(100)),
        (3, "pool:platform", "team:a", "pool:platform", D(25)),
        (3, "pool:platform", "team:b", "pool:platform", D(75)),
    ]


def test_slice_hours_as_shares_split_a_thousand_dollars_to_the_last_unit(rows):
    shared = pool(Split.FIXED, shares={"team:ml-train": 8, "team:inference": 6, "team:serving": 4})
    postings = settle(rows, [shared], [PLATFORM | {"cost": "1000"}])
    assert {account: round(cost, 2) for account, cost in resting(postings).items()} == {
        "team:ml-train": D("444.44"),  # 444.44 and four ninths: the cent that is over stands on the statement, not here
        "team:inference": D("333.33"),
        "team:serving": D("222.22"),
    }
    assert sum(resting(postings).values()) == D(1000)


def test_a_pool_by_direct_cost_follows_what_each_team_cost_without_its_credits(rows):
    (one, rule_one), (other, rule_other) = owned("a", "30"), owned("b", "10")
    credit, _ = owned("b", "-8")
    charges, owners = [PLATFORM, one, other, credit], [TO_PLATFORM, rule_one, rule_other]
    postings = settle(rows, [pool(Split.DIRECT_COST)], charges, owners)
    assert resting(postings) == {"team:a": D(75), "team:b": D(25)}


def test_direct_cost_in_another_currency_weighs_nothing(rows):
    (one, rule_one), (other, rule_other) = owned("a", "30", billing_currency="EUR"), owned("b", "10")
    postings = settle(rows, [pool(Split.DIRECT_COST)], [PLATFORM, one, other], [TO_PLATFORM, rule_one, rule_other])
    assert resting(postings) == {"team:b": D(100)}


def test_a_pool_by_priced_tokens_follows_the_price_book_over_the_days_of_the_charge(rows):
    usage = [
        {"team_id": "a", "priced_cost_usd": D(6)},
        {"team_id": "a", "feature": "chat", "model_id": "mini", "priced_cost_usd": D(3)},
        {"team_id": "b", "is_self_hosted": True, "model_id": "llama", "priced_cost_usd": D(1)},
        {"team_id": None, "priced_cost_usd": D(50)},
        {"team_id": "b", "priced_cost_usd": None, "output_text_tokens": 10**9},
        {"team_id": "b", "priced_cost_usd": D(90), "usage_date": (DAY + timedelta(days=1)).date()},
    ]
    postings = settle(rows, [pool(Split.PRICED_TOKENS)], usage=usage)
    assert resting(postings) == {"team:a": D(90), "team:b": D(10)}


def test_a_pool_by_gpu_seconds_follows_the_gpus_that_teams_paid_for(rows):
    states = [
        {"namespace": "ml", "state": "effective", "state_seconds": 2400},
        {"namespace": "web", "state": "allocated_idle", "state_seconds": 800},
        {"namespace": "", "state": "unallocated", "state_seconds": 400},
    ]
    owners = [
        TO_PLATFORM,
        {"rule_id": "n1", "match_kind": "namespace", "match_value": "ml", "team_id": "a"},
        {"rule_id": "n2", "match_kind": "namespace", "match_value": "web", "team_id": "b"},
    ]
    charges = [PLATFORM, {"cost": "9", "resource_id": "i-1"}]
    postings = settle(rows, [pool(Split.GPU_SECONDS)], charges, owners, states=states)
    assert resting(postings) == {"team:a": D(75), "team:b": D(25)}


@pytest.mark.parametrize("split", [Split.DIRECT_COST, Split.PRICED_TOKENS, Split.GPU_SECONDS])
def test_a_measure_that_knows_nobody_leaves_the_pool_unallocated(rows, split):
    postings = settle(rows, [pool(split)])
    assert resting(postings) == {"residual:unallocated": D(100)}
    assert postings.filter(pl.col("step") == 3)["rule_id"].to_list() == ["pool:unused"]


def test_only_the_teams_that_a_pool_names_carry_it(rows):
    bills, rules = zip(owned("a", "30"), owned("b", "10"), owned("c", "60"), strict=True)
    shared = pool(Split.DIRECT_COST, team_ids=("a", "b"))
    assert resting(settle(rows, [shared], [PLATFORM, *bills], [TO_PLATFORM, *rules])) == {
        "team:a": D(75),
        "team:b": D(25),
    }


def test_a_pool_that_another_one_feeds_empties_after_it_and_each_step_is_told(rows):
    pools = [
        pool(Split.FIXED, "legal", shares={"team:a": 1, "team:b": 1}),
        pool(Split.FIXED, shares={"team:a": 60, "pool:legal": 40}),
    ]
    postings = settle(rows, pools)
    assert resting(postings) == {"team:a": D(80), "team:b": D(20)}
    moves = postings.filter(pl.col("step") > 2).select("step", "from_account", "to_account", "effective_cost").rows()
    assert moves == [
        (3, "pool:platform", "pool:legal", D(40)),
        (3, "pool:platform", "team:a", D(60)),
        (4, "pool:legal", "team:a", D(20)),
        (4, "pool:legal", "team:b", D(20)),
    ]


def test_what_reaches_a_pool_in_two_ways_is_split_once(rows):
    states = [
        {"namespace": "ml", "state": "effective", "state_seconds": 1800, "gpu_uuid": "GPU-1"},
        {"namespace": "web", "state": "effective", "state_seconds": 1800, "gpu_uuid": "GPU-2"},
    ]
    owners = [
        {"rule_id": "n1", "match_kind": "namespace", "match_value": "ml", "pool_id": "platform"},
        {"rule_id": "n2", "match_kind": "namespace", "match_value": "web", "pool_id": "legal"},
    ]
    pools = [
        pool(Split.FIXED, shares={"team:a": 1, "pool:legal": 1}),
        pool(Split.FIXED, "legal", shares={"team:a": 1, "team:b": 3}),
    ]
    postings = settle(rows, pools, [{"cost": "8", "resource_id": "i-1"}], owners, states=states)
    # 4 through the platform (2 to a, 2 on to legal) and 4 to legal at once: 6 there, a quarter of it a's
    assert resting(postings) == {"team:a": D("3.5"), "team:b": D("4.5")}
    assert postings.filter(pl.col("from_account") == "pool:legal").height == 2
    seconds = postings.filter("is_final_account").select("to_account", "gpu_seconds").sort("to_account", "gpu_seconds")
    assert seconds.rows() == [("team:a", 675), ("team:a", 900), ("team:b", 2025)]


def test_pools_that_feed_each_other_are_solved_exactly(rows):
    pools = [
        pool(Split.FIXED, shares={"team:a": 40, "team:b": 50, "pool:hr": 10}),
        pool(Split.FIXED, "hr", shares={"team:a": 30, "team:b": 50, "pool:platform": 20}),
    ]
    postings = settle(rows, pools, [PLATFORM | {"cost": "98"}])
    assert resting(postings) == {"team:a": D(43), "team:b": D(55)}


AMOUNTS = st.integers(-(10**9), 10**9)


@settings(max_examples=40, deadline=None)
@given(
    costs=st.lists(AMOUNTS, min_size=1, max_size=4),
    weights=st.lists(st.integers(0, 50), min_size=6, max_size=6),
)
def test_any_chain_of_pools_passes_every_unit_on(costs: list[int], weights: list[int]) -> None:
    first = {"team:a": weights[0], "pool:b": weights[1], "pool:c": weights[2] + 1}
    second = {"team:a": weights[3], "team:b": weights[4] + 1, "pool:c": weights[5]}
    pools = [
        pool(Split.FIXED, shares=first),
        pool(Split.FIXED, "b", shares=second),
        pool(Split.FIXED, "c", shares={"team:b": 1, "team:c": 2}),
    ]
    charges = [PLATFORM | {"cost": str(Decimal(cost).scaleb(-12))} for cost in costs]
    postings = settle(Rows(), pools, charges)
    to_b, to_c = Fraction(first["pool:b"], sum(first.values())), Fraction(first["pool:c"], sum(first.values()))
    through = to_c + to_b * Fraction(second["pool:c"], sum(second.values()))
    for number, cost in enumerate(costs):
        found = resting(postings, f"g{number}").get("team:c", Decimal(0))
        # each of three splits is within one unit of its quota
        assert abs(Fraction(found) * 10**12 - cost * through * Fraction(2, 3)) < 3
