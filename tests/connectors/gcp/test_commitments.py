"""Used plus unused is what a commitment cost, in every hour and for each of Google's three ways of billing it."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.gcp.lines import credit, json_lines, line, parquet, parsed, rows, total

OFFSET = "FEE_UTILIZATION_OFFSET"
SPEND = "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE"
RESOURCE = "COMMITTED_USAGE_DISCOUNT"
NOBODY = {"id": None, "number": None, "name": None}


def legacy_fee(cost: float, **over: Any) -> dict[str, Any]:
    given = {"sku": "Commitment - dollar based v1: Compute Flexible for 1 year", "project": NOBODY, "labels": []}
    return line(**{**given, "cost": cost, "cost_at_list": cost, "subscription": {"instance_id": "sub-1"}, **over})


def model_fee(cost: float, used: float | None, instance: str | None = "sub-2") -> dict[str, Any]:
    return line(
        sku="Commitment fee: Compute Flexible CUDs 1 Year",
        cost=cost,
        project=NOBODY,
        subscription={"instance_id": instance},
        credits=[] if used is None else [credit(OFFSET, -used)],
    )


def covered(cost: float, instance: str | None = "sub-2") -> dict[str, Any]:
    model = {"id": "D97B-0795-975B", "description": "Compute Flexible CUDs 1 Year"}
    return line(
        cost=cost, cost_at_list=0.065098, consumption_model=model, subscription={"instance_id": instance},
        cost_at_effective_price_default="0.065098",
    )  # fmt: skip


def by_commitment(found: list[dict[str, Any]]) -> dict[tuple[str, Any], tuple[Decimal, Decimal, Decimal]]:
    """(purchased, used, unused) of every commitment and stretch of time, as `commitment_lines` adds them up."""
    sums: dict[tuple[str, Any], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in found:
        if row["commitment_discount_id"] is None:
            continue
        key = row["commitment_discount_id"], row["charge_period_start"]
        status, effective = row["commitment_discount_status"], row["effective_cost"]
        more = (
            row["x_commitment_cost"] or Decimal(0),
            effective if status == "Used" else Decimal(0),
            effective if status == "Unused" else Decimal(0),
        )
        sums[key] = [a + b for a, b in zip(sums[key], more, strict=True)]
    return {key: (a, b, c) for key, (a, b, c) in sums.items()}


def only(found: list[dict[str, Any]]) -> tuple[Decimal, Decimal, Decimal]:
    (sums,) = by_commitment(found).values()
    return sums


def test_google_s_worked_example_costs_the_same_under_both_models() -> None:
    """0.174496 with a credit of 0.065095 and a fee, or 0.109398 and 0.046868 (0.72 of the credit)."""
    legacy = rows([json_lines(line(cost=0.174496, credits=[credit(SPEND, -0.065095)]), legacy_fee(0.046868))])
    model = rows([json_lines(line(cost=0.109398), covered(0.046868), model_fee(0.046868, 0.046868))])
    assert total(legacy) == total(legacy, "effective_cost") == Decimal("0.156269")
    assert total(model) == total(model, "effective_cost") == Decimal("0.156266")
    # 0.72 * 0.065095 is 0.0468684: the fee was used up, to the precision of the bill
    assert only(legacy) == (Decimal("0.046868"), Decimal("0.046868"), 0)
    assert only(model) == (Decimal("0.046868"), Decimal("0.046868"), 0)


def test_fees_say_how_they_are_paid_and_that_the_bill_tells_no_term_of_what_is_committed_by_spend() -> None:
    by_resource = legacy_fee(1.0, sku="Commitment v1: Nvidia L4 GPU running in Iowa for 1 Year")
    chunks = parsed([json_lines(legacy_fee(0.72), covered(0.03), by_resource)])
    found = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    fees = [row for row in found if row["charge_category"] == "Purchase"]
    assert [row["x_commitment_payment"] for row in fees] == ["no_upfront"] * 2
    assert {row["x_commitment_payment"] for row in found if row not in fees} == {None}
    assert [(row["x_commitment_start"], row["x_commitment_end"]) for row in found] == [(None, None)] * len(found)
    told = "1 fees of commitments by spend: the bill does not say when their term begins and ends"
    assert told in chunks[-1].notices


def test_a_fee_without_an_offset_is_unused() -> None:
    found = rows([parquet(covered(0.046868), model_fee(0.046868, 0.046868), model_fee(0.022994, None))])
    assert only(found) == (Decimal("0.069862"), Decimal("0.046868"), Decimal("0.022994"))
    assert total(found) == total(found, "effective_cost") == Decimal("0.069862")
    (unused,) = [r for r in found if r["commitment_discount_status"] == "Unused"]
    assert (unused["charge_category"], unused["billed_cost"], unused["sub_account_id"]) == ("Usage", 0, None)


def test_a_fee_that_was_partly_offset_is_partly_unused() -> None:
    found = rows([json_lines(covered(0.03), model_fee(0.05, 0.03))])
    assert only(found) == (Decimal("0.05"), Decimal("0.03"), Decimal("0.02"))


def test_covered_usage_is_committed_and_has_the_price_before_the_commitment_as_contracted_cost() -> None:
    found = rows([json_lines(covered(0.046868))])
    assert [
        (r["pricing_category"], r["x_purchase_option"], r["contracted_cost"], r["commitment_discount_category"])
        for r in found
    ] == [("Committed", "committed_use", Decimal("0.065098"), "Spend")]


def test_without_subscriptions_usage_and_fee_still_meet() -> None:
    """The standard export has no `subscription`: the consumption model's name is what both bear."""
    found = rows([json_lines(covered(0.03, None), model_fee(0.05, 0.03, None))])
    assert {r["commitment_discount_id"] for r in found} == {"Compute Flexible CUDs 1 Year"}
    assert only(found) == (Decimal("0.05"), Decimal("0.03"), Decimal("0.02"))


