"""Who holds a GPU where scheduler and samples both speak: what was given less what samples name is still its holder's.

As connectors deliver it: no scheduler tells which GPU or MIG instance it gave.
"""

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import Row, allocation, billed_day, holder, samples, seconds, sighting, states

DAY = 86400
NOBODY = holder(is_held=False)


def day_of(gpu: str, ratio: float, **given: object) -> list[Row]:
    """A day of a GPU, seen every two minutes by a sampler of processes."""
    return samples(0, 24.01, every=300, gpu_uuid=f"GPU-{gpu}", sm_active_ratio=ratio, x_source="nvml", **given)


def microseconds(rows: list[Row]) -> dict[tuple[str, str], int]:
    """Microseconds by namespace and state."""
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["namespace"], row["state"])
        sums[key] = sums.get(key, 0) + row["state_microseconds"]
    return sums


@pytest.mark.parametrize(
    ("job", "named"),
    [
        ({}, {}),
        ({"holder_kind": "job", "namespace": "lab", "pod": "42"}, {"namespace": "slurm", "pod": "42"}),
    ],
    ids=["a pod", "a batch job"],
)
def test_gpus_that_were_given_and_show_no_activity_are_idle_and_their_holder_s(
    job: dict[str, str], named: dict[str, str], duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        [*day_of("a", 0.9, **named), *(row for name in "bcdefgh" for row in day_of(name, 0.0, **NOBODY))],
        billed_day(8),
        gpu_allocations=[allocation(0, 24, allocated_gpus="8", **job)],
        node_sightings=[sighting(0, 24, gpu_count=8)],
    )
    owner = job.get("namespace", "search")
    assert seconds(rows, "namespace", "state", "holder_source") == {
        (owner, "effective", "exporter_label"): DAY,
        (owner, "allocated_idle", "allocation_node"): 7 * DAY,  # 604,800
    }


def test_gpus_that_were_given_and_have_no_samples_are_unknown_and_their_holder_s(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        day_of("a", 0.9),
        billed_day(4),
        gpu_allocations=[allocation(0, 24, allocated_gpus="3")],
        node_sightings=[sighting(0, 24, gpu_count=4)],
    )
    assert seconds(rows, "gpu_uuid", "namespace", "state") == {
        ("GPU-a", "search", "effective"): DAY,
        ("unobserved", "search", "unknown"): 2 * DAY,
        ("unobserved", "", "unallocated"): DAY,
    }


def test_a_gpu_that_somebody_else_had_in_the_morning_can_be_given_in_the_afternoon(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [
            *day_of("a", 0.9),
            *samples(0, 12, every=300, gpu_uuid="GPU-b", sm_active_ratio=0.9, x_source="nvml", pod="early"),
            *samples(12, 24.01, every=300, gpu_uuid="GPU-b", sm_active_ratio=0.0, x_source="nvml", **NOBODY),
        ],
        billed_day(2),
        gpu_allocations=[
            allocation(0, 12),
            allocation(0, 12, pod="early"),
            allocation(12, 24, allocated_gpus="2"),
        ],
        node_sightings=[sighting(0, 24, gpu_count=2)],
    )
    assert seconds(rows, "gpu_uuid", "pod", "state") == {
        ("GPU-a", "pod-1", "effective"): DAY,
        ("GPU-b", "early", "effective"): DAY // 2,
        ("GPU-b", "pod-1", "allocated_idle"): DAY // 2,
    }


def test_of_two_holders_of_whom_samples_see_one_gpu_each_nobody_knows_whose_the_others_are(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [
            *day_of("a", 0.9, namespace="one", pod="p"),
            *day_of("b", 0.9, namespace="two", pod="q"),
            *(row for name in "cdef" for row in day_of(name, 0.0, **NOBODY)),
        ],
        billed_day(6),
        gpu_allocations=[
            allocation(0, 24, namespace="one", pod="p", allocated_gpus="2"),
            allocation(0, 24, namespace="two", pod="q", allocated_gpus="3"),
        ],
        node_sightings=[sighting(0, 24, gpu_count=6)],
    )
    # one and two GPUs are left of what they were given: three of the four idle ones, a third and two thirds of each
    assert seconds(rows, "namespace", "state", "holder_source") == {
        ("one", "effective", "exporter_label"): DAY,
        ("two", "effective", "exporter_label"): DAY,
        ("one", "allocated_idle", "assumed"): DAY,
        ("two", "allocated_idle", "assumed"): 2 * DAY,
        ("", "unallocated", "none"): DAY,
    }


def test_after_its_samples_ceased_to_name_it_a_holder_has_the_gpu_that_they_named_it_on(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 12, every=300, sm_active_ratio=0.9),
            *samples(12, 24.01, every=300, sm_active_ratio=0.0, **NOBODY),
            *samples(0, 24.01, every=300, gpu_uuid="GPU-0", sm_active_ratio=0.0, **NOBODY),
        ],
        billed_day(2),
        gpu_allocations=[allocation(0, 18)],
        node_sightings=[sighting(0, 24, gpu_count=2)],
    )
    assert seconds(rows, "gpu_uuid", "namespace", "state", "holder_source") == {
        ("GPU-a", "search", "effective", "exporter_label"): DAY // 2,
        ("GPU-a", "search", "allocated_idle", "exporter_label"): DAY // 4,
        ("GPU-a", "", "unallocated", "none"): DAY // 4,
        ("GPU-0", "", "unallocated", "none"): DAY,
    }


