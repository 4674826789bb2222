"""Capacity that nobody used: its own line with its owner, by policy; and caches and throughput, by who used them."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from models.frames import schema_of
from models.ledger import check_conservation, post
from models.policy import AS_INCURRED, Policy
from models.pools import Pool, Split
from models.unused import Unused, UnusedRule, without_idle_gpus

D = Decimal
DAY = datetime(2026, 10, 5)
IDLE = {"namespace": "", "state": "unallocated", "state_seconds": 1800, "gpu_uuid": "GPU-2"}
HELD = {"namespace": "ml", "state": "effective", "state_seconds": 1800}
NAMESPACE = {"rule_id": "ml", "match_kind": "namespace", "match_value": "ml", "team_id": "a"}
RESERVED = {"cost": "100", "unused_commitment_id": "ri-1", "sub_account_id": "payer"}
UNITS = {
    "cost": "1200",
    "provider_id": "azure",
    "model_id": "gpt",
    "purchase_option": "provisioned",
    "resource_id": "/Accounts/AI",
}


def settle(rows, charges, owners=(), policy=AS_INCURRED, pools=(), **frames):
    bill = rows.charges(*charges)
    postings = post(
        charge_groups=bill,
        usage=rows.usage(*frames.get("usage", ())),
        gpu_states=rows.states(*frames.get("states", ())),
        pod_models=rows.pod_models(),
        gpu_labels=rows.labels(),
        owners=rows.owners(*owners),
        pools=pools,
        policy=policy,
    )
    assert check_conservation(bill, postings).is_empty()
    assert postings["posting_id"].is_unique().all()
    return postings


def resting(postings, *more):
    final = postings.filter("is_final_account")
    key = ["to_account", *more]
    return {tuple(row[:-1]): row[-1] for row in final.group_by(key).agg(pl.col("effective_cost").sum()).rows()}


def ruled(what, account="", scope="", rule_id="p", **days):
    return Policy(unused=(UnusedRule(rule_id, what, scope, account, **days),))


def deployed(rows, *entries, **more):
    filled = [
        {
            **dict.fromkeys(schema_of("provisioned_deployments")),
            "billing_period": date(2026, 10, 1),
            "provider_name": "OpenAI",
            "deployment_id": f"d{number}",
            "billing_account_id": "",
            "billing_currency": "",
            "resource_id": "/accounts/ai",
            "provisioned_units": units if units is None else D(units),
            "utilisation_ratio": ratio,
        }
        for number, (units, ratio) in enumerate(entries)
    ]
    return Policy(deployments=rows.frame("provisioned_deployments", filled), **more)


def test_an_unused_commitment_stays_central_on_a_line_of_its_own(rows):
    postings = settle(rows, [RESERVED, {"cost": "7"}])
    assert resting(postings, "cost_kind") == {
        ("residual:unused_commitment", "unused_commitment"): D(100),
        ("residual:unallocated", "other"): D(7),
    }
    (rule,) = postings.filter(pl.col("to_account") == "residual:unused_commitment")["rule_id"]
    assert rule == "unused:commitment"


def test_it_is_never_spread_over_those_who_use_the_model(rows):
    usage = [{"team_id": "a", "priced_cost_usd": D(1)}]
    charge = RESERVED | {"provider_id": "openai", "model_id": "gpt", "token_class": None}
    assert resting(settle(rows, [charge], usage=usage)) == {("residual:unused_commitment",): D(100)}


def test_its_owner_is_the_first_owner_rule_that_names_it_or_its_account(rows):
    owners = [
        {"rule_id": "ri", "match_kind": "commitment", "match_value": "ri-1", "team_id": "a"},
        {"rule_id": "acct", "match_kind": "sub_account", "match_value": "payer", "team_id": "b"},
    ]
    other = RESERVED | {"unused_commitment_id": "ri-2"}
    postings = settle(rows, [RESERVED, other], owners, ruled(Unused.COMMITMENT, "team:c"))
    assert resting(postings, "cost_kind", "rule_id") == {
        ("team:a", "unused_commitment", "ri"): D(100),
        ("team:b", "unused_commitment", "acct"): D(100),
    }


def test_what_nobody_owns_goes_by_the_first_rule_of_its_day(rows):
    rules = (
        UnusedRule("one", Unused.COMMITMENT, "ri-1", "team:a", valid_to=date(2026, 10, 5)),
        UnusedRule("gpus", Unused.IDLE_GPU, "", "team:b"),
        UnusedRule("all", Unused.COMMITMENT, "", "pool:shared"),
    )
    before = RESERVED | {"charge_start": DAY - timedelta(days=1)}
    shared = Pool("shared", split=Split.FIXED, shares={"team:c": 1, "team:d": 3})
    postings = settle(rows, [before, RESERVED], policy=Policy(unused=rules), pools=[shared])
    assert resting(postings, "cost_kind") == {
        ("team:a", "unused_commitment"): D(100),
        ("team:c", "unused_commitment"): D(25),
        ("team:d", "unused_commitment"): D(75),
    }
    moved = postings.filter(pl.col("rule_kind") == "unused").select("rule_id", "to_account").rows()
    assert sorted(moved) == [("all", "pool:shared"), ("one", "team:a")]


def test_a_rule_may_say_that_it_stays_central(rows):
    rules = (UnusedRule("hq", Unused.COMMITMENT, "ri-1"), UnusedRule("all", Unused.COMMITMENT, "", "team:a"))
    postings = settle(rows, [RESERVED, RESERVED | {"unused_commitment_id": ""}], policy=Policy(unused=rules))
    assert resting(postings, "rule_id") == {("residual:unused_commitment", "hq"): D(100), ("team:a", "all"): D(100)}


@pytest.mark.parametrize(
    ("split", "expected"),
    [(Split.GPU_SECONDS, {("team:a",): D(150), ("team:b",): D(50)}), (Split.DIRECT_COST, {("team:a",): D(200)})],
)
def test_idle_gpus_are_carried_by_allocation_time_or_direct_cost(rows, split, expected):
    """Half of 100 dollars lay idle; a held three quarters of the rest on one machine, b a quarter on a cheap one."""
    states = [
        HELD | {"state_seconds": 1350},
        HELD | {"state_seconds": 450, "namespace": "web", "gpu_uuid": "GPU-3"},
        IDLE,
    ]
    web = {"rule_id": "web", "match_kind": "namespace", "match_value": "web", "team_id": "b"}
    shared = Pool("idle", split=split)
    if split is Split.DIRECT_COST:
        states = [HELD, IDLE]
    charges = [{"cost": "200", "resource_id": "i-1"}]
    postings = settle(
        rows, charges, [NAMESPACE, web], ruled(Unused.IDLE_GPU, "pool:idle"), pools=[shared], states=states
    )
    assert resting(postings) == expected


def test_idle_gpus_of_one_cluster_go_to_whoever_reserved_them_and_say_so(rows):
    states = [HELD, IDLE, IDLE | {"cluster": "c2", "gpu_uuid": "GPU-9", "state_seconds": 3600}]
    policy = ruled(Unused.IDLE_GPU, "team:owner", "c2")
    postings = settle(rows, [{"cost": "200", "resource_id": "i-1"}], [NAMESPACE], policy, states=states)
    assert resting(postings, "rule_kind") == {
        ("team:a", "gpu_seconds"): D(50),
        ("residual:idle", "gpu_seconds"): D(50),
        ("team:owner", "unused"): D(100),
    }
    assert postings.filter(pl.col("rule_kind") == "unused")["gpu_state"].to_list() == ["unallocated"]


def test_each_idle_gpu_meets_its_own_rule_in_whatever_order_its_day_is_found(monkeypatch):
    join = pl.DataFrame.join

    def in_any_order(left, right, *args, **given):
        # without being asked, the engine promises no order of rows
        found = join(left, right, *args, **given)
        return found if given.get("maintain_order") == "left" else found.reverse()

    # 100 lay idle on c1, which the rule does not name, and 200 on c2, which it does
    columns = ["cluster", "to_account", "effective_units"]
    idle = pl.DataFrame(
        {
            "charge_group_id": ["g0", "g0"],
            "cluster": ["c1", "c2"],
            "to_account": ["residual:idle"] * 2,
            "team_id": pl.Series([None, None], dtype=pl.String),
            "rule_id": ["r", "r"],
            "rule_kind": ["gpu_seconds"] * 2,
            "effective_units": [100, 200],
        }
    )
    charges = pl.DataFrame({"charge_group_id": ["g0"], "charge_date": [DAY.date()]})
    monkeypatch.setattr(pl.DataFrame, "join", in_any_order)
    given = without_idle_gpus(idle, charges, [UnusedRule("p", Unused.IDLE_GPU, "c2", "team:owner")])
    assert given.select(columns).rows() == [("c1", "residual:idle", 100), ("c2", "team:owner", 200)]


def test_what_lay_idle_makes_nobody_s_share_of_another_pool_larger(rows):
    platform = {"cost": "90", "tags": '{"team":"platform"}'}
    to_pool = {"rule_id": "t", "match_value": "platform", "pool_id": "platform"}
    other = {"rule_id": "o", "match_kind": "sub_account", "match_value": "b", "team_id": "b"}
    charges = [{"cost": "200", "resource_id": "i-1"}, platform, {"cost": "200", "sub_account_id": "b"}]
    policy = ruled(Unused.IDLE_GPU, "team:b")
    pools = [Pool("platform", split=Split.DIRECT_COST)]
    postings = settle(rows, charges, [to_pool, NAMESPACE, other], policy, pools, states=[HELD, IDLE])
    # direct cost of a is 100, of b 200: the 100 that lay idle are b's to carry, and no measure of what b uses
    assert resting(postings) == {("team:a",): D(130), ("team:b",): D(360)}


@pytest.mark.parametrize(("first_hour", "expected"), [(0, (D(720), D(480))), (12, (D(360), D(240)))])
def test_fifty_units_of_throughput_by_reserved_shares_from_midnight_or_from_noon(rows, first_hour, expected):
    """Golden vector G9: 50 units at 1 USD an hour, shares 30 and 20; deployed at noon, half of it."""
    hours = [DAY + timedelta(hours=hour) for hour in range(first_hour, 24)]
    charges = [UNITS | {"cost": "50", "charge_start": at, "charge_end": at + timedelta(hours=1)} for at in hours]
    owner = {"rule_id": "units", "match_kind": "resource", "match_value": "/Accounts/AI", "pool_id": "units"}
    shared = Pool("units", split=Split.FIXED, shares={"team:a": 30, "team:b": 20})
    assert resting(settle(rows, charges, [owner], pools=[shared])) == {
        ("team:a",): expected[0],
        ("team:b",): expected[1],
    }


def test_throughput_is_carried_by_those_it_served_and_spillover_as_it_was_billed(rows):
    """Served: a 100 in and 25 out (of weight 4), b 200 in. Beside that b spilled over, and c paid by the token."""
    provisioned = {"provider_id": "azure", "service_tier": "provisioned"}
    usage = [
        provisioned
        | {"team_id": "a", "input_uncached_tokens": 100, "output_text_tokens": 25, "cache_read_tokens": 10**9},
        provisioned | {"team_id": "b", "input_uncached_tokens": 200},
        {"provider_id": "azure", "team_id": "b", "output_text_tokens": 10, "priced_cost_usd": D(1)},
        {"provider_id": "azure", "team_id": "c", "output_text_tokens": 30, "priced_cost_usd": D(3)},
    ]
    spilled = {"cost": "40", "provider_id": "azure", "model_id": "gpt", "token_class": "output_text"}
    postings = settle(rows, [UNITS, spilled], usage=usage)
    assert resting(postings, "charge_group_id") == {
        ("team:a", "g0"): D(600),
        ("team:b", "g0"): D(600),
        ("team:b", "g1"): D(10),
        ("team:c", "g1"): D(30),
    }


def test_without_a_log_that_knows_the_tier_throughput_goes_by_priced_tokens(rows):
    usage = [{"provider_id": "azure", "team_id": "a", "priced_cost_usd": D(1)}]
    assert resting(settle(rows, [UNITS], usage=usage)) == {("team:a",): D(1200)}


def test_what_was_not_used_of_throughput_is_a_line_of_its_own(rows):
    """Of 30 units at 80% and 10 at 40% seven tenths were used; one used share in four is b's."""
    provisioned = {"provider_id": "azure", "service_tier": "provisioned"}
    usage = [
        provisioned | {"team_id": "a", "input_uncached_tokens": 3},
        provisioned | {"team_id": "b", "input_uncached_tokens": 1},
    ]
    policy = deployed(rows, ("30", 0.8), ("10", 0.4))
    assert resting(settle(rows, [UNITS], (), policy, usage=usage), "cost_kind") == {
        ("team:a", "api"): D(630),
        ("team:b", "api"): D(210),
        ("residual:unused_throughput", "unused_throughput"): D(360),
    }


