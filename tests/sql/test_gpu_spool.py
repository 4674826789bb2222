"""What the GPU-hours make of a spool: what nobody knows is unknown, and neither idle nor unallocated."""

from datetime import datetime
from typing import Any

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.connectors.nvml.written import NAMED, page, parse, sample
from tests.sql import gpu_rows

HOUR = gpu_rows.billed(datetime(2026, 10, 1, 10), cluster="prod-eu1")


def states(engine: DuckDBEngine, *lines: dict[str, object]) -> dict[tuple[str, str], int]:
    rows = gpu_rows.states(engine, parse(page(*lines)).rows.to_pylist(), [HOUR])
    return {(row["state"], row["namespace"]): row["state_seconds"] for row in rows}


def minutes(first: int, end: int, **over: Any) -> list[dict[str, object]]:
    return [sample(f"10:{minute:02d}", **over) for minute in range(first, end)]


def test_a_lost_gpu_is_unknown_and_an_empty_one_unallocated(duckdb_engine: DuckDBEngine) -> None:
    found = states(
        duckdb_engine,
        *minutes(0, 10, holders=[NAMED], gpm_sm_pct=90),
        *minutes(10, 25, holders=None, errors={"gpu": 15}),
        *minutes(25, 60),
    )
    assert found == {("effective", "serving"): 600, ("unknown", "unnamed-processes"): 900, ("unallocated", ""): 2100}


def test_hours_that_a_sampler_did_not_live_through_are_unknown(duckdb_engine: DuckDBEngine) -> None:
    found = states(
        duckdb_engine, *minutes(0, 10, holders=[NAMED], gpm_sm_pct=90), *minutes(50, 60, holders=[NAMED], gpm_sm_pct=90)
    )
    assert found == {("effective", "serving"): 10 * 60 + 120 + 600, ("unknown", ""): 2280}


def test_a_gpu_on_which_only_utilisation_is_known_is_proved_idle_and_never_effective(
    duckdb_engine: DuckDBEngine,
) -> None:
    found = states(
        duckdb_engine,
        *minutes(0, 30, holders=[NAMED], util_gpu_pct=0),
        *minutes(30, 60, holders=[NAMED], util_gpu_pct=99),
    )
    assert found == {("allocated_idle", "serving"): 1800, ("unknown", "serving"): 1800}
