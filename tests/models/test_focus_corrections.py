"""What a locked month differs by is a correction in an open one; a month and its corrections are what its bill says."""

from datetime import date, datetime
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from models.focus_corrections import corrections
from models.frames import schema_of
from tests.models.focus_bill import bill, journal, rows_of, told, whole

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
NONE = pl.DataFrame(schema=schema_of("focus_cost_and_usage"))


def corrected(locked: pl.DataFrame, today: pl.DataFrame, before: pl.DataFrame = NONE) -> pl.DataFrame:
    return corrections(posted_in=NOVEMBER, until=DECEMBER, locked=locked, today=today, before=before)


def test_usage_that_arrives_after_its_month_is_locked_is_a_correction_in_the_open_one() -> None:
    """G12."""
    line = {"billed_cost": "10", "invoice_id": "I-1"}
    late = {
        "billed_cost": "4", "sku_id": "S", "consumed_quantity": "2", "consumed_unit": "Hours",
        "charge_period_start": "2026-10-31 23:00:00", "charge_period_end": "2026-11-01 00:00:00",
    }  # fmt: skip
    rows = corrected(whole(line), whole(line, late))
    assert told(rows, "ChargeClass", "ChargeCategory", "BilledCost", "EffectiveCost", "ConsumedQuantity", "SkuId") == [
        ("Correction", "Usage", "4", "4", "2", "S")
    ]
    assert rows.select("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd").rows() == [
        (datetime(2026, 11, 1), datetime(2026, 12, 1), datetime(2026, 10, 31, 23), datetime(2026, 11, 1))
    ]
    assert rows.select("x_BillingPeriod", "x_CorrectedPeriod", "x_OriginChargeId").rows() == [
        (NOVEMBER, date(2026, 10, 1), None)
    ]


def test_what_is_allocated_otherwise_is_two_corrections_that_sum_to_nothing() -> None:
    lines = bill({"group": "g", "billed_cost": "10"})
    moved = rows_of(lines, journal(("g", "team:support", "10")))
    rows = corrected(rows_of(lines, journal(("g", "team:search", "10"))), moved).sort("x_AccountId")
    assert told(rows, "x_AccountId", "EffectiveCost") == [("team:search", "-10"), ("team:support", "10")]


def test_a_name_that_changed_corrects_nothing() -> None:
    locked = whole({"billed_cost": "10", "resource_id": "r", "resource_name": "old"})
    assert corrected(locked, whole({"billed_cost": "10", "resource_id": "r", "resource_name": "new"})).is_empty()


def test_what_was_corrected_before_is_not_corrected_again() -> None:
    locked, today = whole({"billed_cost": "10"}), whole({"billed_cost": "12"})
    first = corrected(locked, today)
    assert told(first, "BilledCost") == [("2",)]
    assert corrected(locked, today, before=first).is_empty()
    assert told(corrected(locked, whole({"billed_cost": "11"}), before=first), "BilledCost") == [("-1",)]


def test_a_bill_that_vanished_is_taken_back_whole() -> None:
    locked = whole({"billed_cost": "10", "list_cost": "12", "list_unit_price": "6", "pricing_quantity": "2"})
    rows = corrected(locked, whole({"billed_cost": "10"}).clear())
    assert told(rows, "BilledCost", "ListCost", "PricingQuantity", "ListUnitPrice") == [("-10", "-12", "-2", "6")]


@settings(max_examples=25, deadline=None)
@given(
    bills=st.lists(st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=4), min_size=2, max_size=4),
)
def test_a_locked_month_and_its_corrections_are_its_bill_whatever_was_restated_in_between(
    bills: list[list[int]],
) -> None:
    months = [
        whole(*({"billed_cost": str(cost), "resource_id": str(n % 2)} for n, cost in enumerate(b))) for b in bills
    ]
    locked, *restated = months
    posted = NONE
    for today in restated:
        posted = pl.concat([posted, corrected(locked, today, before=posted)])
    total = sum([*locked["BilledCost"].to_list(), *posted["BilledCost"].to_list()], Decimal(0))
    assert total == sum(bills[-1])
