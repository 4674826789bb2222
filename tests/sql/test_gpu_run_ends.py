"""What the last sample before a silence holds ends where the scheduler says that those whom it names let go."""

from datetime import timedelta

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import DAY, Row, allocation, billed_day, samples, seconds, sighting, states

BUSY = {"sm_active_ratio": 0.9}
HELD = 180  # seconds that a sample holds where samples lie a minute apart: three distances


def told(engine: DuckDBEngine, given: list[Row], *allocations: Row, **more: list[Row]) -> dict[object, int]:
    """Seconds by state and pod of one GPU that is billed all day, of which the cluster speaks all day."""
    rows = states(
        engine, given, billed_day(), gpu_allocations=list(allocations), node_sightings=[sighting(0, 24)], **more
    )
    return dict(seconds(rows, "state", "pod"))


@pytest.mark.parametrize("end", [16, 16 - 1 / 360, 15.5])
def test_a_pod_s_time_ends_with_it_where_nothing_is_sampled_after(duckdb_engine: DuckDBEngine, end: float) -> None:
    """Samples are taken at full minutes before the end, which is a full hour, ten seconds before it or a half hour."""
    given = samples(0, end, **BUSY)
    found = told(duckdb_engine, given, allocation(0, end))
    length = round(end * 3600)
    assert found == {("effective", "pod-1"): length, ("unallocated", ""): 86_400 - length}


def test_a_job_is_known_by_its_number(duckdb_engine: DuckDBEngine) -> None:
    given = samples(0, 16, namespace="hpc-jobs", pod="4711", **BUSY)
    job = allocation(0, 16, namespace="climate", pod="4711", holder_kind="job")
    found = told(duckdb_engine, given, job)
    assert found == {("effective", "4711"): 57_600, ("unallocated", ""): 28_800}


def test_one_whom_the_scheduler_does_not_know_holds_as_long_as_the_sample(duckdb_engine: DuckDBEngine) -> None:
    found = told(duckdb_engine, samples(0, 16, **BUSY), allocation(0, 16, pod="pod-2"))
    assert found["effective", "pod-1"] == 57_600 - 60 + HELD


def test_an_end_long_before_the_samples_cuts_nothing(duckdb_engine: DuckDBEngine) -> None:
    found = told(duckdb_engine, samples(0, 16, **BUSY), allocation(0, 8))
    assert found["effective", "pod-1"] == 57_600 - 60 + HELD


def test_of_two_who_share_a_gpu_one_goes_on(duckdb_engine: DuckDBEngine) -> None:
    """The exporter falls silent at four, one pod ends then: the other's last sample holds for three minutes."""
    given = [row for pod in ("pod-1", "pod-2") for row in samples(0, 16, pod=pod, **BUSY)]
    shared = {"is_shared": True}
    found = told(duckdb_engine, given, allocation(0, 16, **shared), allocation(0, 24, pod="pod-2", **shared))
    assert found["effective", "pod-1"] + found["effective", "pod-2"] == 57_600 - 60 + HELD


def test_a_pod_that_lives_on_over_midnight_is_not_cut_there(duckdb_engine: DuckDBEngine) -> None:
    """Allocations are cut at midnight, and the next day's first sample comes half a minute later."""
    day = DAY + timedelta(days=1)
    rows = states(
        duckdb_engine,
        [*samples(0, 24, **BUSY), *samples(24 + 1 / 120, 25, **BUSY)],
        [*billed_day(), *billed_day(day=day)],
        gpu_allocations=[allocation(0, 24), allocation(24, 25)],
        node_sightings=[sighting(0, 24), sighting(24, 48)],
    )
    assert seconds([row for row in rows if row["usage_date"] == DAY], "state", "pod") == {
        ("effective", "pod-1"): 86_400
    }
    assert seconds([row for row in rows if row["usage_date"] == day], "state", "pod") == {
        ("effective", "pod-1"): 3600,
        ("unallocated", ""): 82_800,
    }


def test_an_exporter_s_pause_within_a_pod_s_life_is_as_it_was(duckdb_engine: DuckDBEngine) -> None:
    given = [*samples(0, 6, **BUSY), *samples(7, 24, **BUSY)]
    found = told(duckdb_engine, given, allocation(0, 24))
    assert found == {("effective", "pod-1"): 86_400 - 3600 - 60 + HELD, ("unknown", "pod-1"): 3600 + 60 - HELD}


def test_a_pod_that_comes_again_under_one_name_lets_go_each_time(duckdb_engine: DuckDBEngine) -> None:
    """Twenty minutes of every hour, sampled at full minutes: not a second of it is held beyond them."""
    given = [row for hour in range(24) for row in samples(hour, hour + 1 / 3, **BUSY)]
    held = [allocation(hour, hour + 1 / 3) for hour in range(24)]
    found = told(duckdb_engine, given, *held)
    assert found == {("effective", "pod-1"): 24 * 1200, ("unallocated", ""): 24 * 2400}
