"""Lines split over accounts: each line sums to itself, each account to what was posted to it, to the last unit."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.focus_bill import bill, journal, rows_of, told

PICO = Decimal("0.000000000001")
TOKENS = {"rule_kind": "priced_tokens", "rule_id": "priced_tokens:model"}


def amounts(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda units: units * PICO)


@settings(max_examples=75, deadline=None)
@given(
    lines=st.lists(amounts(-(10**15), 10**15), min_size=1, max_size=5),
    cuts=st.lists(st.integers(-(10**15), 10**15), max_size=4),
)
def test_rows_and_accounts_both_sum_exactly(lines: list[Decimal], cuts: list[int]) -> None:
    total = sum(lines, Decimal(0))
    parts = [units * PICO for units in cuts]
    parts.append(total - sum(parts, Decimal(0)))
    postings = journal(*(("g", f"team:{n}", str(part), None, TOKENS) for n, part in enumerate(parts)))
    rows = rows_of(bill(*({"group": "g", "billed_cost": f"{line:f}"} for line in lines)), postings)
    by_line = (
        rows.group_by("x_OriginChargeId").agg(pl.col("BilledCost", "EffectiveCost").sum()).sort("x_OriginChargeId")
    )
    assert by_line["BilledCost"].to_list() == by_line["EffectiveCost"].to_list() == lines
    by_account = rows.group_by("x_AccountId").agg(pl.col("EffectiveCost").sum()).sort("x_AccountId")
    assert by_account["EffectiveCost"].to_list() == parts


def test_a_split_row_says_of_what_by_what_and_for_whom() -> None:
    postings = journal(
        ("g", "team:search", "7.5", None, {**TOKENS, "feature": "answers"}),
        ("g", "residual:unowned_usage", "2.5", None, TOKENS),
    )
    rows = rows_of(
        bill({"group": "g", "billed_cost": "10", "consumed_quantity": "4", "consumed_unit": "Tokens"}), postings
    )
    columns = ("x_AccountId", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName", "AllocatedTags")
    assert told(rows, *columns) == [
        ("residual:unowned_usage", "priced_tokens:model", None, None, None),
        (
            *("team:search", "priced_tokens:model", "team:search/answers", "Search"),
            '{"farthing/cost_centre":"CC-1","farthing/feature":"answers","farthing/team":"search"}',
        ),
    ]
    assert told(rows, "AllocatedMethodDetails", "ConsumedQuantity", "EffectiveCost") == [
        ('{"Elements":[{"AllocatedRatio":0.250000000000}]}', "1", "2.5"),
        ('{"Elements":[{"AllocatedRatio":0.750000000000}]}', "3", "7.5"),
    ]


def test_gpu_seconds_are_what_a_gpu_was_split_by() -> None:
    kind = {"rule_kind": "gpu_seconds", "gpu_state": "effective"}
    rows = rows_of(
        bill({"group": "g", "billed_cost": "10"}),
        journal(
            ("g", "team:search", "5", None, {**kind, "gpu_seconds": 1800}),
            ("g", "team:support", "5", None, {**kind, "gpu_seconds": 1800}),
        ),
    )
    assert set(rows["AllocatedMethodDetails"]) == {
        '{"Elements":[{"AllocatedRatio":0.500000000000,"UsageQuantity":1800,"UsageUnit":"GPU-Seconds"}]}'
    }


def test_a_charge_that_one_account_carries_whole_is_not_split() -> None:
    rows = rows_of(bill({"group": "g", "billed_cost": "10"}), journal(("g", "team:search", "10")))
    columns = (
        "x_TeamId",
        "x_CostCentre",
        "x_AllocationRuleId",
        "AllocatedMethodId",
        "AllocatedResourceId",
        "AllocatedTags",
    )
    assert told(rows, *columns) == [("search", "CC-1", "rule", None, None, None)]


def test_what_an_erratum_takes_off_a_team_is_less_of_its_part() -> None:
    wrong = {"rule_kind": "correction", "rule_id": "double-billed", "step": 5}
    rows = rows_of(
        bill({"group": "g", "billed_cost": "10"}),
        journal(
            ("g", "team:search", "10"),
            ("g", "team:search", "-4", None, wrong),
            ("g", "residual:errata", "4", None, wrong),
        ),
    )
    assert told(rows, "x_AccountId", "EffectiveCost", "x_AllocationRuleId", "AllocatedMethodId") == [
        ("residual:errata", "4", "double-billed", "double-billed"),
        ("team:search", "6", "rule", "rule"),
    ]


def test_a_group_too_large_for_128_bits_is_split_exactly_all_the_same() -> None:
    """Half a billion in one line: its product with a part has 41 digits."""
    postings = journal(
        ("g", "team:search", "333333333.333333333333", None, TOKENS),
        ("g", "team:support", "166666666.666666666667", None, TOKENS),
    )
    rows = rows_of(bill(*({"group": "g", "billed_cost": cost} for cost in ("499999999", "1"))), postings)
    assert rows.group_by("x_AccountId").agg(pl.col("EffectiveCost").sum()).sort("x_AccountId").rows() == [
        ("team:search", Decimal("333333333.333333333333")),
        ("team:support", Decimal("166666666.666666666667")),
    ]
    assert told(rows.filter(pl.col("x_AccountId") == "team:search"), "EffectiveCost") == [
        ("333333332.666666666666",),
        ("0.666666666667",),
    ]


def test_a_group_of_no_cost_goes_as_it_was_billed() -> None:
    postings = journal(("g", "team:search", "0", "3", TOKENS), ("g", "team:support", "0", "1", TOKENS))
    rows = rows_of(bill({"group": "g", "billed_cost": "4", "effective_cost": "0", "list_cost": "8"}), postings)
    assert told(rows, "BilledCost", "EffectiveCost", "ListCost") == [("3", "0", "6"), ("1", "0", "2")]


def test_a_line_that_nobody_posted_stops_the_night() -> None:
    with pytest.raises(ValueError, match="1 bill lines are of no posted charge group, such as g"):
        rows_of(bill({"group": "g", "billed_cost": "1"}), journal(("other", "team:search", "1")))
