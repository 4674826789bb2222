"""What several sources say of GPUs: who sees holders, whose metrics count, which host and which holder one name means."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from connectors.aws import gpu_dimensions
from connectors.azure.gpu_sets import SETS
from connectors.azure.gpu_settings import AzureGpuMetricsSettings
from connectors.gcp import gpu_answers
from connectors.gcp.gpu_families import ASKED
from pipelines.engines.duckdb_engine import DuckDBEngine
from tests.sql.gpu_rows import (
    Row,
    allocation,
    at,
    billed,
    billed_day,
    holder,
    samples,
    seconds,
    sighting,
    states,
)

DAY = 86400
MACHINE = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/i-1"


def aws() -> Row:
    """What names a GPU in CloudWatch: the agent calls the machine by its private name."""
    dimensions = {"InstanceId": "i-1", "host": "ip-10-0-0-7", "index": "0", "name": "NVIDIA L4"}
    series = gpu_dimensions.described_series(
        {
            "MetricName": "nvidia_smi_utilization_gpu",
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        },
        (),
    )
    assert series is not None
    return {**series.gpu._asdict(), **series.place._asdict()}


def azure() -> Row:
    """What names a GPU in Azure Monitor: Telegraf's name of the host."""
    settings = AzureGpuMetricsSettings.model_construct(namespace="azure-ml")
    gpu, place = SETS["telegraf"].whose(settings, MACHINE, {"host": "ip-10-0-0-7", "index": "0"})
    return {**gpu._asdict(), **place._asdict()}


def gcp() -> Row:
    """What names a GPU of the Ops Agent: the machine's name stands for both."""
    asked = ASKED["agent.googleapis.com/gpu/utilization"]
    gpu, place = gpu_answers._whose(asked, {"instance_id": "7184", "name": "i-1", "gpu_number": "0"})  # pyright: ignore[reportPrivateUsage]
    return {**gpu._asdict(), **place._asdict()}


CLOUDS: dict[str, dict[str, Any]] = {"aws": aws(), "azure": azure(), "gcp": gcp()}


def node(cloud: str) -> list[Row]:
    """The node's own word of which machine it is."""
    return [sighting(0, 24, gpu_count=1, instance_id=MACHINE if cloud == "azure" else "i-1")]


def of_cloud(cloud: str, start: float, end: float, **given: Any) -> list[Row]:
    """Samples as a cloud's connector makes them, under the cloud's account."""
    return samples(start, end, x_source=cloud, cluster=f"{cloud}-account", **CLOUDS[cloud], **given)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_s_metrics_are_of_the_node_that_its_machine_is_and_of_whom_the_scheduler_gave_it_to(
    cloud: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        [*of_cloud(cloud, 0, 12, gpu_util_ratio=0.0), *of_cloud(cloud, 12, 24.01, gpu_util_ratio=0.95)],
        billed_day(),
        node_sightings=node(cloud),
        gpu_allocations=[allocation(0, 24)],
    )
    assert seconds(rows, "hostname", "namespace", "state") == {
        ("node-1", "search", "allocated_idle"): DAY // 2,
        ("node-1", "search", "unknown"): DAY // 2,  # utilisation can prove idleness and nothing else
    }


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_cloud_s_metrics_count_a_gpu_once_that_an_exporter_reports_too(
    cloud: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        [*samples(0, 24.01, sm_active_ratio=0.9), *of_cloud(cloud, 0, 24.01, gpu_util_ratio=0.95)],
        billed_day(),
        node_sightings=node(cloud),
    )
    assert seconds(rows, "gpu_uuid", "state") == {("GPU-a", "effective"): DAY}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(("ratio", "state"), [(0.95, "effective"), (0.0, "unknown")])
def test_a_source_that_never_names_a_holder_calls_nothing_free(
    ratio: float, state: str, cloud: str, duckdb_engine: DuckDBEngine
) -> None:
    told = {**CLOUDS[cloud], "hostname": "node-1", "instance_id": None}
    given = [row | told for row in samples(0, 24.01, sm_active_ratio=ratio)]
    rows = states(duckdb_engine, given, billed_day())
    assert seconds(rows, "state", "namespace") == {(state, ""): DAY}


def nobody(tells_holders: bool | None, ratio: float, **given: Any) -> list[Row]:
    """A day of a GPU of which no sample names a holder."""
    return samples(0, 24.01, sm_active_ratio=ratio, tells_holders=tells_holders, **holder(is_held=False), **given)


