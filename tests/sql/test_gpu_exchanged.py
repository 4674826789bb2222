"""A GPU that was exchanged is there until its successor reports: nobody's time is counted twice, nor lost to free GPUs."""

from datetime import timedelta

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import DAY, Row, allocation, billed_day, samples, seconds, sighting, states

H100 = "NVIDIA H100 80GB HBM3"
BUSY, IDLE = {"sm_active_ratio": 0.9}, {"sm_active_ratio": 0.0}


def node(*given: list[Row], gpus: int = 1, every: int = 300, **billed: str | None) -> dict[str, list[Row]]:
    """A pod holds all GPUs of the node all day, and its cluster says so."""
    return {
        "gpu_samples": [row | {"gpu_model_name": H100} for rows in given for row in rows],
        "gpu_billed_hours": [row | billed for row in billed_day(gpus)],
        "gpu_allocations": [allocation(0, 24, allocated_gpus=str(gpus))],
        "node_sightings": [sighting(0, 24)],
    }


@pytest.mark.parametrize("every", [60, 300])
def test_an_exchange_at_noon_leaves_no_time_free(duckdb_engine: DuckDBEngine, every: int) -> None:
    """Effective until noon, idle after it: half a day each, and a last sample that holds for minutes beyond noon."""
    before = samples(0, 12, every, gpu_uuid="GPU-old", gpu_index=0, **BUSY)
    after = samples(12, 24, every, gpu_uuid="GPU-new", gpu_index=0, **IDLE)
    rows = states(duckdb_engine, **node(before, after))
    told = seconds(rows, "state", "pod")
    assert told == {("effective", "pod-1"): 43_200, ("allocated_idle", "pod-1"): 43_200}


def test_of_eight_gpus_one_is_exchanged_and_all_stay_held(duckdb_engine: DuckDBEngine) -> None:
    others = [samples(0, 24, 300, gpu_uuid=f"GPU-{n}", gpu_index=n, **BUSY) for n in range(1, 8)]
    before = samples(0, 12, 300, gpu_uuid="GPU-0a", gpu_index=0, **BUSY)
    after = samples(12, 24, 300, gpu_uuid="GPU-0b", gpu_index=0, **BUSY)
    rows = states(duckdb_engine, **node(before, after, *others, gpus=8))
    assert seconds(rows, "state", "pod") == {("effective", "pod-1"): 8 * 86_400}


def test_the_silence_between_two_is_the_first_one_s_and_unknown(duckdb_engine: DuckDBEngine) -> None:
    """Nobody samples from six to seven: the last sample holds for 300 seconds."""
    before = samples(0, 6, 300, gpu_uuid="GPU-old", gpu_index=0, **BUSY)
    after = samples(7, 24, 300, gpu_uuid="GPU-new", gpu_index=0, **BUSY)
    rows = states(duckdb_engine, **node(before, after))
    assert seconds(rows, "state", "pod") == {("effective", "pod-1"): 23 * 3600, ("unknown", "pod-1"): 3600}
    assert seconds([row for row in rows if row["state"] == "unknown"], "gpu_uuid") == {"GPU-old": 3600}


def test_where_samples_name_nobody_the_scheduler_s_holder_has_whichever_is_there(duckdb_engine: DuckDBEngine) -> None:
    nobody = {"namespace": "", "pod": "", "container": ""}
    before = samples(0, 12, 300, gpu_uuid="GPU-old", gpu_index=0, **BUSY, **nobody)
    after = samples(12, 24, 300, gpu_uuid="GPU-new", gpu_index=0, **BUSY, **nobody)
    rows = states(duckdb_engine, **node(before, after))
    assert seconds(rows, "state", "pod", "gpu_uuid") == {
        ("effective", "pod-1", "GPU-old"): 43_200,
        ("effective", "pod-1", "GPU-new"): 43_200,
    }


def test_the_holder_of_one_gpu_pays_for_no_more_when_the_free_one_is_exchanged(duckdb_engine: DuckDBEngine) -> None:
    nobody = {"namespace": "", "pod": "", "container": ""}
    held = samples(0, 24, 300, gpu_uuid="GPU-held", gpu_index=0, **BUSY)
    before = samples(0, 12, 300, gpu_uuid="GPU-old", gpu_index=1, **IDLE, **nobody)
    after = samples(12, 24, 300, gpu_uuid="GPU-new", gpu_index=1, **IDLE, **nobody)
    given = node(held, before, after, gpus=2) | {"gpu_allocations": [allocation(0, 24)]}
    rows = states(duckdb_engine, **given)
    assert seconds(rows, "state", "pod") == {("effective", "pod-1"): 86_400, ("unallocated", ""): 86_400}


def test_on_a_day_without_any_sample_the_scheduler_says_who_held_it(duckdb_engine: DuckDBEngine) -> None:
    """Samples end at the first day's midnight, and with it what the last holds; the pod ends at 18:00 on the second."""
    day = DAY + timedelta(days=1)
    given = {
        "gpu_samples": samples(0, 24, 300, gpu_uuid="GPU-a", gpu_index=0, **BUSY),
        "gpu_billed_hours": [*billed_day(), *billed_day(day=day)],
        "gpu_allocations": [allocation(0, 24), allocation(24, 42)],
        "node_sightings": [sighting(0, 24), sighting(24, 48)],
    }
    told = seconds([row for row in states(duckdb_engine, **given) if row["usage_date"] == day], "state", "pod")
    assert told == {("unallocated", ""): 6 * 3600, ("unknown", "pod-1"): 18 * 3600}


def test_nodes_that_answer_alone_call_no_silent_gpu_free(duckdb_engine: DuckDBEngine) -> None:
    given = {"gpu_samples": [], "gpu_billed_hours": billed_day(), "node_sightings": [sighting(0, 24)]}
    assert seconds(states(duckdb_engine, **given, holder_days=[]), "state", "pod") == {("unknown", ""): 86_400}
    assert seconds(states(duckdb_engine, **given), "state", "pod") == {("unallocated", ""): 86_400}
    # nor one that reported until noon
    given["gpu_samples"] = samples(0, 12, 300, gpu_uuid="GPU-a", gpu_index=0, **BUSY)
    told = seconds(states(duckdb_engine, **given, holder_days=[]), "state")
    assert told == {"effective": 43_200, "unknown": 43_200}


def test_two_that_report_side_by_side_under_one_index_are_two(duckdb_engine: DuckDBEngine) -> None:
    both = [samples(0, 12, 300, gpu_uuid=name, gpu_index=0, **BUSY) for name in ("GPU-a", "GPU-b")]
    rows = states(duckdb_engine, **node(*both, gpus=2))
    assert seconds(rows, "state", "gpu_uuid") == {
        ("effective", "GPU-a"): 43_200,
        ("effective", "GPU-b"): 43_200,
        ("unknown", "GPU-a"): 43_200,
        ("unknown", "GPU-b"): 43_200,
    }


def test_the_type_is_what_the_gpu_says_where_nobody_else_does(duckdb_engine: DuckDBEngine) -> None:
    given = samples(0, 24, 300, gpu_uuid="GPU-a", gpu_index=0, **BUSY)
    rows = states(duckdb_engine, **node(given, gpu_model_name=None))
    assert {row["gpu_model_name"] for row in rows} == {H100}
    registered = states(duckdb_engine, **node(given, gpu_model_name="H100 SXM"))
    assert {row["gpu_model_name"] for row in registered} == {"H100 SXM"}
