"""Whose GPU it was where the scheduler says only the node: nothing is made up about single holders."""

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import allocation, billed_day, built, holder, samples, seconds, states

DAY = 86400
HOUR = 3600
NOBODY = holder(is_held=False)
WORKS = [
    *samples(0, 24.01, gpu_uuid="GPU-a", sm_active_ratio=0.0, **NOBODY),
    *samples(0, 6, gpu_uuid="GPU-b", sm_active_ratio=0.0, **NOBODY),
    *samples(6, 24.01, gpu_uuid="GPU-b", sm_active_ratio=0.9, **NOBODY),
]


def test_who_had_the_idle_gpu_of_two_is_not_made_up(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        WORKS,
        billed_day(gpu_count=2),
        gpu_allocations=[
            allocation(0, 24, pod="a-idle", namespace="lazy"),
            allocation(6, 24, pod="b-train", namespace="busy"),
        ],
    )
    half = 18 * HOUR // 2
    assert seconds(rows, "namespace", "state", "holder_source") == {
        ("lazy", "allocated_idle", "allocation_node"): 6 * HOUR,
        ("", "unallocated", "none"): 6 * HOUR,
        ("lazy", "allocated_idle", "assumed"): 2 * half // 2,
        ("lazy", "effective", "assumed"): 2 * half // 2,
        ("busy", "allocated_idle", "assumed"): 2 * half // 2,
        ("busy", "effective", "assumed"): 2 * half // 2,
    }
    assert {row["is_time_sliced"] for row in rows if row["holder_source"] == "assumed"} == {False}


def test_holders_of_unlike_size_share_by_what_they_asked_for(duckdb_engine: DuckDBEngine) -> None:
    gpus = [
        row
        for name in "abcd"
        for row in samples(0, 24.01, gpu_uuid=f"GPU-{name}", sm_active_ratio=0.9 if name < "c" else 0.0, **NOBODY)
    ]
    rows = states(
        duckdb_engine,
        gpus,
        billed_day(gpu_count=4),
        gpu_allocations=[
            allocation(0, 24, pod="large", namespace="large", allocated_gpus="3"),
            allocation(0, 24, pod="small", namespace="small"),
        ],
    )
    assert seconds(rows, "namespace", "state") == {
        ("large", "effective"): DAY * 3 // 2,
        ("large", "allocated_idle"): DAY * 3 // 2,
        ("small", "effective"): DAY // 2,
        ("small", "allocated_idle"): DAY // 2,
    }


def test_what_is_given_beyond_the_gpus_that_report_is_unobserved_in_proportion(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        samples(0, 24.01, gpu_uuid="GPU-a", sm_active_ratio=0.9, **NOBODY),
        billed_day(gpu_count=2),
        gpu_allocations=[
            allocation(0, 24, pod="one", namespace="one"),
            allocation(0, 24, pod="two", namespace="two"),
        ],
    )
    assert seconds(rows, "namespace", "gpu_uuid", "state") == {
        ("one", "GPU-a", "effective"): DAY // 2,
        ("two", "GPU-a", "effective"): DAY // 2,
        ("one", "unobserved", "unknown"): DAY // 2,
        ("two", "unobserved", "unknown"): DAY // 2,
    }


def test_shares_of_a_gpu_whose_number_nobody_tells_are_those_of_one(duckdb_engine: DuckDBEngine) -> None:
    gpus = [
        row
        for name in "abcd"
        for row in samples(0, 24.01, gpu_uuid=f"GPU-{name}", sm_active_ratio=0.9 if name == "a" else 0.0, **NOBODY)
    ]
    shared = [
        allocation(0, 24, pod=f"p{n}", namespace=f"t{n}", is_shared=True, resource_name="nvidia_com_gpu_shared")
        for n in range(4)
    ]
    rows = states(duckdb_engine, gpus, billed_day(gpu_count=4), gpu_allocations=shared)
    assert seconds(rows, "namespace", "state") == {
        **{(f"t{n}", "effective"): DAY // 4 for n in range(4)},
        ("", "unallocated"): 3 * DAY,
    }


def test_no_part_of_what_was_asked_is_lost_where_gpus_do_not_divide_it(duckdb_engine: DuckDBEngine) -> None:
    gpus = [row for name in "abc" for row in samples(0, 1, gpu_uuid=f"GPU-{name}", sm_active_ratio=0.9, **NOBODY)]
    held = built(
        duckdb_engine,
        "gpu_held",
        gpu_samples=gpus,
        gpu_allocations=[
            allocation(0, 1, pod="one", namespace="one", allocated_gpus="2"),
            allocation(0, 1, pod="two", namespace="two"),
        ],
    )
    asked = {name: sum(row["asked_ppm"] for row in held if row["pod"] == name) for name in ("one", "two")}
    assert asked == {"one": 2_000_000, "two": 1_000_000}
