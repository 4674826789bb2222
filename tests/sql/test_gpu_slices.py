"""GPUs that are cut into MIG instances: what each slice costs, and which nobody can have."""

from decimal import Decimal
from fractions import Fraction

import pytest

from models.allocation import largest_remainder
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import (
    allocation,
    billed_day,
    paid_by_namespace,
    samples,
    seconds,
    sighting,
    states,
)

DAY = 86400


SLICES = {"4g.40gb": ("ml-train", 4, 2), "1g.10gb": ("inference", 1, 6), "2g.20gb": ("serving", 2, 2)}


def test_slices_of_a_partitioned_gpu_cost_their_share_of_it(duckdb_engine: DuckDBEngine) -> None:
    # an A100 of $3 an hour for a day: 4 slices for 2 hours, 1 for 6, 2 for 2 of 168 slice hours
    rows = states(
        duckdb_engine,
        [],
        billed_day(),
        gpu_allocations=[
            allocation(0, hours, namespace=name, pod=name, mig_profile=profile)
            for profile, (name, _, hours) in SLICES.items()
        ],
        node_sightings=[sighting(0, 24, gpu_count=1)],
    )
    held = seconds(rows, "namespace")
    assert sum(held.values()) == DAY
    exact = {name: Fraction(slices * hours * 3600, 7) for name, slices, hours in SLICES.values()}
    # whole seconds by largest remainder: each hour within a second of the exact one
    for name, length in exact.items():
        assert abs(held[name] - length) <= 6
    paid = paid_by_namespace(rows, cost_of_a_day="72")
    assert sum(paid.values()) == 72
    assert {name: round(amount, 6) for name, amount in paid.items()} == {
        "ml-train": Decimal("3.428571"),
        "inference": Decimal("2.571429"),
        "serving": Decimal("1.714286"),
        "": Decimal("64.285714"),
    }
    assert round(72 - paid[""], 4) == Decimal("7.7143")


def test_a_thousand_dollars_by_slice_hours_loses_no_cent() -> None:
    assert largest_remainder(100_000, [8, 6, 4]) == [44_445, 33_333, 22_222]


def test_three_and_three_slices_leave_one_stranded(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [
            row
            for instance in "12"
            for row in samples(
                0,
                24.01,
                gpu_instance_id=instance,
                mig_profile="3g.40gb",
                sm_active_ratio=0.9,
                gpu_util_ratio=0.0,
            )
        ],
        billed_day(),
    )
    named = seconds(rows, "gpu_instance_id", "state", "metric_used")
    assert named["", "unallocated", "mig_profile"] == pytest.approx(DAY / 7, abs=24)
    assert sum(named.values()) == DAY


def test_utilisation_is_refused_for_mig_instances(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        samples(0, 24.01, gpu_instance_id="1", mig_profile="7g.80gb", gpu_util_ratio=0.0),
        billed_day(),
    )
    assert seconds(rows, "state") == {"unknown": DAY}


def test_a_gpu_that_is_partitioned_anew_at_noon_loses_no_second(duckdb_engine: DuckDBEngine) -> None:
    before = samples(0, 12.5, gpu_instance_id="1", mig_profile="7g.80gb", sm_active_ratio=0.9)
    after = [
        row
        for instance in range(2, 9)
        for row in samples(
            12.5, 24.01, gpu_instance_id=str(instance), mig_profile="1g.10gb", sm_active_ratio=0.9, pod="pod-2"
        )
    ]
    found = seconds(states(duckdb_engine, before + after, billed_day()), "pod", "state")
    assert sum(found.values()) == DAY
    # what the last sample before noon holds ends where the new instances report
    assert found == {("pod-1", "effective"): 45_000, ("pod-2", "effective"): 41_400}


@pytest.mark.parametrize("recut", [12, 12.5])
def test_of_instances_that_are_cut_anew_those_that_go_end_there(duckdb_engine: DuckDBEngine, recut: float) -> None:
    """Three slices stay, two and one become four: what they had is theirs until then, and not a second longer."""
    kept = samples(0, 24.01, gpu_instance_id="1", mig_profile="3g.40gb", pod="kept", sm_active_ratio=0.9)
    gone = [
        row
        for instance, profile in (("3", "3g.40gb"), ("9", "1g.10gb"))
        for row in samples(
            0, recut, gpu_instance_id=instance, mig_profile=profile, pod=f"gone-{instance}", sm_active_ratio=0.9
        )
    ]
    new = samples(recut, 24.01, gpu_instance_id="2", mig_profile="4g.40gb", pod="new", sm_active_ratio=0.9)
    found = seconds(states(duckdb_engine, [*kept, *gone, *new], billed_day()), "pod", "state")
    exact = {"kept": 3 * 24, "gone-3": 3 * recut, "gone-9": recut, "new": 4 * (24 - recut)}
    for pod, slice_hours in exact.items():
        assert found[pod, "effective"] == pytest.approx(slice_hours * 3600 / 7, abs=24)
    assert {pod for pod, _ in found} == set(exact)
    assert sum(found.values()) == DAY


def test_the_silent_part_of_an_instance_s_first_and_last_hour_is_its_holder_s(duckdb_engine: DuckDBEngine) -> None:
    """The exporter reports from half past ten to half past two; the scheduler names both pods all day."""
    pods = {"1": ("3g.40gb", "three"), "7": ("1g.10gb", "one")}
    rows = states(
        duckdb_engine,
        [
            row
            for instance, (profile, pod) in pods.items()
            for row in samples(10.5, 14.5, gpu_instance_id=instance, mig_profile=profile, pod=pod, sm_active_ratio=0.9)
        ],
        billed_day(),
        gpu_allocations=[allocation(0, 24, pod=pod, mig_profile=profile) for profile, pod in pods.values()],
        node_sightings=[sighting(0, 24)],
    )
    for hour, silent in ((10, 1800), (14, 1680)):
        edge = seconds([row for row in rows if row["hour_start"].hour == hour], "state", "pod")
        assert edge["unknown", "three"] == pytest.approx(silent * 3 / 7, abs=1)
        assert edge["unknown", "one"] == pytest.approx(silent / 7, abs=1)
        assert edge["unallocated", ""] == pytest.approx(3600 * 3 / 7, abs=1)
        assert sum(edge.values()) == 3600
    held = seconds(rows, "pod")
    assert held["three"] == pytest.approx(DAY * 3 / 7, abs=24)
    assert held["one"] == pytest.approx(DAY / 7, abs=24)
    stranded = [row for row in rows if row["metric_used"] == "mig_profile"]
    assert sum(row["observed_seconds"] for row in stranded) == pytest.approx((4 * 3600 + 120) * 3 / 7, abs=5)
