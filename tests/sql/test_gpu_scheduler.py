"""What a scheduler's silence says of a GPU: nothing, neither that somebody holds it nor that nobody does."""

from decimal import Decimal

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import (
    DAY,
    Row,
    allocation,
    billed_day,
    holder,
    paid_by_namespace,
    samples,
    seconds,
    sighting,
    states,
)

HOUR = 3600


def idle_without_holders(**given: object) -> list[Row]:
    """A day of a GPU that does nothing, by a source that never says who holds it."""
    return samples(0, 24.01, every=120, sm_active_ratio=0.0, tells_holders=None, **holder(is_held=False), **given)


def test_ten_silent_hours_of_the_scheduler_are_unknown_where_samples_see_no_holders(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        idle_without_holders(),
        billed_day(),
        gpu_allocations=[allocation(0, 6), allocation(16, 24)],
        node_sightings=[sighting(0, 6, gpu_count=1), sighting(16, 24, gpu_count=1)],
    )
    assert seconds(rows, "namespace", "state") == {
        ("search", "allocated_idle"): 14 * HOUR,
        ("", "unknown"): 10 * HOUR,
    }


def test_a_silence_of_four_minutes_is_bridged_and_says_that_nobody_holds_it(duckdb_engine: DuckDBEngine) -> None:
    seen = [sighting(0, 6, gpu_count=1), sighting(6 + 4 / 60, 24, gpu_count=1)]
    rows = states(duckdb_engine, idle_without_holders(), billed_day(), node_sightings=seen)
    assert seconds(rows, "state") == {"unallocated": 24 * HOUR}


def test_nodes_that_answer_while_the_pods_were_not_delivered_call_no_gpu_free(duckdb_engine: DuckDBEngine) -> None:
    """A day without pods and one on which their source failed have the same rows; what tells them apart decides."""
    given = {"gpu_samples": idle_without_holders(), "gpu_billed_hours": billed_day()}
    seen = [sighting(0, 24, gpu_count=1)]
    delivered = [{"usage_date": DAY, "cluster": "prod", "x_source": "pods"}]
    empty = states(duckdb_engine, **given, node_sightings=seen, holder_days=delivered)
    assert seconds(empty, "state") == {"unallocated": 24 * HOUR}
    failed = states(duckdb_engine, **given, node_sightings=seen, holder_days=[])
    assert seconds(failed, "state") == {"unknown": 24 * HOUR}
    elsewhere = states(duckdb_engine, **given, node_sightings=seen, holder_days=[delivered[0] | {"cluster": "hpc"}])
    assert seconds(elsewhere, "state") == {"unknown": 24 * HOUR}
    paid = paid_by_namespace(failed, "24")
    assert paid == {"": Decimal(24)}


def test_an_exporter_that_sees_holders_calls_a_gpu_free_whatever_was_delivered(duckdb_engine: DuckDBEngine) -> None:
    free = samples(0, 24.01, every=120, sm_active_ratio=0.0, tells_holders=True, **holder(is_held=False))
    rows = states(duckdb_engine, free, billed_day(), node_sightings=[sighting(0, 24, gpu_count=1)], holder_days=[])
    assert seconds(rows, "state") == {"unallocated": 24 * HOUR}


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (12, {("", "unallocated"): 8 * HOUR, ("lab", "allocated_idle"): 4 * HOUR, ("", "unknown"): 12 * HOUR}),
        (24, {("", "unallocated"): 8 * HOUR, ("lab", "allocated_idle"): 16 * HOUR}),
    ],
    ids=["asked at noon", "asked at midnight"],
)
def test_accounting_says_nothing_of_the_time_after_the_last_job_that_it_knows(
    last: float, told: dict[tuple[str, str], int], duckdb_engine: DuckDBEngine
) -> None:
    job = allocation(8, last, holder_kind="job", namespace="lab", pod="42", workload_kind="Job")
    rows = states(duckdb_engine, idle_without_holders(), billed_day(), gpu_allocations=[job])
    assert seconds(rows, "namespace", "state") == told


@pytest.mark.parametrize(
    ("made_by", "state"),
    [
        ({"workload_kind": "Job"}, "allocated_idle"),
        ({"workload_kind": "PyTorchJob"}, "under_used"),
        ({"workload_kind": "Deployment"}, "under_used"),
        ({"workload_kind": "Job", "holder_kind": "job"}, "under_used"),
    ],
    ids=["a Job of Kubernetes", "a training operator's job", "a service", "a job of a batch scheduler"],
)
def test_a_job_of_kubernetes_is_batch_work_and_idles_after_five_minutes(
    made_by: dict[str, str], state: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 1, sm_active_ratio=0.9),
            *samples(1, 1 + 10 / 60, sm_active_ratio=0.0),
            *samples(1 + 10 / 60, 2, sm_active_ratio=0.9),
        ],
        billed_day()[:2],
        gpu_allocations=[allocation(0, 2, workload_name="nightly-28391", **made_by)],
    )
    assert seconds(rows, "state") == {"effective": 7200 - 600, state: 600}
