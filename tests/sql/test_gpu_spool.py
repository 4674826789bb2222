"""What the GPU-hours make of a spool and of a scrape: what nobody knows is unknown, a lost GPU unhealthy."""

from datetime import datetime
from typing import Any

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.connectors.dcgm.written import HELD, labels, line
from tests.connectors.dcgm.written import page as scrape
from tests.connectors.dcgm.written import parse as scraped
from tests.connectors.nvml.written import NAMED, page, parse, sample
from tests.sql import gpu_rows

HOUR = gpu_rows.billed(datetime(2026, 10, 1, 10), cluster="prod-eu1")


def states(engine: DuckDBEngine, *lines: dict[str, object]) -> dict[tuple[str, str], int]:
    rows = gpu_rows.states(engine, parse(page(*lines)).rows.to_pylist(), [HOUR])
    return {(row["state"], row["namespace"]): row["state_seconds"] for row in rows}


def minutes(first: int, end: int, **over: Any) -> list[dict[str, object]]:
    return [sample(f"10:{minute:02d}", **over) for minute in range(first, end)]


@pytest.mark.parametrize("told", [{}, {"xid": 79}, {"xid": 31}])
def test_a_lost_gpu_is_unhealthy_and_an_empty_one_unallocated(
    told: dict[str, int], duckdb_engine: DuckDBEngine
) -> None:
    found = states(
        duckdb_engine,
        *minutes(0, 10, holders=[NAMED], gpm_sm_pct=90),
        *minutes(10, 25, holders=None, errors={"gpu": 15}, **told),
        *minutes(25, 60, util_gpu_pct=0),
    )
    assert found == {("effective", "serving"): 600, ("unhealthy", "unnamed-processes"): 900, ("unallocated", ""): 2100}


def test_a_gpu_whose_programs_nobody_listed_is_unknown(duckdb_engine: DuckDBEngine) -> None:
    found = states(duckdb_engine, *minutes(0, 60, holders=None))
    assert found == {("unknown", "unnamed-processes"): 3600}


def test_a_scrape_of_a_gpu_that_fell_off_the_bus_is_unhealthy_and_blank_metrics_alone_are_unknown(
    duckdb_engine: DuckDBEngine,
) -> None:
    blank = 9223372036854775794
    lines = [
        line(metric, labels(gpu, **HELD), value, f"10:{minute:02d}")
        for minute in range(60)
        for gpu, xid in ((0, 79), (1, 0))
        for metric, value in (
            ("DCGM_FI_DEV_XID_ERRORS", xid),
            ("DCGM_FI_DEV_GPU_UTIL", blank),
            ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", blank),
            ("DCGM_FI_DEV_POWER_USAGE", blank),
        )
    ]
    bill = HOUR | {"gpu_count": 2}
    rows = gpu_rows.states(duckdb_engine, scraped(scrape(*lines)).rows.to_pylist(), [bill])
    assert gpu_rows.seconds(rows, "gpu_uuid", "state", "metric_used") == {
        ("GPU-0001-0000", "unhealthy", "xid_code"): 3600,
        ("GPU-0001-0001", "unknown", None): 3600,
    }


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
