"""Errors of the driver: which make a GPU unhealthy, and until when. Exporters go on telling the last one."""

from datetime import timedelta

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.gpu_faults import gpu_faults
from tests.sql.gpu_rows import DAY as FEBRUARY
from tests.sql.gpu_rows import at, billed_day, built, sample, samples, seconds, states

HOUR = 3600


@pytest.mark.parametrize(
    ("code", "first"),
    [
        *((code, "unhealthy") for code in (46, 48, 62, 79, 95, 119, 120, 140)),
        *((code, "allocated_idle") for code in (None, 0, 13, 31, 43, 45, 63, 64, 94, 2_000_000)),
    ],
)
def test_a_gpu_that_computed_after_an_error_has_recovered_and_idles_like_any_other(
    code: int | None, first: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 1, sm_active_ratio=0.0, xid_code=code),
            *samples(1, 11, sm_active_ratio=0.9, xid_code=code),
            *samples(11, 24.01, sm_active_ratio=0.0, xid_code=code),
        ],
        billed_day(),
    )
    found = seconds(rows, "state")
    assert found.pop("effective") == 10 * HOUR
    assert found == (
        {"allocated_idle": 14 * HOUR} if first == "allocated_idle" else {first: HOUR} | {"allocated_idle": 13 * HOUR}
    )


def test_the_list_of_faults_is_the_one_that_these_tests_name() -> None:
    assert set(gpu_faults()) == {46, 48, 62, 79, 95, 119, 120, 140}


def test_a_gpu_whose_work_ends_with_the_error_has_not_recovered(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 1, sm_active_ratio=0.9),
            sample(at(1), sm_active_ratio=0.5, xid_code=48),  # the mean of a minute that was work before it
            *samples(1 + 1 / 60, 24.01, sm_active_ratio=0.0, xid_code=48),
        ],
        billed_day(),
    )
    assert seconds(rows, "state") == {"effective": HOUR, "under_used": 60, "unhealthy": 23 * HOUR - 60}


def test_the_same_code_after_another_is_a_new_error(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 6, sm_active_ratio=0.9, xid_code=48),
            *samples(6, 12, sm_active_ratio=0.0, xid_code=48),
            *samples(12, 13, sm_active_ratio=0.9, xid_code=13),
            *samples(13, 24.01, sm_active_ratio=0.0, xid_code=48),
        ],
        billed_day(),
    )
    assert seconds(rows, "state", "metric_used") == {
        ("effective", "sm_active_ratio"): 7 * HOUR,
        ("allocated_idle", "sm_active_ratio"): 6 * HOUR,
        ("unhealthy", "xid_code"): 11 * HOUR,
    }


def test_a_recovery_is_remembered_for_a_week_and_a_day_alone_is_as_in_a_month(duckdb_engine: DuckDBEngine) -> None:
    given = [
        *samples(-9 * 24, -9 * 24 + 2, every=300, sm_active_ratio=0.9, xid_code=48),
        *samples(-9 * 24 + 2, 24, every=300, sm_active_ratio=0.0, xid_code=48),
    ]
    spells = built(duckdb_engine, "gpu_fault_spells", gpu_samples=given)
    days = {row["usage_date"] for row in spells if row["to_second"] - row["from_second"] > 300}
    # the ninth day before is looked back to by the seven that follow it
    assert days == {FEBRUARY, FEBRUARY - timedelta(days=1)}
