"""Figures of tables beside the ledger, explained: worked out by hand, row for row, and a lie that is found."""

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from contracts import contract
from tests.pipelines.explaining import Held, held
from tests.pipelines.test_savings_night import COMPANY
from tests.pipelines.test_savings_night import found as savings_of
from tests.pipelines.test_variance_bridge import OCTOBER, SEPTEMBER, bridge, cost, rows_of, use

NOTHING = Held([], [])


def tables_of(given: dict[str, list[dict[str, Any]]], table: str, rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """Rows that a model was given, and those that it made of them, as tables."""
    below = {name: rows_of(name, told) for name, told in given.items()}
    return {**below, table: pa.Table.from_pylist(rows, schema=contract(table).arrow_schema())}


def test_savings_rest_on_the_rows_that_are_listed() -> None:
    rows = list(savings_of(COMPANY).values())
    assert held("savings", tables_of(COMPANY, "savings", rows)) == NOTHING
    lied = [{**row, "unproven_cost": row["unproven_cost"] + Decimal("0.000000000001")} for row in rows]
    wrong = held("savings", tables_of(COMPANY, "savings", lied)).wrong
    assert len(wrong) >= min(len(rows), 5)


def test_the_bridge_between_two_months_stands_on_both() -> None:
    given = {
        "chargeback": [
            cost(SEPTEMBER, "10"),
            cost(OCTOBER, "27"),
            cost(OCTOBER, "5", rule_kind="pool"),
            cost(OCTOBER, "-2", cause="bill_restated", corrected_period=date(2026, 8, 1)),
        ],
        "usage_by_team_daily": [use(SEPTEMBER, 10, 100), use(OCTOBER, 20, 200)],
    }
    rows = bridge(given)
    found = {row["factor"]: row["change_cost"] for row in rows}
    assert (found["shared"], found["adjustment"], sum(found.values())) == (5, -2, 20)
    assert held("variance_bridge", tables_of(given, "variance_bridge", rows)) == NOTHING
    lied = [{**row, "change_cost": row["change_cost"] + (row["factor"] == "shared")} for row in rows]
    wrong = held("variance_bridge", tables_of(given, "variance_bridge", lied)).wrong
    assert any("change_cost is 6" in text for text in wrong)
