"""What a bill says of a commitment once is found by every later month's build, and a change of it rebuilds them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from contracts import contract
from pipelines.house import House, open_house
from pipelines.lake import Slice
from pipelines.night.build import build
from pipelines.night.commitments import build_commitment_hours
from pipelines.night.stale import stale
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

USED: Mapping[str, Any] = {
    "x_source": "azure",
    "provider_name": "Microsoft",
    "billing_account_id": "1",
    "billing_currency": "EUR",
    "commitment_discount_id": "yearly",
    "charge_category": "Usage",
    "commitment_discount_status": "Used",
    "effective_cost": "1",
}


def billed(house: House, month: date, **changes: str | None) -> None:
    """The month's bill: an hour on the 3rd that the commitment covers, or what the changes make of it."""
    at = f"{month:%Y-%m}-03"
    times = {"x_slice_date": month, "charge_period_start": f"{at} 00:00:00", "charge_period_end": f"{at} 01:00:00"}
    row = filled("charges", [{**USED, **times, **changes}])
    house.lake.replace_slice("charges", month, "azure", row, f"{month} {sorted(changes)}".ljust(16))


def built(house: House, night: date) -> list[date]:
    """The months of `commitments` that a night rebuilds, everything below it first."""
    for name in ("commitment_lines", "commitment_hours", "commitment_balance", "commitment_statements"):
        if name == "commitment_hours":
            build_commitment_hours(house, night, night)
        else:
            build(house, contract(name), night, night)
    return list(build(house, contract("commitments"), night, night).slices)


def test_terms_that_the_month_of_purchase_tells_stand_in_every_later_month(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    with open_house(config, "run", clock=lambda: datetime(2026, 11, 22, 5)) as house:
        bought = {"charge_category": "Purchase", "charge_frequency": "One-Time", "commitment_discount_status": None}
        term = {"x_commitment_start": "2025-12-01 00:00:00", "x_commitment_end": "2026-12-01 00:00:00"}
        billed(house, date(2025, 12, 1), **bought, **term, billed_cost="8760", x_commitment_payment="all_upfront")
        assert built(house, date(2025, 12, 31)) == [date(2025, 12, 1)]
        billed(house, date(2026, 10, 1))
        billed(house, date(2026, 11, 1), commitment_discount_id=None)
        assert built(house, date(2026, 11, 21)) == [date(2026, 10, 1), date(2026, 11, 1)]
        rows = {row["billing_period"]: row for row in house.lake.read("commitments", date(2026, 1, 1)).to_pylist()}
        for row in rows.values():
            assert row["term_end"] == datetime(2026, 12, 1)
            assert (row["payment_option"], row["upfront_cost"]) == ("all_upfront", Decimal(8760))
        assert [rows[date(2026, month, 1)]["used_cost"] for month in (10, 11)] == [Decimal(1), None]
        # of October 49 hours have come, the last one on the 3rd from 0:00: 8,760 for as many hours is 1 for each
        assert rows[date(2026, 10, 1)]["terms_cost"] == 49
        assert built(house, date(2026, 11, 21)) == []
        billed(
            house,
            date(2025, 12, 1),
            **bought,
            **term,
            billed_cost="8761",
            x_commitment_payment="all_upfront",
            x_page="2",
        )
        built(house, date(2026, 1, 31))
        assert built(house, date(2026, 11, 21)) == [date(2026, 10, 1), date(2026, 11, 1)]
        found = house.lake.read("commitments", date(2026, 11, 1)).to_pylist()
        assert [row["upfront_cost"] for row in found] == [Decimal(8761)]


def test_a_month_looks_five_years_back_and_no_further() -> None:
    night = date(2026, 11, 21)
    statements = [Slice(date(2021, month, 1), "farthing", "a" * 32, 1) for month in (10, 11)]

    def targets(*, october: str, november: str) -> str:
        older = [
            Slice(piece.slice_date, piece.slice_source, fingerprint * 32, 1)
            for piece, fingerprint in zip(statements, (october, november), strict=True)
        ]
        slices = {"charges": [Slice(date(2026, 11, 1), "azure", "c" * 32, 1)], "commitment_statements": older}
        (target,) = stale(contract("commitments"), slices, {}, night, night)
        return target.fingerprint

    as_it_was = targets(october="a", november="a")
    assert targets(october="b", november="a") == as_it_was
    assert targets(october="a", november="b") != as_it_was