def shares(count: int, **given: object) -> list[Row]:
    """As many pods of as many teams, each with a share of a GPU that is offered as four."""
    return [allocation(0, 24, pod=f"p{n}", namespace=f"t{n}", is_shared=True, **given) for n in range(count)]


@pytest.mark.parametrize("until", [24.01, 12], ids=["all day", "till noon, then silence"])
def test_pods_that_share_a_gpu_share_it_though_samples_name_one_of_them(
    until: float, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        samples(0, until, every=300, sm_active_ratio=0.9, namespace="t0", pod="p0"),
        billed_day(),
        gpu_allocations=shares(4, resource_name="nvidia_com_gpu_shared"),
        node_sightings=[sighting(0, 24, gpu_count=1, gpu_replicas=4)],
    )
    assert seconds(rows, "namespace", "share_basis") == {(f"t{n}", "requested"): DAY // 4 for n in range(4)}
    assert {row["is_time_sliced"] for row in rows} == {True}
    assert {row["state"] for row in rows} == ({"effective"} if until > 24 else {"effective", "unknown"})


def test_of_two_sharers_the_one_without_a_process_has_its_half(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        day_of("a", 0.9, namespace="t0", pod="p0"),
        billed_day(),
        gpu_allocations=shares(2),
        node_sightings=[sighting(0, 24, gpu_count=1, gpu_replicas=2)],
    )
    assert seconds(rows, "namespace", "state", "share_basis") == {
        ("t0", "effective", "requested"): DAY // 2,
        ("t1", "effective", "requested"): DAY // 2,
    }


def test_sharers_whom_samples_do_not_name_fill_the_shared_gpu_before_a_free_one(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [*day_of("a", 0.9, namespace="t0", pod="p0"), *day_of("b", 0.0, **NOBODY)],
        billed_day(2),
        gpu_allocations=shares(4),
        node_sightings=[sighting(0, 24, gpu_count=2, gpu_replicas=4)],
    )
    assert seconds(rows, "gpu_uuid", "namespace", "state") == {
        **{("GPU-a", f"t{n}", "effective"): DAY // 4 for n in range(4)},
        ("GPU-b", "", "unallocated"): DAY,
    }


def slices(profile: str, count: int) -> list[Row]:
    """As many pods, each with one MIG instance of the profile."""
    resource = f"nvidia_com_mig_{profile.replace('.', '_')}"
    return [
        allocation(0, 24, namespace=f"i{n}", pod=f"inf{n}", mig_profile=profile, resource_name=resource)
        for n in range(count)
    ]


def test_a_slice_without_samples_is_its_seventh_of_a_gpu(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [],
        billed_day(),
        gpu_allocations=slices("1g.10gb", 1),
        node_sightings=[sighting(0, 24, gpu_count=1)],
    )
    told = {key: round(count / 1e6) for key, count in microseconds(rows).items()}
    assert told == {("i0", "unknown"): 12_343, ("", "unallocated"): DAY - 12_343}


def test_seven_slices_and_a_whole_gpu_fill_two_gpus(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [],
        billed_day(2),
        gpu_allocations=[*slices("1g.10gb", 7), allocation(0, 24, namespace="whole", pod="w")],
        node_sightings=[sighting(0, 24, gpu_count=2)],
    )
    told = {key: round(count / 1e6) for key, count in microseconds(rows).items()}
    assert told == {("whole", "unknown"): DAY} | {(f"i{n}", "unknown"): 12_343 for n in range(7)}


@pytest.mark.parametrize("model", ["NVIDIA A30", "NVIDIA-A30"])
def test_four_slices_of_a_type_that_has_four_are_all_of_it(model: str, duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [],
        billed_day(gpu_model_name=model),
        gpu_allocations=slices("1g.6gb", 4),
        node_sightings=[sighting(0, 24, gpu_count=1)],
    )
    assert seconds(rows, "namespace", "state") == {(f"i{n}", "unknown"): DAY // 4 for n in range(4)}


def test_gpus_that_are_silent_for_a_day_and_known_from_the_day_before_are_held_by_whom_they_were_given_to(
    duckdb_engine: DuckDBEngine,
) -> None:
    yesterday = [
        row
        | {
            "sampled_at": row["sampled_at"].replace(month=1, day=31),
            "sample_date": row["sample_date"].replace(month=1, day=31),
        }
        for name in "ab"
        for row in samples(0, 2, every=300, gpu_uuid=f"GPU-{name}", sm_active_ratio=0.9)
    ]
    rows = states(
        duckdb_engine,
        yesterday,
        billed_day(2),
        gpu_allocations=[allocation(0, 24), *slices("1g.10gb", 7)],
        node_sightings=[sighting(0, 24, gpu_count=2)],
    )
    told = {key: round(count / 1e6) for key, count in microseconds(rows).items()}
    assert told == {("search", "unknown"): DAY} | {(f"i{n}", "unknown"): 12_343 for n in range(7)}
    assert {row["gpu_uuid"] for row in rows} == {"GPU-a", "GPU-b"}
