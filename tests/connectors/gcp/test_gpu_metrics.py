"""GPU metrics of Cloud Monitoring: minutes of each GPU, from the Ops Agent, its DCGM receiver, and GKE."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.base import (
    AuthenticationError,
    IncompleteDeliveryError,
    Parsed,
    RefusedRequestError,
    SourceError,
    Window,
)
from connectors.gcp.gpu_families import ASKED
from connectors.gcp.gpu_metrics import SOURCE, GcpGpuMetricsSource
from connectors.gcp.gpu_settings import GcpGpuMetricsSettings
from connectors.http import Pace
from connectors.windows import day_window
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

DAY = day_window(date(2026, 9, 3))
PATH = "/v3/projects/{}/timeSeries"
UTIL, MEMORY = "agent.googleapis.com/gpu/utilization", "agent.googleapis.com/gpu/memory/bytes_used"
V1, V2 = "workload.googleapis.com/dcgm.gpu.profiling", "workload.googleapis.com/gpu.dcgm"
DUTY = "kubernetes.io/container/accelerator/duty_cycle"
MACHINE = {"project_id": "acme-lab", "zone": "us-central1-a", "instance_id": "7184"}
CONTAINER = {
    "project_id": "acme-lab",
    "location": "us-central1",
    "cluster_name": "prod",
    "namespace_name": "ml",
    "pod_name": "train-7f9",
    "container_name": "main",
}
ONE = "GPU-11111111-0000-4000-8000-000000000001"


def series(kind: str, values: Mapping[str, Any], **over: Any) -> dict[str, Any]:
    """A series of the Ops Agent's GPU 0; `values` by the end of their stretch (`HH:MM`), told newest first."""
    labels = {"uuid": ONE, "gpu_number": "0", "model": "NVIDIA L4", **over.pop("labels", {})}
    points = [
        {"interval": {"startTime": at, "endTime": at}, "value": {"doubleValue": value}}
        for at, value in ((f"2026-09-03T{end}:00Z" if "T" not in end else end, v) for end, v in values.items())
    ]
    found = {
        "metric": {"type": kind, "labels": labels},
        "resource": {"type": "gce_instance", "labels": MACHINE},
        "metadata": {"systemLabels": {"name": "train-1"}},
        "metricKind": "GAUGE",
        "valueType": "DOUBLE",
        "points": points[::-1],
        **over,
    }
    return {name: value for name, value in found.items() if value is not None}


def in_pod(metric: str, values: Mapping[str, Any], **over: Any) -> dict[str, Any]:
    labels = {"make": "nvidia", "accelerator_id": ONE, "model": "nvidia-h100", **over.pop("labels", {})}
    given = {
        "metric": {"type": metric, "labels": labels},
        "resource": {"type": "k8s_container", "labels": CONTAINER},
        "metadata": {"systemLabels": {"node_name": "gke-gpu-1"}},
    }
    return series(metric, values, **{**given, **over})


def page(*found: dict[str, Any], unit: str | None = "%", token: str | None = None, **over: Any) -> bytes:
    document = {
        **({"timeSeries": list(found)} if found else {}),
        **({"unit": unit} if unit is not None else {}),
        **({"nextPageToken": token} if token else {}),
        **over,
    }
    return json.dumps(document).encode()


def settings(**over: Any) -> GcpGpuMetricsSettings:
    given = {"name": "gpus", "account": "lab", "credentials": "ambient", "projects": ["acme-lab"], **over}
    return GcpGpuMetricsSettings.model_validate({key: value for key, value in given.items() if value is not None})


def parsed(*pages: bytes, **over: Any) -> Parsed:
    (chunk,) = SOURCE.parse(settings(**over), DAY, land(pages))
    return chunk


def rows(*pages: bytes, **over: Any) -> list[dict[str, Any]]:
    chunk = parsed(*pages, **over)
    assert chunk.rejects == ()
    return sorted(chunk.rows.to_pylist(), key=lambda row: (row["gpu_uuid"], row["sampled_at"]))


def row(*pages: bytes, **over: Any) -> dict[str, Any]:
    (found,) = rows(*pages, **over)
    return found