def test_a_legacy_fee_is_used_as_far_as_credits_of_its_hour_need_it() -> None:
    """A fee of 0.72 stands for one dollar of on-demand price: credits of 0.25 use a quarter of it."""
    found = rows([json_lines(line(cost=2.0, credits=[credit(SPEND, -0.25)]), legacy_fee(0.72))])
    assert only(found) == (Decimal("0.72"), Decimal("0.18"), Decimal("0.54"))
    assert total(found) == total(found, "effective_cost") == Decimal("2.47")


def test_three_years_of_a_legacy_fee_cost_54_percent() -> None:
    sku = "Commitment - dollar based v1: GCE for 3 years"
    found = rows([json_lines(line(cost=2.0, credits=[credit(SPEND, -0.5)]), legacy_fee(0.54, sku=sku))])
    assert only(found) == (Decimal("0.54"), Decimal("0.27"), Decimal("0.27"))


def test_the_list_price_of_a_legacy_fee_says_its_share_of_the_on_demand_price() -> None:
    """Other products list the fee for one cent an hour: 0.0075 is 75 percent."""
    sql = {"id": "9662-B51E-5089", "description": "Cloud SQL"}
    price = {"list_price": "0.0075", "effective_price": "0.0075"}
    sku = "Commitment - dollar based v1: Cloud SQL database us-central1 for 1 year"
    fee = legacy_fee(0.75, sku=sku, service=sql, price=price)
    usage = line(service=sql, sku="vCPU", cost=1.0, credits=[credit(SPEND, -0.4)])
    assert only(rows([json_lines(fee, usage)])) == (Decimal("0.75"), Decimal("0.3"), Decimal("0.45"))


def test_a_fee_and_its_credits_in_different_files_still_meet() -> None:
    fee, usage = json_lines(legacy_fee(0.72)), json_lines(line(cost=2.0, credits=[credit(SPEND, -0.25)]))
    for pages in ([fee, usage], [usage, fee]):
        assert only(rows(pages)) == (Decimal("0.72"), Decimal("0.18"), Decimal("0.54"))


