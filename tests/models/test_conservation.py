"""A ledger that was tampered with does not pass: every kind of break is found, and said where."""

from decimal import Decimal

import polars as pl
import pytest

from models.ledger import check_conservation, post
from models.money import MONEY
from models.pools import Pool

ONE_UNIT = Decimal("1E-12")


@pytest.fixture
def balanced(rows):
    owners = rows.owners({"match_value": "shared", "pool_id": "chat"})
    bill = rows.charges({"cost": "1"}, {"cost": "-3", "tags": '{"team":"shared"}'})
    usage = rows.usage(
        *({"team_id": team, "is_self_hosted": True, "model_id": "llama", "output_text_tokens": 1} for team in "abc")
    )
    pools = [Pool("chat", "llama", {"output_text": Decimal(1)})]
    postings = post(
        charge_groups=bill,
        usage=usage,
        gpu_states=rows.states(),
        pod_models=rows.pod_models(),
        gpu_labels=rows.labels(),
        owners=owners,
        pools=pools,
    )
    return bill, postings


def with_cost(postings, chosen, difference, column="effective_cost"):
    changed = pl.when(chosen).then((pl.col(column) + difference).cast(MONEY)).otherwise(pl.col(column))
    return postings.with_columns(changed.alias(column))


def test_a_ledger_as_posted_balances(balanced):
    assert check_conservation(*balanced).is_empty()


@pytest.mark.parametrize("column", ["billed_cost", "effective_cost"])
def test_one_unit_too_much_in_a_teams_account_is_found(balanced, column):
    bill, postings = balanced
    breaks = check_conservation(bill, with_cost(postings, pl.col("to_account") == "team:b", ONE_UNIT, column))
    difference = column.replace("cost", "difference")
    assert breaks.select("rule", "account", "charge_group_id", difference).rows() == [
        ("arrives", "", "g1", ONE_UNIT),
        ("passes_through", "pool:chat", "g1", -ONE_UNIT),
    ]


def test_a_booking_that_differs_from_the_bill_is_found(balanced):
    bill, postings = balanced
    breaks = check_conservation(bill, with_cost(postings, pl.col("step") == 1, ONE_UNIT))
    assert set(breaks["rule"]) == {"booked", "passes_through"}
    assert set(breaks.filter(pl.col("rule") == "booked")["charge_group_id"]) == {"g0", "g1"}


def test_a_charge_group_that_was_never_posted_is_found(balanced):
    bill, postings = balanced
    breaks = check_conservation(bill, postings.filter(pl.col("charge_group_id") != "g0"))
    assert breaks.select("rule", "charge_group_id", "effective_difference").rows() == [
        ("arrives", "g0", Decimal(-1)),
        ("booked", "g0", Decimal(-1)),
    ]


def test_postings_of_a_charge_group_that_is_not_on_the_bill_are_found(balanced):
    bill, postings = balanced
    breaks = check_conservation(bill.filter(pl.col("charge_group_id") != "g1"), postings)
    assert set(breaks["charge_group_id"]) == {"g1"}
    assert set(breaks["rule"]) == {"arrives", "booked"}


def test_two_errors_in_different_charge_groups_do_not_cancel(balanced):
    bill, postings = balanced
    team_b = pl.col("to_account") == "team:b"
    unallocated = pl.col("to_account") == "residual:unallocated"
    tampered = with_cost(with_cost(postings, team_b, ONE_UNIT), unallocated, -ONE_UNIT)
    breaks = check_conservation(bill, tampered)
    assert set(breaks.filter(pl.col("rule") == "arrives")["charge_group_id"]) == {"g0", "g1"}


def test_money_that_stays_on_the_way_is_found(balanced):
    bill, postings = balanced
    breaks = check_conservation(bill, postings.filter(pl.col("step") < 3))
    assert breaks.filter(pl.col("rule") == "passes_through").select("account", "effective_difference").rows() == [
        ("pool:charges", Decimal(1)),
        ("pool:chat", Decimal(-3)),
    ]