class TestGcpGpuMetrics(ConnectorConformance):
    source = GcpGpuMetricsSource(Pace(sleep=Clock().sleep))
    inapplicable: ClassVar[Mapping[str, str]] = {}

    def settings(self, **over: Any) -> GcpGpuMetricsSettings:
        return settings(**{"families": ["agent"], "projects": ["acme-lab", "acme-ml"], **over})

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        used = {"memory_state": "used"}
        other = {"uuid": "GPU-2", "gpu_number": "1"}
        return [
            page(series(UTIL, {"00:01": 0.0, "00:02": 61.5}), token="more"),
            page(series(UTIL, {"2026-09-04T00:00:00Z": 100.0}), series(UTIL, {"00:05": 7.0}, labels=other)),
            page(series(MEMORY, {"00:01": 1048576.0, "00:03": 2097152.0}, labels=used), unit="By"),
            page(series(UTIL, {"00:01": 3.0}, labels={"uuid": "GPU-3"})),
        ]

    def count_source_rows(self, pages: list[bytes]) -> int:
        told = set[tuple[str, str]]()
        for found in pages:
            for one in json.loads(found)["timeSeries"]:
                told |= {(one["metric"]["labels"]["uuid"], point["interval"]["endTime"]) for point in one["points"]}
        return len(told)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"labels": {"uuid"', b'"labels": {"x_from_the_future": "9", "uuid"')

    def _with_first(self, change: Any) -> list[bytes]:
        return [change(found) for found in self.pages()]

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"endTime": "2026-09-03T00:05:00Z"', b'"endTime": "five past midnight"')

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [page()]

    def served(self, server: FaultyServer) -> GcpGpuMetricsSettings:
        first, second, memory, other = self.pages()

        def answer(request: Request) -> Answer:
            assert "Authorization" not in request.headers, "a plain address is asked without credentials"
            if "bytes_used" in request.query["filter"][0]:
                return json_answer(memory)
            return json_answer(second if request.query.get("pageToken") == ["more"] else first)

        def other_answer(request: Request) -> Answer:
            if "bytes_used" in request.query["filter"][0]:
                return unknown_metric()
            return json_answer(other)

        server.route(PATH.format("acme-lab"), answer)
        server.route(PATH.format("acme-ml"), other_answer)
        descriptors = b'{"metricDescriptors": [{"type": "x"}]}'
        server.route("/v3/projects/acme-lab/metricDescriptors", json_answer(descriptors))
        server.route("/v3/projects/acme-ml/metricDescriptors", json_answer(b"{}"))
        return self.settings(endpoint=server.url, credentials=None)

    def served_loop(self, server: FaultyServer) -> GcpGpuMetricsSettings:
        server.route(PATH.format("acme-lab"), json_answer(self.pages()[0]))
        return self.settings(endpoint=server.url, credentials=None)


def unknown_metric() -> Answer:
    said = "Cannot find metric(s) that match type. If a metric was created recently, it could take up to 10 minutes."
    return json_answer(json.dumps({"error": {"code": 404, "message": said, "status": "NOT_FOUND"}}).encode(), 404)


def test_the_metrics_of_a_minute_are_one_row_at_its_beginning() -> None:
    found = row(
        page(series(UTIL, {"00:02": 61.5})),
        page(series(MEMORY, {"00:02": 3 * 1048576.0}, labels={"memory_state": "used"}), unit="By"),
        page(series(MEMORY, {"00:02": 1048576.0}, labels={"memory_state": "free"}), unit="By"),
    )
    told = {name: value for name, value in found.items() if value not in (None, "") and not name.startswith("x_")}
    assert told == {
        "sampled_at": datetime(2026, 9, 3, 0, 1),  # the mean from 00:01 to 00:02
        "sample_date": date(2026, 9, 3),
        "cluster": "lab",
        "hostname": "train-1",
        "instance_id": "train-1",
        "gpu_uuid": ONE,
        "gpu_index": 0,
        "gpu_model_name": "NVIDIA L4",
        "tells_holders": False,
        "gpu_util_ratio": 0.615,
        "memory_used_mib": 3.0,
        "memory_free_mib": 1.0,
    }
    assert json.loads(found["x_extra"]) == {"project_id": "acme-lab", "vm_id": "7184", "zone": "us-central1-a"}


def test_the_last_minute_of_a_day_is_its_own_and_the_first_is_not_the_day_befores() -> None:
    found = rows(page(series(UTIL, {"00:01": 1.0, "2026-09-04T00:00:00Z": 2.0})))
    assert [one["sampled_at"] for one in found] == [datetime(2026, 9, 3), datetime(2026, 9, 3, 23, 59)]
    chunk = parsed(page(series(UTIL, {"00:00": 1.0})))
    assert (chunk.rows.num_rows, [reject.reason for reject in chunk.rejects]) == (0, ["outside_window"])


@pytest.mark.parametrize("version", [f"{V1}.{{}}", f"{V2}.{{}}"])
def test_profiling_by_dcgm_is_measured_activity(version: str) -> None:
    names = ("sm_utilization", "dram_utilization", "pipe_utilization")
    if version.startswith(V2):
        names = ("sm.utilization", "memory.bandwidth_utilization", "pipe.utilization")
    found = row(
        page(series(version.format(names[0]), {"00:02": 0.5}), unit="1"),
        page(series(version.format(names[1]), {"00:02": 0.25}), unit="1"),
        page(series(version.format(names[2]), {"00:02": 0.125}, labels={"pipe": "tensor"}), unit=None),
    )
    assert (found["sm_active_ratio"], found["dram_active_ratio"], found["tensor_active_ratio"]) == (0.5, 0.25, 0.125)
    assert found["gpu_util_ratio"] is None


def test_energy_is_told_as_the_power_of_its_minute() -> None:
    found = row(page(series(f"{V2}.energy_consumption", {"00:02": 350.5}), unit="J/s"))
    assert (found["power_watts"], found["energy_millijoules"]) == (350.5, None)


def test_codecs_and_the_weaker_utilisation_of_dcgm_have_columns_of_their_own() -> None:
    found = row(
        page(series(f"{V2}.utilization", {"00:02": 0.5}), unit="1"),
        page(series(f"{V2}.codec.encoder.utilization", {"00:02": 0.25}), unit="1"),
        page(series(f"{V2}.codec.decoder.utilization", {"00:02": 0.0}), unit="1"),
    )
    assert (found["gpu_util_ratio"], found["encoder_active_ratio"], found["decoder_active_ratio"]) == (0.5, 0.25, 0.0)
    assert (found["sm_active_ratio"], found["gr_engine_active_ratio"]) == (None, None)


def test_a_container_of_gke_holds_its_gpu_and_its_node_is_the_machine() -> None:
    found = row(page(in_pod(DUTY, {"00:02": 30.0}), unit="percent"))
    names = ("gpu_uuid", "hostname", "instance_id", "namespace", "pod", "container", "gpu_util_ratio", "gpu_model_name")
    assert [found[name] for name in names] == [
        *(ONE, "gke-gpu-1", "gke-gpu-1", "ml", "train-7f9", "main", 0.3, "nvidia-h100"),
    ]
    assert json.loads(found["x_extra"])["cluster_name"] == "prod"


def test_a_node_that_is_not_told_is_unknown() -> None:
    found = row(page(in_pod(DUTY, {"00:02": 30.0}, metadata=None), unit="percent"))
    assert (found["hostname"], found["instance_id"], found["gpu_uuid"]) == (None, None, ONE)


def test_a_gpu_without_a_uuid_is_named_by_machine_and_index() -> None:
    labels = {"accelerator_id": "nvidia2"}
    found = row(page(in_pod(DUTY, {"00:02": 30.0}, labels=labels), unit="percent"))
    assert (found["gpu_uuid"], found["gpu_index"]) == ("gke-gpu-1/nvidia2", 2)
    assert row(page(series(UTIL, {"00:02": 3.0}, labels={"uuid": ""})))["gpu_uuid"] == "train-1/0"


def test_a_shared_gpu_of_a_node_has_no_holder() -> None:
    resource = {"project_id": "acme-lab", "location": "us-central1", "cluster_name": "prod", "node_name": "gke-gpu-2"}
    found = row(
        page(
            in_pod(
                "kubernetes.io/node/accelerator/duty_cycle",
                {"00:02": 30.0},
                resource={"type": "k8s_node", "labels": resource},
                metadata=None,
            ),
            unit="percent",
        )
    )
    assert (found["hostname"], found["namespace"], found["pod"]) == ("gke-gpu-2", "", "")


def test_tpus_and_states_of_memory_without_a_column_are_left_out_and_told() -> None:
    chunk = parsed(
        page(in_pod(DUTY, {"00:02": 30.0}, labels={"make": "cloud-tpu"}), unit="percent"),
        page(series(MEMORY, {"00:02": 1.0}, labels={"memory_state": "reserved"}), unit="By"),
    )
    assert chunk.rows.num_rows == 0
    assert chunk.notices == (
        "2 series were left out: they are of no NVIDIA GPU, or of a state of memory without a column",
    )


@pytest.mark.parametrize("value", [127.0, -1.0])
def test_a_value_out_of_range_is_null_and_refused(value: float) -> None:
    chunk = parsed(page(series(UTIL, {"00:01": value, "00:02": 5.0})))
    assert sorted(chunk.rows["gpu_util_ratio"].to_pylist(), key=str) == [0.05, None]
    assert [(reject.reason, reject.column_name) for reject in chunk.rejects] == [("out_of_range", "gpu_util_ratio")]
    assert UTIL in chunk.rejects[0].payload


def test_whole_numbers_are_read_like_others() -> None:
    found = series(UTIL, {"00:02": 0})
    found["points"][0]["value"] = {"int64Value": "40"}
    assert row(page(found))["gpu_util_ratio"] == 0.4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (page(series(UTIL, {"00:01": 1.0}), executionErrors=[{"code": 4}]), "left something out"),
        (page(series(UTIL, {"00:01": 1.0}), unit="10^2.%"), "would be misread"),
        (page(series(f"{V1}.sm_utilization", {"00:01": 1.0}), unit="%"), "would be misread"),
        (page(series("compute.googleapis.com/other", {"00:01": 1.0})), "no time series of a metric"),
        (b'{"error": {"code": 500}}', "no list of time series"),
        (b"[]", "no list of time series"),
    ],
)
def test_an_answer_that_does_not_tell_all_is_no_delivery(given: bytes, words: str) -> None:
    with pytest.raises(IncompleteDeliveryError, match=words):
        parsed(given)


