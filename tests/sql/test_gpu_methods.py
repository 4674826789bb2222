"""What is known of single GPUs, worked out by hand or simulated second by second: states, holders, slices, identity."""

import csv
import gzip
import math
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from models.allocation import largest_remainder
from models.gpu_types import gpu_types
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import (
    MIDNIGHT,
    Row,
    allocation,
    at,
    billed,
    billed_day,
    built,
    holder,
    sample,
    samples,
    seconds,
    sighting,
    states,
)

DAY = 86400
CLUSTER = Path(__file__).resolve().parents[2] / "../shared/data/simulated_gpu_cluster"


def test_a_run_that_is_cut_into_pieces_leaves_as_many_seconds_unfilled(duckdb_engine: DuckDBEngine) -> None:
    # 61 minutes with 7 seconds in 60 below full activity: cut every 7 minutes by a holder that comes and goes elsewhere
    beside = [allocation(n / 60, (n + 1) / 60, gpu_uuid="GPU-z", pod=f"p-{n}") for n in range(0, 60, 7)]
    run = {
        "usage_date": at(0).date(),
        "cluster": "prod",
        "hostname": "node-1",
        "gpu_uuid": "GPU-a",
        "gpu_instance_id": "",
        "mig_profile": "",
        "gpu_index": None,
        "gpu_model_name": None,
        "tells_holders": True,
        "holders": "search/pod-1",
        "activity_state": "busy",
        "metric_used": "m",
        "started_at": at(0),
        "ended_at": at(1),
        "unfilled_seconds": 3599,
        "unfilled_ppm_seconds": 3599 * 999_983,
    }
    rows = built(duckdb_engine, "gpu_pieces", gpu_runs=[run], gpu_allocations=beside)
    own = [row for row in rows if row["gpu_uuid"] == "GPU-a"]
    assert len(own) > 15
    assert sum(row["unfilled_seconds"] for row in own) == 3599
    assert sum(row["unfilled_ppm_seconds"] for row in own) == 3599 * 999_983
    assert all(row["unfilled_seconds"] <= row["end_second"] - row["start_second"] for row in own)


