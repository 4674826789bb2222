"""Rules about GPUs that no other test would miss: how long a sample holds, slices of each type, days, whose rule wins."""

from datetime import timedelta
from fractions import Fraction

import pytest

from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import DAY as FEBRUARY
from tests.sql.gpu_rows import Row, billed_day, built, samples, seconds, states

DAY = 86400
WHOLE = 720720


def test_a_sample_holds_for_five_minutes_at_most(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, samples(0, 1, every=200, sm_active_ratio=0.9), billed_day())
    # the last one at 3,400 seconds; three gaps would be ten minutes
    assert seconds(rows, "state") == {"effective": 3700, "unknown": DAY - 3700}


def test_a_sample_holds_for_three_gaps(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, samples(0, 1, every=60, sm_active_ratio=0.9), billed_day())
    assert seconds(rows, "state") == {"effective": 3540 + 180, "unknown": DAY - 3720}


@pytest.mark.parametrize("offset", [1, 7, 29, 53])
def test_two_scrapers_that_follow_one_another_hold_no_shorter_than_one(
    offset: int, duckdb_engine: DuckDBEngine
) -> None:
    first = samples(0, 24.01, sm_active_ratio=0.9)
    second = [row | {"sampled_at": row["sampled_at"] + timedelta(seconds=offset)} for row in first]
    rows = states(duckdb_engine, [*first, *second], billed_day())
    assert seconds(rows, "state") == {"effective": DAY}


@pytest.mark.parametrize(
    ("gpu", "slices"),
    [
        ("NVIDIA A100-SXM4-80GB", 7),
        ("NVIDIA H100 80GB HBM3", 7),
        (None, 7),
        ("NVIDIA A30", 4),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 4),
        ("NVIDIA RTX PRO 5000 Blackwell", 2),
    ],
)
def test_an_instance_is_its_slices_of_those_that_its_type_has(
    gpu: str | None, slices: int, duckdb_engine: DuckDBEngine
) -> None:
    given = samples(0, 1, gpu_instance_id="1", mig_profile="1g.6gb", gpu_model_name=gpu, sm_active_ratio=0.9)
    shares = built(duckdb_engine, "gpu_shares", gpu_samples=given)
    assert {Fraction(row["instance_shares"], WHOLE) for row in shares} == {Fraction(1, slices)}


@pytest.mark.parametrize("profile", ["3000g.5gb", "2000000000g.5gb", "9" * 30 + "g.5gb", "0g.5gb", "8g.80gb", "x"])
def test_a_profile_that_no_gpu_can_have_weighs_equally_and_loses_no_second(
    profile: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        [
            *samples(0, 24.01, gpu_instance_id="1", mig_profile=profile, sm_active_ratio=0.9),
            *samples(0, 24.01, gpu_instance_id="2", mig_profile="3g.40gb", sm_active_ratio=0.9, pod="pod-2"),
        ],
        billed_day(),
    )
    assert seconds(rows, "pod", "state") == {("pod-1", "effective"): DAY // 2, ("pod-2", "effective"): DAY // 2}


@pytest.mark.parametrize("days", [-1, 1])
def test_a_gpu_that_reports_on_the_day_beside_is_that_gpu_on_a_day_without_samples(
    days: int, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        samples(6, 7, sm_active_ratio=0.9),
        billed_day(day=FEBRUARY + timedelta(days=days)),
    )
    assert seconds(rows, "gpu_uuid", "state") == {("GPU-a", "unknown"): DAY}


def test_a_gpu_that_reported_two_days_before_is_unobserved(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, samples(6, 7, sm_active_ratio=0.9), billed_day(day=FEBRUARY + timedelta(days=2)))
    assert seconds(rows, "gpu_uuid", "state") == {("unobserved", "unknown"): DAY}


@pytest.mark.parametrize(
    ("kinds", "state"), [(("batch", "training"), "allocated_idle"), (("training", "batch"), "under_used")]
)
def test_of_two_rules_that_fit_the_first_wins(kinds: tuple[str, str], state: str, duckdb_engine: DuckDBEngine) -> None:
    rules: list[Row] = [
        {
            "priority": priority,
            "cluster": "",
            "namespace": "search",
            "workload_name": "",
            "pod_prefix": "",
            "work_kind": kind,
            "standby_replicas": None,
        }
        for priority, kind in enumerate(kinds)
    ]
    rows = states(
        duckdb_engine,
        [
            *samples(0, 1, sm_active_ratio=0.9),
            *samples(1, 1 + 10 / 60, sm_active_ratio=0.0),
            *samples(1 + 10 / 60, 2, sm_active_ratio=0.9),
        ],
        billed_day()[:2],
        gpu_workload_rules=rules,
    )
    assert seconds(rows, "state") == {"effective": 7200 - 600, state: 600}