def test_each_metric_is_asked_for_by_minutes_with_the_labels_of_its_machine(server: FaultyServer) -> None:
    server.route(PATH.format("acme-lab"), json_answer(page()))
    pages = list(SOURCE.fetch(settings(endpoint=server.url, credentials=None), DAY))
    assert len(pages) == 1  # of the answers that say nothing one is kept
    asked = {request.query["filter"][0].split('"')[1]: request.query for request in server.requests}
    assert asked.keys() == ASKED.keys()
    query = asked[UTIL]
    assert query["filter"] == [f'metric.type = "{UTIL}" AND resource.type = "gce_instance"']
    assert (query["interval.startTime"], query["interval.endTime"]) == (
        ["2026-09-03T00:00:00Z"],
        ["2026-09-04T00:00:00Z"],
    )
    assert (query["aggregation.alignmentPeriod"], query["pageSize"]) == (["60s"], ["100000"])
    assert query["aggregation.groupByFields"] == [
        "resource.label.project_id",
        "resource.label.zone",
        "resource.label.instance_id",
        "metadata.system_labels.name",
        "metric.label.uuid",
        "metric.label.gpu_number",
        "metric.label.model",
    ]
    assert "metric.label.memory_state" in asked[MEMORY]["aggregation.groupByFields"]
    assert "metadata.system_labels.node_name" in asked[DUTY]["aggregation.groupByFields"]
    aligners = {name: found["aggregation.perSeriesAligner"][0] for name, found in asked.items()}
    assert {name for name, aligner in aligners.items() if aligner != "ALIGN_MEAN"} == {f"{V2}.energy_consumption"}