def test_every_hour_has_its_own_utilisation() -> None:
    later = {"usage_start_time": "2026-09-03 08:00:00 UTC", "usage_end_time": "2026-09-03 09:00:00 UTC"}
    found = rows(
        [
            json_lines(
                legacy_fee(0.72), legacy_fee(0.72, **later), line(cost=2.0, credits=[credit(SPEND, -1.0)], **later)
            )
        ]
    )
    assert sorted(by_commitment(found).values()) == [
        (Decimal("0.72"), Decimal(0), Decimal("0.72")),
        (Decimal("0.72"), Decimal("0.72"), Decimal(0)),
    ]


def test_a_resource_commitment_of_gpus_is_used_by_the_units_that_it_covers() -> None:
    """Eight L4 committed for an hour; credits take the whole on-demand price of six: three quarters were used."""
    fee = legacy_fee(
        4.0,
        sku="Commitment v1: Nvidia L4 GPU running in Iowa for 1 Year",
        usage={"amount_in_pricing_units": 8.0},
        location={"region": "us-central1"},
    )
    usage = line(
        sku="Nvidia L4 GPU running in Iowa",
        cost=5.6,
        usage={"amount_in_pricing_units": 8.0},
        credits=[credit(RESOURCE, -4.2)],
    )
    found = rows([json_lines(fee, usage)])
    assert only(found) == (Decimal(4), Decimal(3), Decimal(1))
    assert total(found) == total(found, "effective_cost") == Decimal("5.4")
    assert {r["commitment_discount_category"] for r in found if r["commitment_discount_id"]} == {"Usage"}


@pytest.mark.parametrize(
    ("fee_sku", "usage_sku"),
    [
        ("Commitment v1: N2 Cpu in Americas for 3 Year", "N2 Instance Core running in Americas"),
        ("Commitment v1: N2 Ram in Americas for 3 Year", "N2 Custom Instance Ram running in Americas"),
    ],
)
def test_cores_and_memory_are_called_differently_by_fee_and_usage(fee_sku: str, usage_sku: str) -> None:
    fee = legacy_fee(1.0, sku=fee_sku, usage={"amount_in_pricing_units": 4.0})
    usage = line(sku=usage_sku, cost=1.0, usage={"amount_in_pricing_units": 2.0}, credits=[credit(RESOURCE, -1.0)])
    assert only(rows([json_lines(fee, usage)])) == (1, Decimal("0.5"), Decimal("0.5"))


L4 = {"sku": "Nvidia L4 GPU running in Iowa", "location": {"region": "us-central1"}}
L4_FEE = {
    "sku": "Commitment v1: Nvidia L4 GPU running in Iowa for 1 Year",
    "usage": {"amount_in_pricing_units": 8.0},
    "location": {"region": "us-central1"},
}


def machine(name: str, gpus: float, discount: float, **over: Any) -> dict[str, Any]:
    """An hour of a machine with GPUs at 0.70 each, of which a discount takes some off."""
    resource = {"name": name, "global_name": f"//compute/{name}"}
    discounts = [credit(RESOURCE, -discount)] if discount else []
    usage = {"amount_in_pricing_units": gpus}
    return line(**{**L4, "cost": 0.7 * gpus, "usage": usage, "resource": resource, "credits": discounts, **over})


MACHINE = machine("a", 6.0, 4.2)
NOTHING = {"amount_in_pricing_units": 0.0}
UNKNOWN = {"amount_in_pricing_units": None}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_was_used_of_a_fee_is_worth_so_much_on_the_machines_that_used_it(order: tuple[int, int]) -> None:
    """Of eight L4 committed for 4.00, four ran in `a`, two in `b`, which had two more on demand, none in `c`."""
    machines = json_lines(machine("a", 4.0, 2.8), machine("b", 4.0, 1.4), machine("c", 1.0, 0))
    pages = machines, json_lines(legacy_fee(4.0, **L4_FEE))
    found = rows([pages[n] for n in order])
    assert only(found) == (Decimal(4), Decimal(3), Decimal(1))
    worth = defaultdict[str | None, Decimal](Decimal)
    for row in found:
        worth[row["resource_name"]] += row["effective_cost"] if row["charge_category"] != "Purchase" else 0
    # what was paid on demand is 1.4 of b's and 0.7 of c's; the fee's line keeps what nobody used
    assert {name: worth[name] for name in "abc"} == {"a": Decimal(2), "b": Decimal("2.4"), "c": Decimal("0.7")}
    laid = [r for r in found if r["commitment_discount_status"] == "Used"]
    assert [(r["resource_name"], r["billed_cost"], r["charge_category"], r["consumed_quantity"]) for r in laid] == [
        ("a", 0, "Usage", None),
        ("b", 0, "Usage", None),
    ]
    assert {(r["commitment_discount_id"], r["x_purchase_option"], r["commitment_discount_type"]) for r in laid} == {
        ("sub-1", "committed_use", "Resource-based CUD")
    }
    assert {(r["tags"], r["sub_account_id"]) for r in laid} == {('{"env":"prod","team":"search"}', "acme-ml")}
    assert total(found) == total(found, "effective_cost")


