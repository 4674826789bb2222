"""What the GPU-hours make of a spool: what nobody knows is unknown, and neither idle nor unallocated."""

import tempfile
from datetime import datetime

import pyarrow as pa

from contracts import contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.connectors.nvml.written import NAMED, page, parse, sample

TABLE = contract("gpu_states_hourly")
HOUR = {
    "resource_id": "i-1",
    "hostname": "node-1",
    "cluster": "prod-eu1",
    "gpu_count": 1,
    "hour_start": datetime(2026, 10, 1, 10),
    "usage_date": datetime(2026, 10, 1).date(),
    "billed_seconds": 3600,
}


def states(*lines: dict[str, object]) -> dict[tuple[str, str], int]:
    engine = DuckDBEngine(memory_limit="512MB", temp_directory=tempfile.gettempdir())
    try:
        engine.register("gpu_samples", parse(page(*lines)).rows)
        engine.register(
            "gpu_billed_hours", pa.Table.from_pylist([HOUR], schema=contract("gpu_billed_hours").arrow_schema())
        )
        engine.build(TABLE)
        found = engine.read(TABLE.table).to_pylist()
    finally:
        engine.close()
    return {(row["state"], row["namespace"]): row["state_seconds"] for row in found}


def minutes(first: int, end: int, **over: object) -> list[dict[str, object]]:
    return [sample(f"10:{minute:02d}", **over) for minute in range(first, end)]


def test_a_lost_gpu_is_unknown_and_an_empty_one_unallocated() -> None:
    found = states(
        *minutes(0, 10, holders=[NAMED], gpm_sm_pct=90),
        *minutes(10, 25, holders=None, errors={"gpu": 15}),
        *minutes(25, 60),
    )
    assert found == {("effective", "serving"): 600, ("unknown", "unnamed-processes"): 900, ("unallocated", ""): 2100}


def test_hours_that_a_sampler_did_not_live_through_are_unknown() -> None:
    found = states(*minutes(0, 10, holders=[NAMED], gpm_sm_pct=90), *minutes(50, 60, holders=[NAMED], gpm_sm_pct=90))
    assert found == {("effective", "serving"): 10 * 60 + 120 + 600, ("unknown", ""): 2280}


def test_a_gpu_on_which_only_utilisation_is_known_is_proved_idle_and_never_effective() -> None:
    found = states(*minutes(0, 30, holders=[NAMED], util_gpu_pct=0), *minutes(30, 60, holders=[NAMED], util_gpu_pct=99))
    assert found == {("allocated_idle", "serving"): 1800, ("unknown", "serving"): 1800}