def test_a_metric_that_a_project_never_had_is_a_true_none(server: FaultyServer) -> None:
    server.route(PATH.format("acme-lab"), unknown_metric())
    assert list(SOURCE.fetch(settings(endpoint=server.url, credentials=None), DAY)) == []


def test_another_thing_that_is_not_found_is_no_none(server: FaultyServer) -> None:
    said = json_answer(b'{"error": {"code": 404, "message": "Project not found"}}', 404)
    server.route(PATH.format("acme-lab"), said)
    with pytest.raises(RefusedRequestError, match="Project not found"):
        list(SOURCE.fetch(settings(endpoint=server.url, credentials=None), DAY))


def test_a_project_without_any_gpu_metric_is_told_when_it_is_tried(server: FaultyServer) -> None:
    server.route("/v3/projects/acme-lab/metricDescriptors", json_answer(b"{}"))
    with pytest.raises(SourceError, match="never had a GPU metric"):
        SOURCE.probe(settings(endpoint=server.url, credentials=None))


def test_a_quota_is_waited_out_and_a_missing_role_is_not(server: FaultyServer) -> None:
    clock = Clock()
    source = GcpGpuMetricsSource(Pace(sleep=clock.sleep))
    server.route(PATH.format("acme-lab"), json_answer(page(series(UTIL, {"00:01": 1.0}))))
    server.inject(*[json_answer(b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}', 429)] * 2)
    given = settings(endpoint=server.url, credentials=None, families=["agent"])
    assert len(list(source.fetch(given, DAY))) == 2
    assert len(clock.slept) == 2
    server.inject_always(
        json_answer(b'{"error": {"code": 403, "message": "Permission monitoring.timeSeries.list"}}', 403)
    )
    with pytest.raises(AuthenticationError):
        list(source.fetch(given, DAY))


def test_pages_that_never_end_are_left_in_time(server: FaultyServer) -> None:
    clock = Clock()

    def answer(_: Request) -> Answer:
        clock.sleep(100)
        return json_answer(page(series(UTIL, {"00:01": 1.0}), token=f"after-{len(clock.slept)}"))

    server.route(PATH.format("acme-lab"), answer)
    source = GcpGpuMetricsSource(Pace(sleep=clock.sleep, monotonic=clock.monotonic))
    with pytest.raises(SourceError, match="longer than 120 minutes"):
        list(source.fetch(settings(endpoint=server.url, credentials=None), DAY))


@pytest.mark.parametrize(
    "over",
    [
        {"projects": []},
        {"projects": ["Not A Project"]},
        {"projects": ["acme-lab", "acme-lab"]},
        {"credentials": None},
        {"families": []},
        {"families": ["nvml"]},
        {"step_seconds": 30},
    ],
)
def test_settings_that_ask_nobody_or_nothing_are_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**over)