def test_what_a_legacy_commitment_covers_is_committed_use_and_the_rest_of_the_line_is_on_demand() -> None:
    """Of eight L4 committed for 4.00, four ran in `a`, a quarter of the four in `b`, none in `c`; 0.80 each by list."""
    machines = [
        machine("a", 4.0, 2.799999, cost_at_list=3.2),  # the export rounds cost and credit apart
        machine("b", 4.0, 0.7, cost_at_list=3.2, cost_at_effective_price_default="2.8"),
        machine("c", 1.0, 0, cost_at_list=0.8),
    ]
    found = rows([json_lines(*machines, legacy_fee(4.0, **L4_FEE))])
    names = (
        *("resource_name", "pricing_category", "x_purchase_option", "commitment_discount_status"),
        *("pricing_quantity", "consumed_quantity", "billed_cost", "contracted_cost", "list_cost"),
    )
    uses = [r for r in found if r["charge_category"] == "Usage" and r["commitment_discount_status"] is None]
    dear = {"a": "9.8", "c": "9.8"}  # of the line that `machine` changes nothing else of
    assert [tuple(r[name] for name in names) for r in uses] == [
        ("a", "Committed", "committed_use", None, 4, 3600, Decimal("2.8"), Decimal(dear["a"]), Decimal("3.2")),
        ("b", "Standard", "on_demand", None, 3, 2700, Decimal("2.1"), Decimal("2.1"), Decimal("2.4")),
        ("b", "Committed", "committed_use", None, 1, 900, Decimal("0.7"), Decimal("0.7"), Decimal("0.8")),
        ("c", "Standard", "on_demand", None, 1, 3600, Decimal("0.7"), Decimal(dear["c"]), Decimal("0.8")),
    ]
    # what was used of the fee has no list cost besides that of the use; nor has a credit a price
    assert {r["list_cost"] for r in found if r["commitment_discount_status"] == "Used"} == {0}
    given_back = [r for r in found if r["charge_category"] == "Credit"]
    assert {(r["x_purchase_option"], r["pricing_category"]) for r in given_back} == {("committed_use", None)}
    assert (
        total(found) == total(found, "effective_cost") == Decimal("2.8") * 2 + Decimal("0.7") - Decimal("3.499999") + 4
    )


def test_a_part_that_no_decimal_writes_leaves_the_line_s_sums_what_they_were() -> None:
    """A third of 1.00, which is 0.30 by list and was four units."""
    given = line(cost=1.0, cost_at_list=0.3, usage={"amount_in_pricing_units": 4.0}, credits=[credit(SPEND, -1 / 3)])
    on_demand, covered_part = [r for r in rows([json_lines(given)]) if r["charge_category"] == "Usage"]
    assert (covered_part["billed_cost"], covered_part["list_cost"], covered_part["pricing_quantity"]) == (
        Decimal("0.333333333333"), Decimal("0.1"), Decimal("1.333333333332"),
    )  # fmt: skip
    for column, whole in (("billed_cost", 1), ("list_cost", Decimal("0.3")), ("pricing_quantity", 4)):
        assert on_demand[column] + covered_part[column] == whole


