"""The sums that every statement shows alike: exact, however many digits they have."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl

from contracts import contract
from models.frames import frame_of
from pipelines.config import load
from pipelines.night.snapshot import PeriodView, shared_facts
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

MONTH = date(2026, 10, 1)


def empty(table: str) -> pl.DataFrame:
    return frame_of(contract(table).arrow_schema().empty_table())


def test_a_bill_of_more_than_28_digits_is_summed_to_the_last_one(tmp_path: Path) -> None:
    costs = {
        "team:search": ["12345678901234567890.123456789012", "0.000000000001"],
        "team:support": ["1.000000000002"],
        "residual:unowned": ["98765432109876543210.000000000003"],
    }
    rows = [
        {"account": account, "reporting_effective_cost": cost} for account, listed in costs.items() for cost in listed
    ]
    view = PeriodView(
        period=MONTH,
        number=1,
        chargeback=frame_of(filled("chargeback", rows)),
        previous=empty("chargeback"),
        gpu=empty("gpu_waste"),
        reconciliation=empty("reconciliation_summary"),
        causes=empty("reconciliation_by_cause"),
        freshness=empty("freshness"),
        restatements=empty("restatements"),
    )
    config, _ = load(write_company(tmp_path), {})
    facts = shared_facts(view, config, "0" * 64, MONTH)
    assert facts.allocated_total == Decimal("12345678901234567891.123456789015")
    assert facts.bill_total == Decimal("111111111011111111101.123456789018")
    assert facts.residuals == (("residual:unowned", Decimal("98765432109876543210.000000000003")),)