def test_a_square_wave_of_half_its_time_is_idle_for_exactly_half(duckdb_engine: DuckDBEngine) -> None:
    wave = [row for n in range(0, 24, 2) for row in (*samples(n, n + 1, sm_active_ratio=0.9), *samples(n + 1, n + 2))]
    rows = states(
        duckdb_engine, [row | {"sm_active_ratio": row.get("sm_active_ratio", 0.0)} for row in wave], billed_day()
    )
    # the last sample of the day holds for three minutes, of which two fall into the next day
    assert seconds(rows, "state") == {"effective": DAY // 2, "allocated_idle": DAY // 2}


def test_a_gap_of_two_hours_is_7200_unknown_seconds_but_for_what_the_last_sample_holds(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [*samples(0, 10, sm_active_ratio=0.9), *samples(12, 24, sm_active_ratio=0.9)],
        billed_day(),
    )
    # the sample before the gap holds for three times its minute, one of which it had anyhow
    assert seconds(rows, "state") == {"unknown": 7200 - 120, "effective": DAY - 7200 + 120}
    assert sum(row["observed_seconds"] for row in rows) == DAY - 7080


def test_ten_silent_hours_are_unknown_and_name_their_holder_where_the_scheduler_does(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        [*samples(0, 4, sm_active_ratio=0.9), *samples(14, 24, sm_active_ratio=0.9)],
        billed_day(),
        gpu_allocations=[allocation(0, 24)],
    )
    assert seconds(rows, "state", "pod", "holder_source") == {
        ("effective", "pod-1", "exporter_label"): DAY - 36000 + 120,
        ("unknown", "pod-1", "exporter_label"): 36000 - 120,
    }


def test_full_utilisation_with_one_busy_sm_is_under_used_by_99_percent_and_not_idle(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(duckdb_engine, samples(0, 24, sm_active_ratio=0.0076, gpu_util_ratio=1.0), billed_day())
    assert seconds(rows, "state") == {"under_used": DAY}
    # 1 - 0.0076 / 0.8 = 0.9905: 3565.8 seconds of each hour
    assert sum(row["under_used_seconds"] for row in rows) == 24 * 3566


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
    assert [f"{float(amount):.4f}" for amount in (sum(dollars.values()) - dollars[""], dollars[""])] == [
        "7.7143",
        "64.2857",
    ]
    rows = states(duckdb_engine, [], billed_day(), **given)
    held = seconds(rows, "namespace")
    assert sum(held.values()) == DAY
    # whole seconds by largest remainder: each hour within a second of the exact one
    for name, amount in dollars.items():
        assert held[name] == pytest.approx(float(amount) * 1200, abs=8)


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
                gr_engine_active_ratio=0.9,
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
    before = samples(0, 12.5, gpu_instance_id="1", mig_profile="7g.80gb", gr_engine_active_ratio=0.9)
    after = [
        row
        for instance in range(2, 9)
        for row in samples(
            12.5, 24.01, gpu_instance_id=str(instance), mig_profile="1g.10gb", gr_engine_active_ratio=0.9, pod="pod-2"
        )
    ]
    found = seconds(states(duckdb_engine, before + after, billed_day()), "pod", "state")
    assert sum(found.values()) == DAY
    # the last sample before noon holds for two minutes more, in which both shapes claim the GPU
    assert found["pod-1", "effective"] == pytest.approx(12.5 * 3600, abs=90)
    assert found["pod-2", "effective"] == pytest.approx(11.5 * 3600, abs=90)


def test_an_exchanged_gpu_and_its_successor_are_one_billed_gpu(duckdb_engine: DuckDBEngine) -> None:
    old = samples(0, 12, gpu_uuid="GPU-old", gpu_index=0, sm_active_ratio=0.9)
    new = samples(12.5, 24.01, gpu_uuid="GPU-new", gpu_index=0, sm_active_ratio=0.9)
    rows = states(duckdb_engine, old + new, billed_day())
    known = seconds(rows, "state")
    assert known == {"effective": DAY - 1800 + 120, "unknown": 1800 - 120}
    assert {row["gpu_uuid"] for row in rows if row["state"] == "effective"} == {"GPU-old", "GPU-new"}


def test_repeated_and_disordered_samples_count_once(duckdb_engine: DuckDBEngine) -> None:
    day = samples(0, 24.01, sm_active_ratio=0.9)
    shuffled = [*day, *day[100:700], *(row | {"x_row": 2} for row in day[300:400])]
    random.Random(5).shuffle(shuffled)
    assert seconds(states(duckdb_engine, shuffled, billed_day()), "state") == {"effective": DAY}


def test_blank_metrics_are_unknown_and_neither_idle_nor_busy(duckdb_engine: DuckDBEngine) -> None:
    # what a connector makes of a sentinel or of 127 percent is NULL
    assert seconds(states(duckdb_engine, samples(0, 24.01), billed_day()), "state", "metric_used") == {
        ("unknown", None): DAY
    }


def test_a_video_engine_at_work_is_activity(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, samples(0, 24.01, dram_active_ratio=0.0, encoder_active_ratio=0.4), billed_day())
    assert seconds(rows, "state") == {"under_used": DAY}
    assert sum(row["under_used_seconds"] for row in rows) == DAY // 2


def square(second: int) -> bool:
    return (second // 1800) % 2 == 0


def bursts(second: int) -> bool:
    drawn = random.Random(second // 1200)
    return drawn.random() < 0.4


@pytest.mark.parametrize("is_busy", [square, bursts])
def test_idle_fractions_at_a_minute_are_within_a_hundredth_of_the_truth(
    duckdb_engine: DuckDBEngine, is_busy: Callable[[int], bool]
) -> None:
    # twelve GPUs whose minutes begin at other seconds, with two silent hours that nobody is asked about
    errors: list[float] = []
    rows: list[Row] = []
    for gpu in range(12):
        for second in range(5 * gpu, DAY, 60):
            if not 36000 <= second < 43200:
                ratio = 0.9 if is_busy(second + 977 * gpu) else 0.0
                rows.append(
                    sample(MIDNIGHT + timedelta(seconds=second), gpu_uuid=f"GPU-{gpu:02}", sm_active_ratio=ratio)
                )
    found = seconds(states(duckdb_engine, rows, billed_day(gpu_count=12)), "gpu_uuid", "state")
    for gpu in range(12):
        truth = idle_truth([is_busy(second + 977 * gpu) for second in range(DAY)])
        asked = [idle for second, idle in enumerate(truth) if not 36000 <= second < 43200]
        uuid = f"GPU-{gpu:02}"
        known = DAY - found[uuid, "unknown"]
        errors.append(found[uuid, "allocated_idle"] / known - sum(asked) / len(asked))
    assert math.sqrt(sum(error**2 for error in errors) / len(errors)) < 0.01


def idle_truth(busy: list[bool]) -> list[bool]:
    """Which seconds lie in a lull of at least 15 minutes."""
    idle = [False] * len(busy)
    start = 0
    for second in range(1, len(busy) + 1):
        if second == len(busy) or busy[second] != busy[start]:
            if not busy[start] and second - start >= 900:
                idle[start:second] = [True] * (second - start)
            start = second
    return idle


def test_training_may_rest_for_half_an_hour_and_a_service_for_a_quarter(duckdb_engine: DuckDBEngine) -> None:
    lull = [
        *samples(0, 2, sm_active_ratio=0.9),
        *samples(2, 2.4, sm_active_ratio=0.0),
        *samples(2.4, 24.01, sm_active_ratio=0.9),
    ]
    service = states(duckdb_engine, lull, billed_day())
    job = [allocation(0, 24, workload_kind="PyTorchJob", workload_name="train")]
    training = states(duckdb_engine, lull, billed_day(), gpu_allocations=job)
    assert seconds(service, "state") == {"effective": DAY - 1440, "allocated_idle": 1440}
    assert seconds(training, "state") == {"effective": DAY - 1440, "under_used": 1440}


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
        ("GPU-b", "unallocated", "none"): DAY // 2,
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
        gpu_allocations=[allocation(1.25, 2.75, gpu_uuid="GPU-a")],
    )
    assert seconds(rows, "state", "holder_source") == {
        ("allocated_idle", "allocation_gpu"): 5400,
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


def test_bill_lines_find_their_node_by_what_nodes_say_of_themselves(duckdb_engine: DuckDBEngine) -> None:
    line = {"charge_category": "Usage", "charge_period_start": at(0), "charge_period_end": at(24)}
    group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute"
    machine = f"{group}/virtualMachineScaleSets/set/virtualMachines/3".lower()
    rows = built(
        duckdb_engine,
        "gpu_billed_hours",
        charges=[
            line | {"resource_id": "arn:aws:ec2:us-east-1:1:instance/i-1"},
            line
            | {"resource_id": "//compute.googleapis.com/projects/p/zones/z/instances/gke-1", "sub_account_id": "p"},
            line
            | {"resource_id": "//compute.googleapis.com/projects/q/zones/z/instances/gke-1", "sub_account_id": "q"},
            line | {"resource_id": f"{group}/virtualMachineScaleSets/set/virtualMachines/3"},
            line | {"resource_id": "bucket"},
        ],
        node_sightings=[
            sighting(1, 24, gpu_count=8),
            sighting(0, 24, hostname="gke-1", provider_id="gce://p/z/gke-1", instance_id="gke-1", gpu_count=4),
            sighting(0, 24, hostname="aks-1", provider_id=f"azure://{machine}", instance_id=machine, gpu_count=2),
        ],
    )
    found = Counter((row["resource_id"].rpartition("/")[2], row["hostname"], row["gpu_count"]) for row in rows)
    assert found == {("i-1", "node-1", 8): 24, ("gke-1", "gke-1", 4): 24, ("3", "aks-1", 2): 24}
    assert not [row for row in rows if "projects/q" in row["resource_id"]]


def test_one_type_of_gpu_has_one_name_whether_driver_label_or_register_names_it(duckdb_engine: DuckDBEngine) -> None:
    given = {
        "host_identity": [
            {
                "resource_id": "i-2",
                "cluster": "prod",
                "hostname": "node-2",
                "gpu_count": 8,
                "valid_from": at(-24),
                "valid_to": at(48),
                "gpu_model_name": "nvidia-h100-80gb",
            }
        ],
        "node_sightings": [
            sighting(0, 24, gpu_count=8, gpu_model_name="NVIDIA-H100-80GB-HBM3"),
            sighting(0, 24, hostname="node-3", instance_id="i-3", gpu_count=8, gpu_model_name="NVIDIA-X900-SXM9"),
        ],
        "gpu_types": [{"name_key": key, "gpu_type": name} for key, name in gpu_types().items()],
    }
    hosts = {row["hostname"]: row["gpu_model_name"] for row in built(duckdb_engine, "gpu_hosts", **given)}
    told = [
        sample(at(0), gpu_model_name="NVIDIA H100 80GB HBM3"),
        sample(at(0), gpu_uuid="x", gpu_model_name="NVIDIA X900-SXM9"),
    ]
    runs = {
        row["gpu_uuid"]: row["gpu_model_name"] for row in built(duckdb_engine, "gpu_runs", gpu_samples=told, **given)
    }
    h100, unknown = "NVIDIA H100 80GB HBM3", "NVIDIA X900 SXM9"
    assert hosts == {"node-1": h100, "node-2": h100, "node-3": unknown}
    assert runs == {"GPU-a": h100, "x": unknown}


def test_a_machine_that_google_bills_by_number_is_the_node_of_its_name_project_and_zone(
    duckdb_engine: DuckDBEngine,
) -> None:
    start = "//compute.googleapis.com/projects/100/zones"
    line = {"charge_category": "Usage", "charge_period_start": at(0), "charge_period_end": at(1)}
    named = line | {"sub_account_id": "p", "resource_name": "gke-1", "availability_zone": "us-central1-a"}
    rows = built(
        duckdb_engine,
        "gpu_billed_hours",
        charges=[
            named | {"resource_id": f"{start}/us-central1-a/instance/7001"},
            # the zone stands in the id, too
            named | {"resource_id": f"{start}/us-central1-a/instances/7002", "availability_zone": None},
            # another zone, another project, no project, no name: nothing says that it is this node
            named | {"resource_id": f"{start}/us-central1-b/instance/7003", "availability_zone": "us-central1-b"},
            named | {"resource_id": f"{start}/us-central1-a/instance/7004", "sub_account_id": "q"},
            named | {"resource_id": f"{start}/us-central1-a/instance/7005", "sub_account_id": None},
            named | {"resource_id": f"{start}/us-central1-a/instance/7006", "resource_name": None},
            # a name is no identity where the bill is not Google's
            named | {"resource_id": "arn:aws:ec2:us-east-1:1:instance/i-7"},
        ],
        node_sightings=[
            sighting(0, 24, hostname=host, provider_id=f"gce://p/{zone}/gke-1", instance_id="gke-1", gpu_count=8)
            for host, zone in (("node-a", "us-central1-a"), ("node-c", "us-central1-c"))
        ],
    )
    assert {(row["resource_id"][-4:], row["hostname"]) for row in rows} == {("7001", "node-a"), ("7002", "node-a")}


def test_lines_of_a_scale_set_are_those_of_its_machines_while_they_were_seen(duckdb_engine: DuckDBEngine) -> None:
    scale_set = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachinescalesets/set"
    line = {"charge_category": "Usage", "charge_period_start": at(0), "charge_period_end": at(2)}
    rows = built(
        duckdb_engine,
        "gpu_billed_hours",
        charges=[
            line | {"resource_id": scale_set},
            # a machine whose own line there is does not share in those of the set
            line | {"resource_id": f"{scale_set}/virtualmachines/4", "charge_period_start": at(1)},
        ],
        node_sightings=[
            sighting(0, 24, hostname="aks-1", instance_id=f"{scale_set}/virtualmachines/1", gpu_count=1),
            sighting(0.5, 1.25, hostname="aks-2", instance_id=f"{scale_set}/virtualmachines/2", gpu_count=1),
            sighting(0, 24, hostname="aks-4", instance_id=f"{scale_set}/virtualmachines/4", gpu_count=1),
        ],
    )
    found = {
        (row["resource_id"].rpartition("/")[2], row["hostname"], row["hour_start"].hour): row["billed_seconds"]
        for row in rows
    }
    assert found == {
        ("set", "aks-1", 0): 3600,
        ("set", "aks-1", 1): 3600,
        ("set", "aks-2", 0): 1800,
        ("set", "aks-2", 1): 900,
        ("set", "aks-4", 0): 3600,
        ("4", "aks-4", 1): 3600,
    }


def test_metrics_of_a_cloud_join_their_host_and_call_nothing_free_that_works(duckdb_engine: DuckDBEngine) -> None:
    told = {"hostname": None, "instance_id": "i-1", "gpu_uuid": "i-1/0", **holder(is_held=False)}
    rows = states(
        duckdb_engine,
        [
            *samples(0, 12, every=300, gr_engine_active_ratio=0.9, **told),
            *samples(12, 24.1, every=300, gr_engine_active_ratio=0.0, **told),
        ],
        billed_day(),
        host_identity=[
            {
                "resource_id": "i-1",
                "hostname": "node-1",
                "cluster": "prod",
                "gpu_count": 1,
                "valid_from": at(-1000),
                "valid_to": at(1000),
            }
        ],
    )
    assert seconds(rows, "state") == {"effective": DAY // 2, "unallocated": DAY // 2}


def test_the_simulated_cluster_is_what_its_description_says(duckdb_engine: DuckDBEngine) -> None:
    file = CLUSTER / "openshift_gpu_usage_2026-08.csv.gz"
    if not file.exists():
        pytest.skip(f"the simulated cluster is not at {file}")
    held, hours = [], []
    with gzip.open(file, "rt") as lines:
        for row in csv.DictReader(lines):
            start = MIDNIGHT.fromisoformat(row["interval_start"][:19])
            held.append(
                allocation(0, 1, hostname=row["node"], namespace=row["namespace"], pod=row["pod"])
                | {"started_at": start, "ended_at": start + timedelta(seconds=int(row["gpu_pod_uptime"]))}
                | {"allocation_date": start.date(), "gpu_uuid": row["gpu_uuid"]}
                | {"gpu_instance_id": row["mig_instance_id"], "mig_profile": row["mig_profile"] or None}
            )
            hours.append(start)
    first, last = min(hours), max(hours)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = states(
        duckdb_engine,
        [],
        [row for day in days for row in billed_day(8, day.date(), hostname="gpu-node-1", resource_id="i-77777771")],
        gpu_allocations=held,
        node_sightings=[
            sighting(0, 24, hostname="gpu-node-1")
            | {"sighting_date": day.date(), "seen_from": day, "seen_to": day + timedelta(days=1)}
            for day in days
        ],
    )
    week = 7 * DAY
    found = seconds(rows, "namespace", "state")
    # four whole GPUs; three slices and one of seven; a third of every hour; two GPUs that nobody was ever given
    assert found["assistant", "unknown"] == 4 * week
    assert found["catalog", "unknown"] == pytest.approx(week * 4 / 7, abs=168)
    assert found["research", "unknown"] == week // 3
    assert (
        found["", "unallocated"] == 8 * week - found["assistant", "unknown"] - found["catalog", "unknown"] - week // 3
    )
    stranded = [row for row in rows if row["metric_used"] == "mig_profile"]
    assert sum(row["state_seconds"] for row in stranded) == pytest.approx(week * 3 / 7, abs=168)
    assert sum(found.values()) == 8 * week


def test_a_node_that_was_billed_and_never_seen_is_unobserved_and_one_seen_and_not_billed_is_told(
    duckdb_engine: DuckDBEngine,
) -> None:
    given = {
        "gpu_samples": samples(0, 1, hostname="node-2", sm_active_ratio=0.9),
        "gpu_billed_hours": [billed(at(0), 8)],
    }
    rows = built(duckdb_engine, "gpu_states_hourly", **given)
    assert seconds(rows, "gpu_uuid", "state") == {("unobserved", "unknown"): 8 * 3600}
    unbilled = built(duckdb_engine, "gpu_unbilled", **given)
    assert [
        (row["hostname"], row["state"], row["gpu_seconds"])
        for row in sorted(unbilled, key=lambda row: row["hour_start"])
    ] == [
        ("node-2", "in_use", 3600),
        ("node-2", "in_use", 120),
    ]
