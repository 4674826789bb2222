"""Which machine a GPU is in and which bill pays for it: names, types, scale sets, a whole simulated cluster."""

import csv
import gzip
from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from pipelines.engines.duckdb_engine import DuckDBEngine
from pipelines.gpu_types import gpu_types
from tests.sql.gpu_rows import (
    MIDNIGHT,
    allocation,
    at,
    billed,
    billed_day,
    built,
    holder,
    paid_by_namespace,
    sample,
    samples,
    seconds,
    sighting,
    states,
)

DAY = 86400
CLUSTER = Path(__file__).resolve().parents[2] / "../shared/data/simulated_gpu_cluster"


def test_an_exchanged_gpu_and_its_successor_are_one_billed_gpu(duckdb_engine: DuckDBEngine) -> None:
    old = samples(0, 12, gpu_uuid="GPU-old", gpu_index=0, sm_active_ratio=0.9)
    new = samples(12.5, 24.01, gpu_uuid="GPU-new", gpu_index=0, sm_active_ratio=0.9)
    rows = states(duckdb_engine, old + new, billed_day())
    known = seconds(rows, "state")
    assert known == {"effective": DAY - 1800 + 120, "unknown": 1800 - 120}
    assert {row["gpu_uuid"] for row in rows if row["state"] == "effective"} == {"GPU-old", "GPU-new"}


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


def test_two_machines_with_one_last_name_are_two_and_a_disk_is_none(duckdb_engine: DuckDBEngine) -> None:
    group = "/subscriptions/s/resourceGroups/{}/providers/Microsoft.Compute"
    line = {"charge_category": "Usage", "charge_period_start": at(0), "charge_period_end": at(1)}
    entry = {"hostname": "gpu-1", "gpu_count": 8, "valid_from": at(-10000), "valid_to": at(10000)}
    machines = {name: f"{group.format(name)}/virtualMachines/gpu-1" for name in ("prod", "dev")}
    named = line | {"sub_account_id": "p", "availability_zone": "z-a", "resource_name": "gke-1"}
    google = "//compute.googleapis.com/projects/100/zones/z-a"
    rows = built(
        duckdb_engine,
        "gpu_billed_hours",
        charges=[
            *(line | {"resource_id": name} for name in machines.values()),
            line | {"resource_id": f"{group.format('prod')}/disks/gpu-1"},
            line | {"resource_id": f"{group.format('other')}/virtualMachines/gpu-1"},
            # a machine of Google Cloud and its boot disk have one name
            named | {"resource_id": f"{google}/instances/7001"},
            named | {"resource_id": f"{google}/disks/9001"},
        ],
        host_identity=[entry | {"resource_id": name, "cluster": cluster} for cluster, name in machines.items()],
        node_sightings=[
            sighting(0, 24, hostname="node-a", provider_id="gce://p/z-a/gke-1", instance_id="gke-1", gpu_count=8)
        ],
    )
    found = sorted((row["resource_id"][-30:], row["cluster"], row["hostname"]) for row in rows)
    assert found == sorted(
        [
            (f"{google}/instances/7001"[-30:], "prod", "node-a"),
            *((name[-30:], cluster, "gpu-1") for cluster, name in machines.items()),
        ]
    )


def test_what_nodes_say_counts_before_the_register_of_a_machine_begins(duckdb_engine: DuckDBEngine) -> None:
    line = {"charge_category": "Usage", "charge_period_start": at(0), "charge_period_end": at(24), "resource_id": "i-1"}
    entry = {"resource_id": "i-1", "hostname": "node-1", "cluster": "prod", "gpu_count": 1}
    rows = built(
        duckdb_engine,
        "gpu_billed_hours",
        charges=[line],
        host_identity=[entry | {"valid_from": at(24), "valid_to": at(10000)}],
        node_sightings=[sighting(0, 24, gpu_count=1)],
    )
    assert sum(row["billed_seconds"] for row in rows) == DAY


def test_the_day_on_which_an_entry_ends_is_the_next_one_s(duckdb_engine: DuckDBEngine) -> None:
    entries = [
        {
            "resource_id": "i-1",
            "hostname": host,
            "cluster": "prod",
            "gpu_count": 1,
            "valid_from": start,
            "valid_to": end,
        }
        for host, start, end in (("node-old", at(-10000), at(0)), ("zz-new", at(0), at(10000)))
    ]
    given = samples(0, 24, instance_id="i-1", hostname=None, tells_holders=False, **holder(is_held=False))
    rows = built(duckdb_engine, "gpu_runs", gpu_samples=given, host_identity=entries)
    assert {row["hostname"] for row in rows} == {"zz-new"}


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
            *samples(0, 12, every=300, sm_active_ratio=0.9, **told),
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
            # as a cluster tells it: the node and the profile, of no GPU and no instance which it was
            held.append(
                allocation(0, 1, hostname=row["node"], namespace=row["namespace"], pod=row["pod"])
                | {"started_at": start, "ended_at": start + timedelta(seconds=int(row["gpu_pod_uptime"]))}
                | {"allocation_date": start.date(), "mig_profile": row["mig_profile"] or None}
                | {"container": f"{row['gpu_uuid']}/{row['mig_instance_id']}"}
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
    told = told_gpus(CLUSTER / "openshift_ground_truth.yml")
    whole_hours = 24 * len(days)
    for name, gpus in told.items():
        found = sum(row["state_microseconds"] for row in rows if row["namespace"] == name)
        assert abs(found - gpus * 3_600_000_000 * whole_hours) <= whole_hours  # a microsecond of each hour
    assert sum(row["state_seconds"] for row in rows) == 8 * 3600 * whole_hours
    assert {(row["namespace"] != "", row["state"]) for row in rows} == {(True, "unknown"), (False, "unallocated")}
    # eight GPUs at $3 an hour
    paid = paid_by_namespace(rows, cost_of_a_day=str(8 * 3 * 24))
    assert sum(paid.values()) == 8 * 3 * whole_hours
    free = 8 - sum(told.values())
    for name, gpus in {**told, "": free}.items():
        assert abs(Fraction(paid[name]) - gpus * 3 * whole_hours) < Fraction(1, 1000)


def told_gpus(description: Path) -> dict[str, Fraction]:
    """How many GPUs each namespace holds on average, as the cluster's description asks for them."""
    (cluster,) = (one["OCPGenerator"] for one in yaml.safe_load(description.read_text("utf-8"))["generators"])
    told: defaultdict[str, Fraction] = defaultdict(Fraction)
    for node in cluster["nodes"]:
        for namespace, held in node["namespaces"].items():
            for pod in held["pods"]:
                for gpu in pod["gpus"]:
                    slices = [int(one["mig_profile"][0]) for one in gpu.get("mig_instances", ())]
                    told[namespace] += Fraction(sum(slices) or 7, 7) * Fraction(pod["pod_seconds"], 3600)
    return dict(told)


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
