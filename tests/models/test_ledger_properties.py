"""What holds of every ledger: conservation, whatever the order, twice the same; and how it answers to changes.

The months are random, with pools of which two feed each other, metrics, policies for what nobody used, throughput of known and unknown use.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.adjustments import adjust, unadjusted
from models.ledger import check_conservation, post
from models.policy import Policy
from models.pools import Pool, Split
from models.unused import Unused, UnusedRule
from tests.models.conftest import Rows
from tests.models.test_ledger_oracle import DAY, WEIGHTS, case
from tests.models.test_unused import deployed

ROWS = Rows()
SEEDS = st.integers(0, 10**9)
UNIT = Decimal(1).scaleb(-12)
ACCOUNTS = ["", "team:red", "team:blue", "pool:chat", "pool:seats", "pool:stated"]
DEPTH = 12
"""Units by which a share may be off: three levels of a split, in up to four splits one after the other."""
OCTOBER = date(2026, 10, 1)


def month(seed):
    """A random month, its pools and its policy."""
    dice = Random(seed)
    frames = case(ROWS, seed)
    bill = frames["charge_groups"]
    lines = bill.height

    def some(*values):
        return pl.Series([dice.choice(values) for _ in range(lines)], dtype=pl.String)

    frames["charge_groups"] = bill.with_columns(
        unused_commitment_id=some(None, None, None, "ri-1", ""),
        purchase_option=some(None, None, "provisioned", "on_demand"),
        billing_currency=some("USD", "USD", "EUR"),
        consumed_unit=some("Tokens", "Tokens", "1K tokens", None),
        consumed_quantity=pl.Series([dice.randint(0, 10**7) for _ in range(lines)]).cast(pl.Decimal(38, 12)),
    )
    usage = frames["usage"]
    tiers = [dice.choice(["default", "provisioned"]) for _ in range(usage.height)]
    frames["usage"] = usage.with_columns(service_tier=pl.Series(tiers, dtype=pl.String))
    extra = ROWS.owners(
        {"rule_id": "x1", "match_kind": "resource", "match_value": "i-2", "pool_id": "stated", "priority": 50},
        {"rule_id": "x2", "match_value": "red", "pool_id": "seats", "priority": dice.choice([-1, 98])},
        {"rule_id": "x3", "match_value": "blue", "pool_id": "left", "priority": dice.choice([-1, 98])},
    )
    frames["owners"] = pl.concat([frames["owners"], extra])
    rules = [
        UnusedRule(f"u{n}", dice.choice(list(Unused)), dice.choice(["", "", "ri-1", "c1"]), dice.choice(ACCOUNTS))
        for n in range(dice.randint(0, 5))
    ]
    metrics = [
        ("seats", team, OCTOBER, date(2026, 11, 1), Decimal(dice.randint(0, 9)), "f:1")
        for team in dice.sample(["red", "blue", "green"], dice.randint(0, 3))
    ]
    policy = deployed(ROWS, ("3", dice.choice([None, 0.0, 0.37, 1.0])))
    policy = Policy(
        unused=tuple(rules),
        deployments=policy.deployments.with_columns(resource_id=pl.lit("i-3"))
        if policy.deployments is not None
        else None,
        is_cache_pooled=dice.random() < 0.5,
        is_unlogged_apart=dice.random() < 0.5,
        metrics=ROWS.frame("pool_metrics", metrics),
    )
    split = dice.choice([Split.DIRECT_COST, Split.GPU_SECONDS, Split.PRICED_TOKENS])
    pools = [
        Pool("chat", "llama", WEIGHTS),
        Pool("seats", split=Split.METRIC, metric_id="seats"),
        Pool("stated", split=Split.FIXED, shares={"team:red": 2, "pool:seats": 1, "pool:by": dice.randint(0, 2)}),
        Pool("by", split=split, team_ids=dice.choice([(), ("red", "blue")])),
        Pool("left", split=Split.FIXED, shares={"team:red": dice.randint(1, 5), "pool:right": dice.randint(1, 5)}),
        Pool("right", split=Split.FIXED, shares={"pool:left": 1, "pool:by": 1, "team:blue": dice.randint(0, 5)}),
    ]
    return frames, pools, policy


def posted(frames, pools, policy):
    return post(**frames, pools=pools, policy=policy)


def by_account(postings, column="effective_cost", *more):
    final = postings.filter("is_final_account")
    found = defaultdict(Decimal)
    for row in final.select("charge_group_id", "to_account", *more, column).iter_rows():
        found[row[:-1]] += row[-1]
    return {key: cost for key, cost in found.items() if cost}


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_every_unit_arrives_and_every_step_sums_to_zero(seed: int) -> None:
    frames, pools, policy = month(seed)
    postings = posted(frames, pools, policy)
    assert check_conservation(frames["charge_groups"], postings).is_empty()
    assert postings["posting_id"].is_unique().all()
    for column in ("billed_cost", "effective_cost"):
        left, entered = defaultdict(Decimal), defaultdict(Decimal)
        for source, target, cost in postings.select("from_account", "to_account", column).iter_rows():
            left[source] += cost
            entered[target] += cost
        assert sum(left.values()) == sum(entered.values())
        for account in left.keys() & entered.keys():
            assert left[account] == entered[account], account
        assert sum(left[account] for account in left.keys() - entered.keys()) == sum(
            frames["charge_groups"][column].to_list()
        )


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_neither_the_order_of_rows_nor_a_second_run_changes_anything(seed: int) -> None:
    frames, pools, policy = month(seed)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in frames.items()}
    assert posted(shuffled, pools[::-1], policy).equals(posted(frames, pools, policy))
    assert posted(frames, pools, policy).equals(posted(frames, pools, policy))


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.sampled_from([2, 7, 1000]))
def test_all_costs_times_k_cost_everybody_k_times_as_much(seed: int, factor: int) -> None:
    frames, pools, policy = month(seed)
    money = [(pl.col(name).to_physical() * factor).reinterpret(dtype=pl.Decimal(38, 12)).alias(name) for name in COSTS]
    larger = frames | {"charge_groups": frames["charge_groups"].with_columns(money)}
    one, other = (by_account(posted(each, pools, policy)) for each in (frames, larger))
    for key in one.keys() | other.keys():
        assert abs(other.get(key, 0) - factor * one.get(key, 0)) <= DEPTH * (factor + 1) * UNIT


COSTS = ("billed_cost", "effective_cost")


@settings(deadline=None, max_examples=30)
@given(SEEDS)
@example(794)  # its first line's tokens are billed and not logged
def test_a_charge_of_nothing_changes_nothing(seed: int) -> None:
    frames, pools, policy = month(seed)
    bill = frames["charge_groups"]
    nothing = [pl.lit(Decimal(0), pl.Decimal(38, 12)).alias(name) for name in COSTS]
    # of a kind that counts no GPU seconds and no tokens: a line that costs nothing may carry seconds, and tokens that
    # nobody logged, as well as another
    nothing.append(pl.lit(Decimal(0), pl.Decimal(38, 12)).alias("consumed_quantity"))
    free = bill.head(1).with_columns(*nothing, charge_group_id=pl.lit("free"), resource_id=pl.lit(None, pl.String))
    found = posted(frames | {"charge_groups": pl.concat([bill, free])}, pools, policy)
    assert found.filter(pl.col("charge_group_id") != "free").equals(posted(frames, pools, policy))


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_a_charge_in_two_halves_costs_everybody_the_same(seed: int) -> None:
    frames, pools, policy = month(seed)
    bill = frames["charge_groups"]
    half = [(pl.col(name).to_physical() // 2).reinterpret(dtype=pl.Decimal(38, 12)).alias(name) for name in COSTS]
    rest = [
        (pl.col(name).to_physical() - pl.col(name).to_physical() // 2).reinterpret(dtype=pl.Decimal(38, 12)).alias(name)
        for name in COSTS
    ]
    parts = [bill.with_columns(half), bill.with_columns(*rest, charge_group_id=pl.col("charge_group_id") + "~")]
    found = posted(frames | {"charge_groups": pl.concat(parts)}, pools, policy)
    merged = found.with_columns(pl.col("charge_group_id").str.strip_suffix("~"))
    one, other = by_account(posted(frames, pools, policy)), by_account(merged)
    for key in one.keys() | other.keys():
        assert abs(other.get(key, 0) - one.get(key, 0)) <= 3 * DEPTH * UNIT


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_other_names_in_the_same_order_are_the_same_result_under_other_names(seed: int) -> None:
    frames, pools, policy = month(seed)
    new = ("t-" + pl.col("team_id")).alias("team_id")
    owners, usage = (frames[name].with_columns(new) for name in ("owners", "usage"))

    def renamed(account):
        return account.replace("team:", "team:t-")

    others = [
        Pool(
            pool.pool_id,
            pool.model_id,
            pool.token_weights,
            pool.split,
            {renamed(account): share for account, share in pool.shares.items()},
            tuple(f"t-{team}" for team in pool.team_ids),
            pool.metric_id,
        )
        for pool in pools
    ]
    rules = [UnusedRule(r.rule_id, r.what, r.scope, renamed(r.account)) for r in policy.unused]
    metrics = policy.metrics.with_columns(new)
    terms = replace(policy, unused=tuple(rules), metrics=metrics)
    found = posted(frames | {"owners": owners, "usage": usage}, others, terms)
    expected = {(group, renamed(account)): cost for (group, account), cost in plain(frames, pools, policy).items()}
    assert by_account(found) == expected


def plain(frames, pools, policy):
    return by_account(posted(frames, pools, policy))


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, 400))
def test_a_shift_in_time_shifts_the_ledger(seed: int, weeks: int) -> None:
    """All but validities and months, which are made to hold throughout."""
    frames, pools, policy = month(seed)
    by = timedelta(days=7 * weeks)
    always = {"valid_from": pl.lit(date(1970, 1, 1)), "valid_to": pl.lit(date(9999, 12, 31))}
    frames["owners"] = frames["owners"].with_columns(**always)
    policy = replace(policy, metrics=policy.metrics.with_columns(**always))
    later = {
        name: frame.with_columns(
            pl.col(at) + by
            for at in ("charge_start", "charge_end", "charge_date", "usage_date", "hour_start")
            if at in frame.columns
        )
        for name, frame in frames.items()
    }
    # a span that reaches into a second month meets the metric there as well: it holds throughout
    assert by_account(posted(later, pools, policy)) == plain(frames, pools, policy)


@settings(deadline=None, max_examples=25)
@given(SEEDS, SEEDS)
def test_a_locked_month_and_its_adjustments_are_the_month_restated_however_often(first: int, second: int) -> None:
    """The bill is restated twice and the log once in between; what is posted for it stands in two open months."""
    frames, pools, policy = month(first)
    dice = Random(second)
    locked = posted(frames, pools, policy)
    adjustments = locked_adjustments = None
    for number, posted_in in enumerate((date(2026, 11, 1), date(2026, 12, 1))):
        bill = frames["charge_groups"]
        kept = bill.sample(fraction=dice.choice([0.5, 0.9, 1.0]), seed=dice.randint(0, 99))
        costs = [Decimal(dice.randint(-(10**12), 10**13)).scaleb(-12) for _ in range(kept.height)]
        changed = kept.with_columns(effective_cost=pl.Series(costs, dtype=pl.Decimal(38, 12)))
        usage = frames["usage"].sample(fraction=dice.choice([0.5, 1.0]), seed=number)
        restated = posted(frames | {"charge_groups": changed, "usage": usage}, pools, policy)
        before = ROWS.frame("adjustments", []) if locked_adjustments is None else locked_adjustments
        found = adjust(posted_in=posted_in, locked=locked, restated=restated, posted=before)
        again = adjust(posted_in=posted_in, locked=locked, restated=restated, posted=before)
        assert found.equals(again)
        adjustments = pl.concat([before, found])
        assert unadjusted(locked, restated, adjustments).is_empty()
        locked_adjustments = adjustments


@pytest.mark.parametrize("seed", range(5))
def test_the_random_months_have_what_is_to_be_tested(seed: int) -> None:
    """Over a few hundred of them, every kind of rule and of cost comes up: the properties are not empty."""
    kinds: set[str] = set()
    for number in range(seed * 40, seed * 40 + 40):
        found = posted(*month(number))
        kinds |= set(found["rule_kind"].to_list()) | set(found["cost_kind"].to_list())
        kinds |= set(found["rule_id"].to_list())
    assert kinds >= {"unused", "pool", "residual", "direct", "gpu_seconds", "priced_tokens"}
    assert kinds >= {"unused_commitment", "unused_throughput", "api", "gpu", "other"}
    assert kinds >= {"unlogged", "pool:unmeasured", "pool:seats", "pool:stated", "pool:left"}
    assert DAY.date() > OCTOBER