def test_whoever_owns_throughput_carries_what_is_unused_of_it_and_sees_it(rows):
    owner = {"rule_id": "units", "match_kind": "resource", "match_value": "/Accounts/AI", "team_id": "a"}
    policy = deployed(rows, (None, 0.75), unused=(UnusedRule("p", Unused.THROUGHPUT, "", "team:b"),))
    assert resting(settle(rows, [UNITS], [owner], policy), "cost_kind") == {
        ("team:a", "api"): D(900),
        ("team:a", "unused_throughput"): D(300),
    }
    assert resting(settle(rows, [UNITS], (), policy), "cost_kind", "rule_kind") == {
        ("residual:unallocated", "api", "residual"): D(900),
        ("team:b", "unused_throughput", "unused"): D(300),
    }


def test_used_and_unused_throughput_stay_apart_in_a_pool(rows):
    owner = {"rule_id": "units", "match_kind": "resource", "match_value": "/Accounts/AI", "pool_id": "units"}
    shared = Pool("units", split=Split.FIXED, shares={"team:a": 30, "team:b": 20})
    assert resting(settle(rows, [UNITS], [owner], deployed(rows, ("50", 0.5)), [shared]), "cost_kind") == {
        ("team:a", "api"): D(360),
        ("team:a", "unused_throughput"): D(360),
        ("team:b", "api"): D(240),
        ("team:b", "unused_throughput"): D(240),
    }


