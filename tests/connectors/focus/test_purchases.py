"""A recurring purchase line of an hour states what that hour of the commitment cost."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from contracts import conform, contract
from models.commitment_hours import commitment_hours
from models.frames import frame_of
from tests.connectors.focus.bills import csv_bill, line, only, read

PLAN = {"CommitmentDiscountId": "plan", "CommitmentDiscountStatus": "", "ChargeFrequency": "Usage-Based"}
PURCHASE = {
    **PLAN,
    "ChargeCategory": "Purchase",
    "ChargeFrequency": "Recurring",
    "BilledCost": "10",
    "EffectiveCost": "0",
}
CORE = Path(__file__).resolve().parents[3] / "sql/core/commitment_lines.sql"


def of_plan(status: str, cost: str) -> dict[str, str]:
    """Usage of the plan's hour, or what nobody used of it."""
    return line(**{**PLAN, "CommitmentDiscountStatus": status, "BilledCost": "0", "EffectiveCost": cost})


def test_what_an_hours_purchase_leaves_open_is_unexplained() -> None:
    found = read(csv_bill(line(**PURCHASE), of_plan("Used", "4"), of_plan("Unused", "3")))
    charges = pa.concat_tables([chunk.rows for chunk in found.chunks])
    with duckdb.connect() as connection:
        connection.register("charges", charges)
        lines = conform(contract("commitment_lines"), connection.sql(CORE.read_text()).to_arrow_table())
    (hour,) = commitment_hours(frame_of(lines)).rows(named=True)
    costs = tuple(hour[f"{name}_cost"] for name in ("purchased", "used", "unused", "unexplained"))
    assert (costs, hour["is_stated"]) == ((10, 4, 3, 3), True)


@pytest.mark.parametrize(
    ("over", "stated"),
    [
        ({}, Decimal(10)),
        ({"x_CommitmentCost": "12"}, Decimal(12)),  # the bill's own word
        ({"ChargePeriodEnd": "2026-09-04T00:00:00Z"}, None),  # a month's payment, given its day
        ({"ChargeFrequency": "One-Time"}, None),
        ({"ChargeCategory": "Usage"}, None),
        ({"CommitmentDiscountId": ""}, None),
        ({"x_CommitmentPayment": "no_upfront"}, Decimal(10)),
        ({"x_CommitmentPayment": "partial_upfront"}, None),
    ],
)
def test_only_a_recurring_purchase_of_an_hour_that_nobody_paid_before_states_it(
    over: dict[str, str], stated: Decimal | None
) -> None:
    assert only(read(csv_bill(line(**{**PURCHASE, **over}))))["x_commitment_cost"] == stated
