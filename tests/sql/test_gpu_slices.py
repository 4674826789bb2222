"""GPUs that are cut into MIG instances: what each slice costs, and which nobody can have."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest

from models.allocation import largest_remainder
from models.gpu_costs import gpu_costs
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.golden import filled
from tests.sql.gpu_rows import (
    MIDNIGHT,
    Row,
    allocation,
    billed_day,
    built,
    samples,
    seconds,
    sighting,
    states,
)

DAY = 86400


SLICES = {"4g.40gb": ("ml-train", 4, 2), "1g.10gb": ("inference", 1, 6), "2g.20gb": ("serving", 2, 2)}


def test_slices_of_a_partitioned_gpu_cost_their_share_of_it(duckdb_engine: DuckDBEngine) -> None:
    # an A100 of $3 an hour for a day: 4 slices for 2 hours, 1 for 6, 2 for 2 of 168 slice hours
    given = {
        "gpu_allocations": [
            allocation(
                0, hours, namespace=name, pod=name, gpu_uuid="GPU-a", gpu_instance_id=str(n), mig_profile=profile
            )
            for n, (profile, (name, _, hours)) in enumerate(SLICES.items())
        ],
        "node_sightings": [sighting(0, 24)],
    }
    stretches = built(duckdb_engine, "gpu_stretches", **given)
    shares = built(duckdb_engine, "gpu_shares", **given)
    of_instance = {(row["gpu_instance_id"], row["hour_number"]): row["instance_shares"] for row in shares}
    exact: Counter[str] = Counter()
    for row in stretches:
        hour = int((row["started_at"] - MIDNIGHT.replace(1970, 1, 1)).total_seconds() // 3600)
        length = int((row["ended_at"] - row["started_at"]).total_seconds())
        exact[row["namespace"]] += length * of_instance[row["gpu_instance_id"], hour]
    dollars = {name: Fraction(3 * count, 3600 * 720720) for name, count in exact.items()}
    assert dollars == {
        "ml-train": Fraction(24, 7),
        "inference": Fraction(18, 7),
        "serving": Fraction(12, 7),
        "": Fraction(450, 7),
    }
    assert [round(amount, 4) for amount in (sum(dollars.values()) - dollars[""], dollars[""])] == [
        Fraction("7.7143"),
        Fraction("64.2857"),
    ]
    rows = states(duckdb_engine, [], billed_day(), **given)
    held = seconds(rows, "namespace")
    assert sum(held.values()) == DAY
    # whole seconds by largest remainder: each hour within a second of the exact one
    for name, amount in dollars.items():
        assert abs(held[name] - amount * 1200) <= 8
    paid = costs_by_namespace(rows, "72")
    assert sum(paid.values()) == 72
    assert {name: round(amount, 6) for name, amount in paid.items()} == {
        "ml-train": Decimal("3.428571"),
        "inference": Decimal("2.571429"),
        "serving": Decimal("1.714286"),
        "": Decimal("64.285714"),
    }
    assert round(72 - paid[""], 4) == Decimal("7.7143")


def costs_by_namespace(rows: list[Row], cost: str) -> dict[str, Decimal]:
    """What a bill line of the node for the day comes to, by who held it."""
    line = {
        "charge_group_id": "c",
        "charge_date": MIDNIGHT.date(),
        "charge_start": MIDNIGHT,
        "charge_end": MIDNIGHT + timedelta(days=1),
        "resource_id": "i-1",
        "billed_cost": cost,
        "effective_cost": cost,
        "tags": None,
    }
    costs = gpu_costs(
        charge_groups=pl.DataFrame(filled("charge_groups", [line])),
        gpu_states=pl.DataFrame(filled("gpu_states_hourly", rows)),
        pod_models=pl.DataFrame(filled("pod_models", [])),
        gpu_labels=pl.DataFrame(filled("gpu_labels", [])),
        owners=pl.DataFrame(filled("owners", [])),
    )
    return dict(costs.group_by("namespace").agg(pl.col("effective_cost").sum()).rows())


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
    # the last sample before noon holds for two minutes more, in which both shapes claim the GPU
    assert found["pod-1", "effective"] == pytest.approx(12.5 * 3600, abs=90)
    assert found["pod-2", "effective"] == pytest.approx(11.5 * 3600, abs=90)
