"""A real Prometheus server with a day of kube-state-metrics in it, asked as a night asks it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import SourceError
from connectors.kubernetes.allocations import SOURCE as ALLOCATIONS
from connectors.kubernetes.nodes import SOURCE as NODES
from tests.connectors.conformance import land
from tests.connectors.dcgm.written import SHARED, WINDOW, page
from tests.connectors.kubernetes.written import (
    A100,
    CAPACITY,
    CORDONED,
    INFO,
    NODE_LABELS,
    OWNER,
    PHASE,
    POD_LABELS,
    Sampled,
    as_openmetrics,
    held,
    intervals,
    parse,
    pod,
    request,
    running,
    sampled,
    settings,
    without,
)
from tests.connectors.prometheus_server import prometheus_server

CAPTURED = SHARED / "contracts/examples_gateway/kube_state_metrics_subset.txt"


def cluster() -> list[Sampled]:
    """Two pods with GPUs and one without; a source that is silent from 10:30 until 10:50; phases that are over are 0."""
    series = [
        *held("vllm", "10:00", "12:00", gpus=2),
        sampled(OWNER, pod("vllm", owner_kind="ReplicaSet", owner_name="vllm-6c9d7f5b8d"), "10:00", "12:00"),
        sampled(POD_LABELS, pod("vllm", label_team="search", label_model="llama"), "10:00", "12:00"),
        sampled(PHASE, pod("vllm", phase="Succeeded"), "10:00", "11:00", 0),
        request("train", "10:00", "12:00", resource="nvidia_com_mig_3g_40gb"),
        sampled(PHASE, pod("train", phase="Running"), "10:00", "10:10"),
        sampled(PHASE, pod("train", phase="Running"), "10:10", "12:00", 0),
        request("web", "10:00", "12:00", resource="cpu"),
        running("web", "10:00", "12:00"),
        sampled(POD_LABELS, pod("web", label_team="front"), "10:00", "12:00"),
        sampled(NODE_LABELS, {"node": "gpu-1", **A100, "label_nvidia_com_gpu_replicas": "2"}, "10:00", "12:00"),
        sampled(INFO, {"node": "gpu-1", "provider_id": "gce://p/us-central1-a/gpu-1"}, "10:00", "12:00"),
        sampled(INFO, {"node": "cpu-1", "provider_id": "gce://p/us-central1-a/cpu-1"}, "10:00", "12:00"),
        sampled(CAPACITY, {"node": "gpu-1", "resource": "nvidia_com_gpu", "unit": "integer"}, "10:00", "12:00", 16),
        sampled(CAPACITY, {"node": "cpu-1", "resource": "cpu", "unit": "core"}, "10:00", "12:00", 96),
        sampled(CORDONED, {"node": "gpu-1"}, "10:00", "11:00", 0),
        sampled(CORDONED, {"node": "gpu-1"}, "11:00", "12:00", 1),
    ]
    return without(series, "10:30", "10:50")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus_server(tmp_path_factory.mktemp("prometheus"), openmetrics=as_openmetrics(cluster())) as url:
        yield url


def pulled(source: Any, url: str) -> tuple[list[dict[str, Any]], bytes]:
    """The night's rows, and everything that the server said."""
    given = settings(source, url=url, chunk_hours=12)
    pages = []
    for one in source.fetch(given, WINDOW):
        with one.body.open() as stream:
            pages.append(stream.read())
    (parsed,) = source.parse(given, WINDOW, land(pages))
    assert (parsed.rejects, parsed.notices) == ((), ())
    return parsed.rows.to_pylist(), b"".join(pages)


def test_a_real_server_tells_which_pods_held_gpus(prometheus: str) -> None:
    rows, said = pulled(ALLOCATIONS, prometheus)
    by_pod = {name: [row for row in rows if row["pod"] == name] for name in ("vllm", "train")}
    assert len(rows) == sum(map(len, by_pod.values()))
    # the last samples, of 10:29 and 11:59, are carried by the server for up to five minutes
    held_from = [begin for begin, _ in intervals(by_pod["vllm"])]
    assert held_from == ["10:00:00", "10:50:00"]
    assert all(end[:5] in {"10:34", "10:35", "12:04", "12:05"} for _, end in intervals(by_pod["vllm"]))
    assert intervals(by_pod["train"]) == [("10:00:00", "10:10:00")]
    first = by_pod["vllm"][0]
    assert (first["workload_kind"], first["workload_name"], first["model_name"]) == ("Deployment", "vllm", "llama")
    assert (first["allocated_gpus"], first["is_shared"], json.loads(first["labels"])) == (2, True, {"team": "search"})
    assert by_pod["train"][0]["mig_profile"] == "3g.40gb"
    assert b"front" not in said, "the server was asked for pods that have no GPU"


def test_a_real_server_tells_which_machines_its_nodes_are(prometheus: str) -> None:
    rows, said = pulled(NODES, prometheus)
    assert {(row["hostname"], row["instance_id"], row["gpu_capacity"], row["gpu_replicas"]) for row in rows} == {
        ("gpu-1", "gpu-1", 16, 2)
    }
    assert [(begin, row["is_cordoned"]) for (begin, _), row in zip(intervals(rows), rows, strict=True)] == [
        ("10:00:00", False),
        ("10:50:00", False),
        ("11:00:00", True),
    ]
    assert b'"core"' not in said, "the server was asked for resources that are no GPUs"


@pytest.mark.parametrize(
    ("source", "metric"), [(ALLOCATIONS, "kube_pod_container_resource_requests"), (NODES, "kube_node_info")]
)
def test_the_probe_names_what_the_server_holds(prometheus: str, source: Any, metric: str) -> None:
    assert (
        source.probe(settings(source, url=prometheus))
        == f"{prometheus} holds 1 metrics of kube-state-metrics: {metric}"
    )
    with pytest.raises(SourceError, match="holds no metric of kube-state-metrics"):
        source.probe(settings(source, url=prometheus, selector='cluster="elsewhere"'))


@pytest.mark.skipif(not CAPTURED.is_file(), reason="the written example (../shared/contracts) is not here")
def test_the_written_example_of_a_scrape_parses_whole() -> None:
    phases = [f'kube_pod_status_phase{{namespace="x",pod="y",uid="u{n}",phase="Running"}} 1' for n in (1, 2, 3)]
    content = b"# scraped at 2026-10-01T10:15:00Z\n" + CAPTURED.read_bytes() + page(*phases)
    pods, nodes = parse(ALLOCATIONS, content), parse(NODES, content)
    assert (pods.rejects, nodes.rejects) == ((), ())
    assert sorted((row["pod"], row["resource_name"], row["model_name"]) for row in pods.rows.to_pylist()) == [
        ("nb-alice-0", "nvidia_com_mig_1g_10gb", None),
        ("vllm-llama8b-6c9d", "nvidia_com_gpu", "llama-3-1-8b"),
        ("vllm-llama8b-6c9e", "nvidia_com_gpu", None),
    ]
    (node,) = nodes.rows.to_pylist()
    assert (node["instance_id"], node["gpu_capacity"], node["purchase_option"]) == (
        "i-0abc123def4567890",
        4,
        "on_demand",
    )