@pytest.mark.parametrize("entries", [[(None, None)], [("30", 0.5), ("10", None)], [("30", 0.5), (None, 0.5)], []])
def test_an_unknown_use_is_not_an_unused_one(rows, entries):
    usage = [{"provider_id": "azure", "team_id": "a", "priced_cost_usd": D(1)}]
    assert resting(settle(rows, [UNITS], (), deployed(rows, *entries), usage=usage)) == {("team:a",): D(1200)}


@pytest.mark.parametrize(("ratio", "account"), [(1.2, "team:a"), (1.0, "team:a"), (0.0, "residual:unused_throughput")])
def test_all_of_it_or_none(rows, ratio, account):
    usage = [{"provider_id": "azure", "team_id": "a", "priced_cost_usd": D(1)}]
    assert resting(settle(rows, [UNITS], (), deployed(rows, ("1", ratio)), usage=usage)) == {(account,): D(1200)}


def test_writes_into_a_prompt_cache_are_carried_by_who_wrote_or_by_who_read(rows):
    usage = [
        {"team_id": "writer", "cache_write_5m_tokens": 1000, "cache_read_tokens": 100},
        {"team_id": "reader", "cache_read_tokens": 300},
        {"team_id": "elsewhere", "model_id": "mini", "cache_read_tokens": 999},
    ]
    charges = [
        {"cost": "8", "provider_id": "openai", "model_id": "gpt", "token_class": "cache_write_5m"},
        {"cost": "4", "provider_id": "openai", "model_id": "gpt", "token_class": "cache_read"},
    ]
    assert resting(settle(rows, charges, usage=usage)) == {("team:writer",): D(9), ("team:reader",): D(3)}
    pooled = settle(rows, charges, usage=usage, policy=Policy(is_cache_pooled=True))
    assert resting(pooled, "rule_id") == {
        ("team:writer", "priced_tokens:cache_readers"): D(2),
        ("team:reader", "priced_tokens:cache_readers"): D(6),
        ("team:writer", "priced_tokens:token_class"): D(1),
        ("team:reader", "priced_tokens:token_class"): D(3),
    }


def test_where_nobody_read_a_cache_who_wrote_carries_it(rows):
    usage = [{"team_id": "writer", "cache_write_1h_tokens": 1000}]
    charge = {"cost": "8", "provider_id": "openai", "model_id": "gpt", "token_class": "cache_write_1h"}
    assert resting(settle(rows, [charge], usage=usage, policy=Policy(is_cache_pooled=True))) == {("team:writer",): D(8)}