@pytest.mark.parametrize(
    "given",
    [
        line(cost=0.0000005),  # less than the last place, and no credit
        line(cost=2.0, credits=[credit("PROMOTION", -2.0)]),
        line(cost=2.0, credits=[credit(SPEND, 0.5)]),  # a credit taken back
        line(cost=2.0, credits=[credit("SUSTAINED_USAGE_DISCOUNT", -0.6)]),
    ],
)
def test_what_no_commitment_takes_off_stays_on_demand(given: dict[str, Any]) -> None:
    (use,) = [r for r in rows([json_lines(given)]) if r["charge_category"] == "Usage"]
    assert (use["pricing_category"], use["x_purchase_option"]) == ("Standard", "on_demand")


def worths(pages: list[bytes]) -> list[tuple[Any, ...]]:
    """Every row's status, machine, commitment and money, whatever file and place it came from."""
    names = ("charge_category", "commitment_discount_status", "resource_name", "commitment_discount_id")
    money = ("billed_cost", "effective_cost", "x_commitment_cost")
    return sorted((tuple(row[name] for name in (*names, *money)) for row in rows(pages)), key=repr)


def test_discounts_of_one_hour_in_several_files_are_given_a_fee_once() -> None:
    """Of 4.00 three quarters were used: two thirds of them by `a`, one by `b`, each in a file of its own."""
    a, b, fee = machine("a", 4.0, 2.8), machine("b", 4.0, 1.4), legacy_fee(4.0, **L4_FEE)
    apart = worths([json_lines(a), json_lines(b, fee)])
    laid = [(row[2], row[5]) for row in apart if row[1] == "Used"]
    assert laid == [("a", Decimal(2)), ("b", Decimal(1))]
    assert only(rows([json_lines(a), json_lines(fee), json_lines(b)])) == (Decimal(4), Decimal(3), Decimal(1))
    assert apart == worths([json_lines(a, b, fee)])


def test_a_fee_of_several_lines_in_several_files_stays_where_it_is_as_in_one_file() -> None:
    """Fees of 4.00 and 2.00 for sixteen GPUs, of which six ran: which of the two they used nobody says."""
    fees = legacy_fee(4.0, **L4_FEE), legacy_fee(2.0, **L4_FEE)
    used = machine("a", 6.0, 4.2)
    apart = worths([json_lines(fees[0]), json_lines(used, fees[1])])
    parts = [(row[1], row[5]) for row in apart if row[1]]
    assert parts == [
        ("Unused", Decimal("1.25")),
        ("Unused", Decimal("2.5")),
        ("Used", Decimal("0.75")),
        ("Used", Decimal("1.5")),
    ]
    assert apart == worths([json_lines(used, *fees)])


OTHER = {"subscription": {"instance_id": "sub-9"}}


@pytest.mark.parametrize(
    ("fees", "usage", "first"),
    [
        ([legacy_fee(0.72), legacy_fee(0.0, **OTHER)], line(cost=2.0, credits=[credit(SPEND, -0.25)]), "0.18"),
        ([legacy_fee(4.0, **L4_FEE), legacy_fee(0.0, **{**L4_FEE, "usage": NOTHING}, **OTHER)], MACHINE, "3"),
        ([legacy_fee(4.0, **L4_FEE), legacy_fee(0.0, **{**L4_FEE, "usage": UNKNOWN}, **OTHER)], MACHINE, "3"),
    ],
)
def test_a_commitment_without_cost_or_quantity_in_an_hour_leaves_the_others_their_use(
    fees: list[dict[str, Any]], usage: dict[str, Any], first: str
) -> None:
    sums = {key: value for (key, _), value in by_commitment(rows([json_lines(*fees, usage)])).items()}
    purchased, used, unused = sums["sub-1"]
    assert (used, unused) == (Decimal(first), purchased - Decimal(first))
    assert sums["sub-9"] == (0, 0, 0)


