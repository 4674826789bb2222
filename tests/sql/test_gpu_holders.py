"""Who held a GPU: replicas, time-sliced pods, batch jobs, and GPUs that nobody can be named for."""

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import (
    MIDNIGHT,
    Row,
    allocation,
    at,
    billed_day,
    holder,
    samples,
    seconds,
    sighting,
    states,
)

DAY = 86400


def test_a_replica_with_requests_is_not_idle_and_without_any_it_is(duckdb_engine: DuckDBEngine) -> None:
    counters = [
        {
            "usage_date": MIDNIGHT.date(),
            "interval_start": at(hour),
            "interval_end": at(hour + 1),
            "cluster": "prod",
            "namespace": "search",
            "pod": "pod-1",
            "engine_name": "vllm",
            "engine_replica": "",
            "running_requests_max": 1.0 if hour == 5 else 0.0,
        }
        for hour in range(24)
    ]
    rows = states(duckdb_engine, samples(0, 24.01, sm_active_ratio=0.0), billed_day(), serving_counters=counters)
    assert seconds(rows, "state") == {"allocated_idle": DAY - 3600, "under_used": 3600}


def test_replicas_that_may_stand_by_are_told_apart(duckdb_engine: DuckDBEngine) -> None:
    idle = [
        row
        for replica in range(3)
        for row in samples(0, 24.01, sm_active_ratio=0.0, gpu_uuid=f"GPU-{replica}", pod=f"vllm-{replica}")
    ]
    rule: Row = {
        "priority": 0,
        "cluster": "",
        "namespace": "search",
        "workload_name": "",
        "pod_prefix": "vllm-",
        "standby_replicas": 2,
    }
    rows = states(duckdb_engine, idle, billed_day(gpu_count=3), gpu_workload_rules=[rule])
    assert seconds(rows, "state", "is_warm_standby") == {
        ("allocated_idle", True): 2 * DAY,
        ("allocated_idle", False): DAY,
    }


def test_pods_of_a_time_sliced_gpu_share_by_what_they_asked_for(duckdb_engine: DuckDBEngine) -> None:
    both = [row for pod in ("pod-1", "pod-2") for row in samples(0, 24.01, sm_active_ratio=0.9, pod=pod)]
    asked = [
        allocation(0, 24, pod="pod-1", allocated_gpus="3", is_shared=True, resource_name="nvidia_com_gpu_shared"),
        allocation(0, 24, pod="pod-2", allocated_gpus="1", is_shared=True, resource_name="nvidia_com_gpu_shared"),
    ]
    given = {"gpu_allocations": asked, "node_sightings": [sighting(0, 24, gpu_replicas=4)]}
    rows = states(duckdb_engine, both, billed_day(), **given)
    assert seconds(rows, "pod", "share_basis") == {
        ("pod-1", "requested"): DAY * 3 // 4,
        ("pod-2", "requested"): DAY // 4,
    }
    assert {row["is_time_sliced"] for row in rows} == {True}


def test_the_busiest_gpus_are_taken_for_those_that_were_given(duckdb_engine: DuckDBEngine) -> None:
    nobody = holder(is_held=False)
    rows = states(
        duckdb_engine,
        [
            *samples(0, 24.01, gpu_uuid="GPU-a", sm_active_ratio=0.0, **nobody),
            *samples(0, 24.01, gpu_uuid="GPU-b", sm_active_ratio=0.9, **nobody),
        ],
        billed_day(gpu_count=2),
        gpu_allocations=[allocation(6, 18)],
    )
    assert seconds(rows, "gpu_uuid", "state", "holder_source") == {
        ("GPU-a", "unallocated", "none"): DAY,
        ("GPU-b", "effective", "none"): DAY // 2,  # it works, for somebody whom nobody names
        ("GPU-b", "effective", "allocation_node"): DAY // 2,
    }


def test_a_batch_job_that_the_exporter_names_by_its_id_is_its_account_s(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        samples(0, 24.01, sm_active_ratio=0.9, namespace="hpc-jobs", pod="42"),
        billed_day(gpu_count=2),
        gpu_allocations=[
            allocation(0, 24, holder_kind="job", namespace="research", pod="42", resource_name="gres/gpu")
        ],
    )
    assert seconds(rows, "namespace", "pod", "state") == {
        ("research", "42", "effective"): DAY,
        ("", "", "unknown"): DAY,
    }


def test_holding_begins_and_ends_within_an_hour_where_the_scheduler_says(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        samples(0, 24.01, sm_active_ratio=0.0, **holder(is_held=False)),
        billed_day(),
        gpu_allocations=[allocation(1.25, 2.75)],
    )
    assert seconds(rows, "state", "holder_source") == {
        ("allocated_idle", "allocation_node"): 5400,
        ("unallocated", "none"): DAY - 5400,
    }


def test_a_cordoned_gpu_that_nobody_holds_is_unhealthy_and_a_held_one_is_not(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 24.01, gpu_uuid="GPU-a", sm_active_ratio=0.9),
            *samples(0, 24.01, gpu_uuid="GPU-b", sm_active_ratio=0.0, **holder(is_held=False)),
        ],
        billed_day(gpu_count=2),
        node_sightings=[sighting(0, 12, is_cordoned=True), sighting(12, 24, is_cordoned=False)],
    )
    assert seconds(rows, "gpu_uuid", "state") == {
        ("GPU-a", "effective"): DAY,
        ("GPU-b", "unhealthy"): DAY // 2,
        ("GPU-b", "unallocated"): DAY // 2,
    }
