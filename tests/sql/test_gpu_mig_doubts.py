"""MIG instances that cannot be what they are said to be are told, not silently computed."""

import pytest

from contracts import contract
from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.night.build import summary
from tests.sql.golden import filled
from tests.sql.gpu_rows import DAY, Row, built, samples

A100, A30 = "NVIDIA A100-SXM4-80GB", "NVIDIA A30"


def shares(engine: DuckDBEngine, *instances: tuple[str, float, float], model: str = A100) -> list[Row]:
    """What is said of instances of one GPU, each a profile from one hour of the day until before another."""
    told = [
        sample
        for number, (profile, start, end) in enumerate(instances)
        for sample in samples(
            start, end, gpu_instance_id=str(number), mig_profile=profile, gpu_model_name=model, sm_active_ratio=0.9
        )
    ]
    return built(engine, "gpu_shares", gpu_samples=told, gpu_allocations=[], node_sightings=[])


def doubts(rows: list[Row]) -> set[tuple[str, str | None]]:
    return {(row["mig_profile"], row["mig_doubt"]) for row in rows}


@pytest.mark.parametrize(
    ("model", "profiles"),
    [
        (A100, ["1g.10gb", "2g.20gb", "4g.40gb"]),
        (A100, ["3g.40gb", "3g.40gb"]),
        (A100, ["7g.80gb"]),
        (A100, ["1g.10gb+me", "1g.20gb"]),
        (A30, ["2g.12gb", "1g.6gb", "1g.6gb"]),
        (A30, ["4g.24gb"]),
    ],
)
def test_profiles_that_the_type_has_and_that_fit_are_no_doubt(
    duckdb_engine: DuckDBEngine, model: str, profiles: list[str]
) -> None:
    rows = shares(duckdb_engine, *((profile, 0, 2) for profile in profiles), model=model)
    assert {row["mig_doubt"] for row in rows} == {None}


def test_a_profile_that_states_slices_alone_weighs_by_them(duckdb_engine: DuckDBEngine) -> None:
    """The house's sampler writes `1g` where the driver gives no name: three of seven, one of seven, three stranded."""
    rows = shares(duckdb_engine, ("3g.40gb", 0, 1), ("1g", 0, 1))
    assert {row["mig_profile"]: (row["instance_shares"], row["mig_doubt"]) for row in rows} == {
        "3g.40gb": (720720 * 3 // 7, None),
        "1g": (720720 // 7, None),
    }


@pytest.mark.parametrize(("model", "profile"), [(A100, "5g.40gb"), (A100, "8g.80gb"), (A30, "3g.20gb"), (A100, "half")])
def test_a_profile_that_no_gpu_of_the_type_has_is_told_and_its_instances_weigh_equally(
    duckdb_engine: DuckDBEngine, model: str, profile: str
) -> None:
    rows = shares(duckdb_engine, (profile, 0, 1), ("1g.6gb", 0, 1), model=model)
    assert doubts(rows) == {(profile, "impossible_profile"), ("1g.6gb", None)}
    assert {row["instance_shares"] for row in rows} == {720720 // 2}
    assert {row["stranded_second_shares"] for row in rows} == {0}


def test_instances_that_are_more_than_the_gpu_are_told(duckdb_engine: DuckDBEngine) -> None:
    # 4 + 4 of 7 slices at once from one to two o'clock: 8/7 of it for an hour is more by 514 seconds of the GPU
    rows = shares(duckdb_engine, ("4g.40gb", 0, 2), ("4g.40gb", 1, 2))
    assert {(row["hour_number"] % 24, row["mig_doubt"]) for row in rows} >= {(0, None), (1, "too_many_slices")}
    assert {row["mig_doubt"] for row in rows if row["hour_number"] % 24 == 0} == {None}


def test_a_gpu_that_is_partitioned_anew_within_the_hour_is_no_doubt(duckdb_engine: DuckDBEngine) -> None:
    rows = shares(duckdb_engine, ("7g.80gb", 0, 0.5), ("4g.40gb", 0.5, 1), ("3g.40gb", 0.5, 1))
    assert {row["mig_doubt"] for row in rows} == {None}


def test_the_night_names_the_gpus() -> None:
    common = {"usage_date": DAY, "hostname": "node-1"}
    rows = [
        {**common, "gpu_uuid": "GPU-a", "mig_profile": "5g.40gb", "mig_doubt": "impossible_profile"},
        {**common, "gpu_uuid": "GPU-b", "mig_profile": "4g.40gb", "mig_doubt": "too_many_slices"},
        {**common, "gpu_uuid": "GPU-c", "mig_profile": "4g.40gb"},
    ]
    note = summary(contract("gpu_shares"), [DAY], [filled("gpu_shares", rows)]).note
    assert note == (
        "no such MIG profile: 5g.40gb of GPU-a on node-1; its GPU's instances weigh equally; "
        "MIG instances add up to more than the GPU: GPU-b on node-1"
    )