def test_a_line_of_a_currency_with_large_numbers_is_given_its_part() -> None:
    """Of a fee of 64 billion rupiah three quarters were used: by one machine twice as much as by the other."""
    costs = {"a": 44_800_000_000.0, "b": 22_400_000_000.0}
    machines = [machine(name, cost / 11.2e9, cost, cost=cost, currency="IDR") for name, cost in costs.items()]
    fee = legacy_fee(64_000_000_000.0, currency="IDR", **L4_FEE)
    found = rows([json_lines(*machines, fee)], currency="IDR")
    assert only(found) == (64_000_000_000, 48_000_000_000, 16_000_000_000)
    laid = {r["resource_name"]: r["effective_cost"] for r in found if r["commitment_discount_status"] == "Used"}
    assert abs(laid["a"] - 32_000_000_000) < Decimal("0.001")  # 14 places of 4.48e10, and half a last place
    assert abs(laid["b"] - 16_000_000_000) < Decimal("0.001")
    assert total(found) == total(found, "effective_cost")


def test_of_several_commitments_each_is_laid_on_all_that_they_discounted_and_stays_whole() -> None:
    other = {"subscription": {"instance_id": "sub-9"}}
    fees = [legacy_fee(4.0, **L4_FEE), legacy_fee(1.23456789, **L4_FEE, **other)]
    machines = [machine(f"m{n}", 1.0, 0.333333 + n / 1e9) for n in range(7)]
    found = rows([json_lines(*machines[:3], *fees, *machines[3:])])
    for purchased, used, unused in by_commitment(found).values():
        assert used + unused == purchased
        assert used > 0
    laid = [r for r in found if r["commitment_discount_status"] == "Used" and r["resource_name"] != "train-1"]
    assert len(laid) == 2 * len(machines)
    rest = [r for r in found if r["commitment_discount_status"] == "Used" and r["resource_name"] == "train-1"]
    assert all(abs(r["effective_cost"]) < Decimal("1e-11") for r in rest)  # what rounding leaves
    assert total(found) == total(found, "effective_cost")


def test_a_fee_whose_use_cannot_be_told_stays_one_charge_and_is_told() -> None:
    fee = legacy_fee(5.0, sku="Commitment - dollar based v1: Chronicle SecOps US")
    chunks = parsed([json_lines(fee)])
    (row,) = [r for chunk in chunks for r in chunk.rows.to_pylist()]
    assert (row["charge_category"], row["billed_cost"], row["effective_cost"]) == ("Purchase", 5, 5)
    assert (row["x_commitment_cost"], row["commitment_discount_status"]) == (5, None)
    assert "1 fees of commitments cannot be told into used and unused: they stay one charge" in chunks[-1].notices


def test_more_credits_than_the_fee_stands_for_leave_it_one_charge() -> None:
    chunks = parsed([json_lines(legacy_fee(0.72), line(cost=9.0, credits=[credit(SPEND, -3.0)]))])
    statuses = {r["commitment_discount_status"] for chunk in chunks for r in chunk.rows.to_pylist()}
    assert statuses == {None}


def test_credits_of_days_are_not_set_against_fees_of_hours() -> None:
    daily = {"usage_start_time": "2026-09-03 07:00:00 UTC", "usage_end_time": "2026-09-04 07:00:00 UTC"}
    chunks = parsed([json_lines(legacy_fee(0.72), line(cost=9.0, credits=[credit(SPEND, -0.3)], **daily))])
    statuses = {r["commitment_discount_status"] for chunk in chunks for r in chunk.rows.to_pylist()}
    assert statuses == {None}


def test_a_correction_of_a_fee_is_an_adjustment_and_no_purchase() -> None:
    (row,) = rows([json_lines(legacy_fee(-0.72, cost_type="adjustment"))])
    assert (row["charge_category"], row["x_commitment_cost"], row["effective_cost"]) == (
        "Adjustment",
        None,
        Decimal("-0.72"),
    )


def test_a_fee_that_is_three_lines_of_one_hour_is_split_alike_and_adds_up_exactly() -> None:
    fees = [legacy_fee(0.1), legacy_fee(0.2), legacy_fee(0.000000000001)]
    found = rows([json_lines(*fees, line(cost=2.0, credits=[credit(SPEND, -0.1)]))])
    purchased, used, unused = only(found)
    assert used + unused == purchased == Decimal("0.300000000001")
    assert total(found) == total(found, "effective_cost")