@pytest.mark.parametrize(
    ("tells_holders", "beside", "state"),
    [
        (True, (), "unallocated"),
        (None, (), "unknown"),
        (None, samples(0, 1, gpu_uuid="GPU-z", hostname="node-9", tells_holders=None), "unallocated"),
        (False, samples(0, 1, gpu_uuid="GPU-z", hostname="node-9", tells_holders=None), "unknown"),
    ],
    ids=["it sees holders", "it may not", "it names another one", "it never does"],
)
def test_only_a_source_that_tells_holders_calls_an_idle_gpu_free(
    tells_holders: bool | None, beside: Iterable[Row], state: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(duckdb_engine, [*nobody(tells_holders, 0.0), *beside], billed_day())
    assert seconds(rows, "state") == {state: DAY}


@pytest.mark.parametrize("tells_holders", [True, None, False])
def test_a_gpu_that_works_is_in_use_though_nobody_is_named(
    tells_holders: bool | None, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(duckdb_engine, nobody(tells_holders, 0.95), billed_day(), node_sightings=[sighting(0, 24)])
    assert seconds(rows, "state", "namespace", "holder_source") == {("effective", "", "none"): DAY}


def test_a_scheduler_that_gave_a_gpu_to_nobody_calls_it_free(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, nobody(None, 0.0), billed_day(), gpu_allocations=[allocation(0, 24, hostname="n-2")])
    assert seconds(rows, "state") == {"unallocated": DAY}


def test_a_job_without_a_node_may_hold_any_gpu_of_its_cluster(duckdb_engine: DuckDBEngine) -> None:
    job = allocation(6, 18, hostname="", holder_kind="job", pod="42", namespace="research", allocated_gpus="8")
    rows = states(duckdb_engine, nobody(True, 0.0), billed_day(), gpu_allocations=[job])
    assert seconds(rows, "state", "namespace") == {("unallocated", ""): DAY // 2, ("unknown", ""): DAY // 2}


@pytest.mark.parametrize(
    ("exporter", "scheduler", "known"),
    [
        ("gpu01.hpc.example.com", "gpu01", "gpu01.hpc.example.com"),
        ("gpu01", "gpu01.hpc.example.com", "gpu01"),
        ("gpu01.hpc.example.com", "gpu01", "gpu01"),
    ],
)
def test_a_short_and_a_full_name_of_one_cluster_are_one_host(
    exporter: str, scheduler: str, known: str, duckdb_engine: DuckDBEngine
) -> None:
    rows = states(
        duckdb_engine,
        nobody(None, 0.95, hostname=exporter),
        billed_day(hostname=known),
        gpu_allocations=[allocation(0, 24, hostname=scheduler, holder_kind="job", pod="42", namespace="research")],
        host_identity=[
            {
                "resource_id": "i-1",
                "hostname": known,
                "cluster": "prod",
                "gpu_count": 1,
                "valid_from": at(-1000),
                "valid_to": at(1000),
            }
        ],
    )
    assert seconds(rows, "hostname", "state", "namespace") == {(known, "effective", "research"): DAY}


def test_a_short_name_of_two_hosts_is_neither(duckdb_engine: DuckDBEngine) -> None:
    rows = states(
        duckdb_engine,
        [
            *nobody(None, 0.95, hostname="gpu01.hpc.example.com"),
            *nobody(None, 0.95, hostname="gpu01.lab.example.com", gpu_uuid="GPU-b"),
        ],
        billed_day(hostname="gpu01.hpc.example.com"),
        gpu_allocations=[allocation(0, 24, hostname="gpu01", holder_kind="job", pod="42", namespace="research")],
    )
    assert seconds(rows, "state", "namespace") == {("effective", ""): DAY}


UID = "11111111-2222-3333-4444-555555555555"


def test_a_pod_that_a_sampler_knows_by_its_uid_is_the_pod_that_the_scheduler_says(
    duckdb_engine: DuckDBEngine,
) -> None:
    rows = states(
        duckdb_engine,
        samples(0, 12, sm_active_ratio=0.95, namespace="unnamed-pods", pod=UID),
        billed_day(),
        gpu_allocations=[allocation(0, 24, allocation_id=UID, namespace="chat", pod="vllm-0")],
        node_sightings=[sighting(0, 24)],
    )
    # after the samples the scheduler's interval goes on
    assert seconds(rows, "state", "namespace", "pod", "holder_source") == {
        ("effective", "chat", "vllm-0", "exporter_label"): DAY // 2 + 120,
        ("unknown", "chat", "vllm-0", "exporter_label"): DAY // 2 - 120,
    }


def test_an_idle_gpu_whose_pod_two_samplers_name_differently_idles_without_a_break(
    duckdb_engine: DuckDBEngine,
) -> None:
    exporter = samples(0, 24.01, sm_active_ratio=0.0)
    sampler = [
        row | {"sampled_at": row["sampled_at"].replace(second=30)}
        for row in samples(0, 24, sm_active_ratio=0.0, namespace="unnamed-pods", pod=UID, x_source="nvml")
    ]
    rows = states(
        duckdb_engine,
        [*exporter, *sampler],
        billed_day(),
        gpu_allocations=[allocation(0, 24, allocation_id=UID)],
    )
    assert seconds(rows, "state", "namespace", "pod") == {("allocated_idle", "search", "pod-1"): DAY}


def by_uid(start: float, end: float, uid: str = UID, **given: Any) -> list[Row]:
    """What a sampler of processes sees half a minute after the exporter."""
    return [
        row | {"sampled_at": row["sampled_at"].replace(second=30)}
        for row in samples(start, end, namespace="unnamed-pods", pod=uid, x_source="nvml", **given)
    ]


def test_without_a_scheduler_a_uid_is_the_pod_that_the_exporter_names_on_the_same_gpus(
    duckdb_engine: DuckDBEngine,
) -> None:
    """Two pods one after the other on two GPUs; where the exporter is silent the uid still has the name."""
    after = UID.replace("1", "9")
    rows = states(
        duckdb_engine,
        [
            row
            for gpu in ("GPU-a", "GPU-b")
            for row in (
                *samples(0, 10, sm_active_ratio=0.95, gpu_uuid=gpu),
                *by_uid(0, 12, sm_active_ratio=0.95, gpu_uuid=gpu),
                *samples(12, 24.01, sm_active_ratio=0.95, gpu_uuid=gpu, pod="pod-2"),
                *by_uid(12, 24, after, sm_active_ratio=0.95, gpu_uuid=gpu),
            )
        ],
        billed_day(2),
    )
    assert seconds(rows, "namespace", "pod", "is_time_sliced") == {
        ("search", "pod-1", False): DAY,
        ("search", "pod-2", False): DAY,
    }


def test_of_two_pods_that_share_a_gpu_all_day_no_uid_is_given_a_name(duckdb_engine: DuckDBEngine) -> None:
    other = UID.replace("1", "9")
    rows = states(
        duckdb_engine,
        [
            *samples(0, 24.01, sm_active_ratio=0.95),
            *samples(0, 24.01, sm_active_ratio=0.95, pod="pod-2"),
            *by_uid(0, 24, sm_active_ratio=0.95),
            *by_uid(0, 24, other, sm_active_ratio=0.95),
        ],
        billed_day(),
    )
    assert {row["pod"] for row in rows} == {"pod-1", "pod-2", UID, other}


def test_a_comma_in_a_label_makes_no_second_holder(duckdb_engine: DuckDBEngine) -> None:
    rows = states(duckdb_engine, samples(0, 24.01, sm_active_ratio=0.9, pod="pod-1,victim/pod-9"), billed_day())
    assert seconds(rows, "namespace", "pod", "share_basis") == {("search", "pod-1%2Cvictim/pod-9", "whole"): DAY}


@pytest.mark.parametrize("ratio", [0.01, 0.9])
def test_an_exporter_that_names_nobody_all_day_takes_no_time_from_who_is_named_beside_it(
    ratio: float, duckdb_engine: DuckDBEngine
) -> None:
    """A sampler that names pods, and an exporter half a minute later that is not set up to."""
    named = samples(0, 4, x_source="sampler", tells_holders=True, sm_active_ratio=ratio)
    nameless = [
        row | {"x_source": "exporter", "tells_holders": None, "sampled_at": row["sampled_at"] + timedelta(seconds=30)}
        for row in samples(0, 4, sm_active_ratio=ratio, **holder(is_held=False))
    ]
    rows = states(duckdb_engine, named + nameless, [billed(at(hour)) for hour in range(4)])
    assert seconds(rows, "state", "pod") == {("allocated_idle" if ratio < 0.05 else "effective", "pod-1"): 4 * 3600}


def test_of_two_sources_that_name_holders_the_one_that_measures_work_counts(duckdb_engine: DuckDBEngine) -> None:
    strong = samples(0, 4, x_source="exporter", tells_holders=True, sm_active_ratio=0.01)
    weak = [
        row | {"sampled_at": row["sampled_at"] + timedelta(seconds=30)}
        for row in samples(0, 4, x_source="sampler", tells_holders=True, gpu_util_ratio=0.3)
    ]
    rows = states(duckdb_engine, strong + weak, [billed(at(hour)) for hour in range(4)])
    assert seconds(rows, "state", "pod") == {("allocated_idle", "pod-1"): 4 * 3600}


def test_a_better_source_of_the_morning_does_not_hide_the_other_s_afternoon(duckdb_engine: DuckDBEngine) -> None:
    morning = samples(0, 12, x_source="sampler", tells_holders=True, sm_active_ratio=0.9)
    rest = samples(12.1, 24, x_source="exporter", tells_holders=None, sm_active_ratio=0.9, **holder(is_held=False))
    rows = states(duckdb_engine, morning + rest, [billed(at(hour)) for hour in range(24)])
    assert seconds(rows, "pod")[""] >= 11.8 * 3600
