"""The hours of commitments held against the bill's own lines: whatever the spreading loses or invents is found."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from contracts import contract
from models.commitment_hours import commitment_hours
from models.frames import frame_of
from pipelines.checks.validate import validate
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.golden import filled

OCTOBER = datetime(2026, 10, 1)


def line(commitment: str, first: int, hours: int, **over: Any) -> dict[str, Any]:
    """A line of a bill that covers `hours` hours from the `first` of the month on."""
    return {
        "x_slice_date": "2026-10-01",
        "x_source": "aws",
        "charge_category": "Usage",
        "commitment_discount_id": commitment,
        "charge_period_start": str(OCTOBER + timedelta(hours=first)),
        "charge_period_end": str(OCTOBER + timedelta(hours=first + hours)),
        "billed_cost": "0",
        "effective_cost": "0",
        **over,
    }


def used(commitment: str, first: int, cost: str, hours: int = 1) -> dict[str, Any]:
    return line(commitment, first, hours, commitment_discount_status="Used", effective_cost=cost)


LINES = [
    *(line("plan", hour, 1, charge_category="Purchase", x_commitment_cost="2") for hour in range(3)),
    *(used("plan", hour, cost) for hour, cost in enumerate(("1.5", "2", "0.1"))),
    line("plan", 0, 1, commitment_discount_status="Unused", effective_cost="0.5"),
    line("plan", 2, 1, commitment_discount_status="Unused", effective_cost="1.9"),
    used("month", 0, "10.000000000001", 744),
    line("month", 0, 744, commitment_discount_status="Unused", effective_cost="7"),
    used("late", -800, "3"),
]


Change = Callable[[pl.DataFrame], pl.DataFrame]


def broken(engine: DuckDBEngine, change: Change = lambda hours: hours) -> set[str]:
    """The checks that do not hold when the hours were changed so."""
    engine.register("charges", filled("charges", LINES))
    engine.build(contract("commitment_lines"))
    hours = change(commitment_hours(frame_of(engine.read("commitment_lines"))))
    engine.register("commitment_hours", hours.to_arrow().cast(contract("commitment_hours").arrow_schema()))
    table = contract("commitment_balance")
    engine.build(table)
    found = engine.read(table.table)
    assert found.num_rows == 3
    return {outcome.name for outcome in validate(table, found) if not outcome.passed}


def test_the_hours_of_the_model_are_what_the_bill_states(duckdb_engine: DuckDBEngine) -> None:
    assert broken(duckdb_engine) == set()


def _with(hour: int, **costs: pl.Expr) -> Change:
    at = (pl.col("commitment_discount_id") == "plan") & (pl.col("hour_start") == OCTOBER + timedelta(hours=hour))
    return lambda hours: hours.with_columns(
        pl.when(at).then(value).otherwise(pl.col(name)).cast(pl.Decimal(38, 12)).alias(name)
        for name, value in costs.items()
    )


MORE = Decimal("0.000000000001")
SUMS, HOURS = "hours_add_up_to_the_bills_lines", "every_hour_is_balanced"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda hours: hours.head(hours.height - 1), {SUMS, HOURS}),
        (_with(0, used_cost=pl.col("used_cost") + MORE), {SUMS, HOURS}),
        (_with(0, used_cost=pl.col("used_cost") + MORE, unused_cost=pl.col("unused_cost") - MORE), {SUMS, HOURS}),
        (_with(0, purchased_cost=pl.col("purchased_cost") + MORE, unexplained_cost=pl.lit(MORE)), {SUMS}),
        (_with(1, unexplained_cost=pl.lit(MORE)), {HOURS}),
    ],
    ids=["an hour is lost", "more is used", "what is unused is called used", "more is bought", "an hour is unbalanced"],
)
def test_a_pico_unit_that_the_hours_lose_invent_or_rename_is_found(
    duckdb_engine: DuckDBEngine, change: Change, expected: set[str]
) -> None:
    assert broken(duckdb_engine, change) == expected


def test_amounts_that_changed_places_among_the_hours_of_hourly_lines_are_found(duckdb_engine: DuckDBEngine) -> None:
    swapped = {OCTOBER: Decimal("0.1"), OCTOBER + timedelta(hours=2): Decimal("1.5")}

    def change(hours: pl.DataFrame) -> pl.DataFrame:
        for at, cost in swapped.items():
            is_it = (pl.col("commitment_discount_id") == "plan") & (pl.col("hour_start") == at)
            costs = {"used_cost": cost, "unused_cost": Decimal(2) - cost}
            hours = hours.with_columns(
                pl.when(is_it).then(pl.lit(value)).otherwise(pl.col(name)).cast(pl.Decimal(38, 12)).alias(name)
                for name, value in costs.items()
            )
        return hours

    assert broken(duckdb_engine, change) == {HOURS}
