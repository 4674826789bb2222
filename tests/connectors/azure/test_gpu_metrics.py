"""GPU metrics of Azure Monitor: minutes of each GPU, from Machine Learning and from Telegraf."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.azure.gpu_metrics import SOURCE, AzureGpuMetricsSource
from connectors.azure.gpu_settings import AzureGpuMetricsSettings
from connectors.base import IncompleteDeliveryError, Parsed, RefusedRequestError, SourceError, Window
from connectors.http import Pace
from connectors.windows import day_window
from tests.connectors.azure.tokens import TOKEN, token_credential
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

DAY = day_window(date(2026, 9, 3))
GROUP = "subscriptions/s1/resourcegroups/rg/providers"
WORKSPACE = f"{GROUP}/microsoft.machinelearningservices/workspaces/ml"
DEPLOYMENT = f"{WORKSPACE}/onlineendpoints/chat/deployments/blue"
MACHINE = f"{GROUP}/microsoft.compute/virtualmachines/gpu-1"
UTIL, MEMORY, ENERGY = "GpuUtilizationPercentage", "GpuMemoryUtilizationMegabytes", "GpuEnergyJoules"
ML = {"InstanceId": "node-a", "DeviceId": "0", "ComputeName": "h100s", "RunId": "run-7"}
TELEGRAF = {"host": "gpu-1", "index": "0", "uuid": "GPU-1111", "name": "NVIDIA A10"}


def series(values: Mapping[str, Any], told: str = "average", **dimensions: str) -> dict[str, Any]:
    """A series; `values` by minute (`HH:MM`), None where the minute is there without a value."""
    return {
        "metadatavalues": [{"name": {"value": name.lower()}, "value": value} for name, value in dimensions.items()],
        "data": [
            {"timeStamp": f"2026-09-03T{at}:00Z", **({} if value is None else {told: value})}
            for at, value in values.items()
        ],
    }


def metric(name: str, *found: dict[str, Any], resource: str = WORKSPACE, **over: Any) -> dict[str, Any]:
    return {
        "id": f"/{resource}/providers/Microsoft.Insights/metrics/{name}",
        "name": {"value": name},
        "errorCode": "Success",
        "timeseries": list(found),
        **over,
    }


def page(*metrics: dict[str, Any], **over: Any) -> bytes:
    return json.dumps({"interval": "PT1M", "resourceregion": "eastus2", "value": list(metrics), **over}).encode()


def definitions(*names: str) -> bytes:
    return json.dumps({"value": [{"name": {"value": name}} for name in names]}).encode()


def settings(**over: Any) -> AzureGpuMetricsSettings:
    given = {"name": "gpus", "account": "ml", "credentials": "ambient", "resources": [f"/{WORKSPACE}"], **over}
    return AzureGpuMetricsSettings.model_validate(given)


def parsed(*pages: bytes, **over: Any) -> Parsed:
    (chunk,) = SOURCE.parse(settings(**over), DAY, land(pages))
    return chunk


def rows(*pages: bytes, **over: Any) -> list[dict[str, Any]]:
    chunk = parsed(*pages, **over)
    assert chunk.rejects == ()
    return sorted(chunk.rows.to_pylist(), key=lambda row: (row["gpu_uuid"], row["pod"], row["sampled_at"]))


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value not in (None, "") and not name.startswith("x_")}


class TestAzureGpuMetrics(ConnectorConformance):
    source = AzureGpuMetricsSource(token_credential, Pace(sleep=Clock().sleep))
    secrets = (TOKEN,)
    inapplicable: ClassVar[Mapping[str, str]] = {"page_loop": "one answer holds a part of a day: there are no cursors"}

    def settings(self, **over: Any) -> AzureGpuMetricsSettings:
        return settings(**{"chunk_hours": 12, **over})

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return [
            page(
                metric(UTIL, series({"00:00": 0.0, "00:01": 61.5, "00:02": None}, **ML)),
                metric(MEMORY, series({"00:00": 1048.576, "00:03": 2097.152}, **ML)),
                metric(ENERGY, series({"00:01": 4200.0}, "total", **ML)),
            ),
            page(
                metric(UTIL, series({"12:00": 7.0}, **{**ML, "DeviceId": "1"}), series({"23:59": 100.0}, **ML)),
                metric(MEMORY),
                metric(ENERGY),
            ),
        ]

    def count_source_rows(self, pages: list[bytes]) -> int:
        minutes = set[tuple[str, str]]()
        for content in pages:
            for found in json.loads(content)["value"]:
                for one in found["timeseries"]:
                    device = next(d["value"] for d in one["metadatavalues"] if d["name"]["value"] == "deviceid")
                    minutes |= {(device, point["timeStamp"]) for point in one["data"] if len(point) > 1}
        return len(minutes)

    def add_unknown_column(self, page: bytes) -> bytes:
        new = b'"metadatavalues": [{"name": {"value": "x_from_the_future"}, "value": "9"}, {"name": {"value": "inst'
        return page.replace(b'"metadatavalues": [{"name": {"value": "inst', new)

    def _with_first(self, change: Any) -> list[bytes]:
        return [change(found) for found in self.pages()]

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"2026-09-03T12:00:00Z"', b'"at noon"')

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [page(metric(UTIL))]

    def served(self, server: FaultyServer) -> AzureGpuMetricsSettings:
        first, second = self.pages()

        def respond(request: Request) -> Answer:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            assert request.query["interval"] == ["PT1M"]
            assert request.query["top"] == ["5000"]
            assert request.query["metricnames"] == [f"{UTIL},{MEMORY},{ENERGY}"]
            assert request.query["$filter"] == [" and ".join(f"{name} eq '*'" for name in ML)]
            assert "metricnamespace" not in request.query
            (timespan,) = request.query["timespan"]
            return json_answer(
                {
                    "2026-09-03T00:00:00Z/2026-09-03T12:00:00Z": first,
                    "2026-09-03T12:00:00Z/2026-09-04T00:00:00Z": second,
                }[timespan]
            )

        server.route(f"/{WORKSPACE}/providers/Microsoft.Insights/metrics", respond)
        known = json_answer(definitions("Runs", UTIL, MEMORY, ENERGY))
        server.route(f"/{WORKSPACE}/providers/Microsoft.Insights/metricDefinitions", known)
        return self.settings(endpoint=server.url)


def test_a_gpu_of_a_compute_is_held_by_its_run_and_billed_by_its_workspace() -> None:
    (found,) = rows(
        page(
            metric(UTIL, series({"00:01": 61.5}, **ML)),
            metric(MEMORY, series({"00:01": 1048.576}, **ML)),
            metric(ENERGY, series({"00:01": 4200.0}, "total", **ML)),
        )
    )
    assert told(found) == {
        "sampled_at": datetime(2026, 9, 3, 0, 1),
        "sample_date": date(2026, 9, 3),
        "cluster": "ml",
        "hostname": "node-a",
        "tells_holders": True,
        "instance_id": f"/{WORKSPACE}",
        "gpu_uuid": "node-a/0",
        "gpu_index": 0,
        "namespace": "azureml",
        "pod": "run-7",
        "gpu_util_ratio": 0.615,
        "memory_used_mib": pytest.approx(1000.0),  # 1048.576 megabytes of a million bytes
        "power_watts": 70.0,  # 4,200 joules in a minute
    }
    assert json.loads(found["x_extra"]) == {"compute_name": "h100s"}


def test_a_gpu_without_a_run_has_no_holder() -> None:
    (found,) = rows(page(metric(UTIL, series({"00:01": 0.0}, **{**ML, "RunId": ""}))))
    assert (found["namespace"], found["pod"], found["gpu_util_ratio"]) == ("", "", 0.0)


def test_a_device_that_is_named_by_its_uuid_keeps_it() -> None:
    (found,) = rows(page(metric(UTIL, series({"00:01": 0.0}, **{**ML, "DeviceId": "GPU-2222"}))))
    assert found["gpu_uuid"] == "GPU-2222"


def test_a_minute_without_a_value_is_unknown_and_not_zero() -> None:
    found = rows(page(metric(UTIL, series({"00:00": 0.0, "00:01": None, "00:02": 0.0}, **ML))))
    assert [row["sampled_at"].minute for row in found] == [0, 2]


def test_an_instance_of_an_endpoint_is_one_row_for_all_its_gpus() -> None:
    answer = page(
        metric(UTIL, series({"00:01": 30.0}, instanceId="i-1"), resource=DEPLOYMENT),
        metric("GpuMemoryUtilizationPercentage", series({"00:01": 80.0}, instanceId="i-1"), resource=DEPLOYMENT),
        metric(ENERGY, series({"00:01": 4200.0}, "total", instanceId="i-1"), resource=DEPLOYMENT),
    )
    (found,) = rows(answer, metrics="online_deployments", resources=[DEPLOYMENT])
    names = ("gpu_uuid", "gpu_index", "hostname", "instance_id", "namespace", "pod", "gpu_util_ratio", "power_watts")
    assert [found[name] for name in names] == [
        *("i-1/all", None, "i-1", f"/{DEPLOYMENT}", "azureml", "chat/blue", 0.3, None),
    ]
    assert json.loads(found["x_extra"]) == {"memory_utilization_percent": 80.0, "energy_joules": 4200.0}


def test_a_machines_gpu_is_named_by_its_uuid_and_the_machine_by_the_bills_path() -> None:
    values = {"utilization_gpu": 50.0, "memory_used": 1024.0, "memory_free": 23000.0, "power_draw": 150.5}
    values |= {"utilization_encoder": 25.0, "utilization_decoder": 0.0}
    answer = page(*(metric(name, series({"00:01": v}, **TELEGRAF), resource=MACHINE) for name, v in values.items()))
    (found,) = rows(answer, metrics="telegraf", resources=[MACHINE])
    assert told(found) == {
        "sampled_at": datetime(2026, 9, 3, 0, 1),
        "sample_date": date(2026, 9, 3),
        "cluster": "ml",
        "hostname": "gpu-1",
        "tells_holders": False,
        "instance_id": f"/{MACHINE}",
        "gpu_uuid": "GPU-1111",
        "gpu_index": 0,
        "gpu_model_name": "NVIDIA A10",
        "gpu_util_ratio": 0.5,
        "encoder_active_ratio": 0.25,
        "decoder_active_ratio": 0.0,
        "memory_used_mib": 1024.0,
        "memory_free_mib": 23000.0,
        "power_watts": 150.5,
    }


def test_a_machine_of_a_scale_set_is_known_by_its_host_alone() -> None:
    pool = f"{GROUP}/microsoft.compute/virtualmachinescalesets/pool"
    answer = page(metric("utilization_gpu", series({"00:01": 1.0}, **{**TELEGRAF, "uuid": ""}), resource=pool))
    (found,) = rows(answer, metrics="telegraf", resources=[pool])
    assert (found["hostname"], found["instance_id"], found["gpu_uuid"]) == ("gpu-1", None, "gpu-1/0")


@pytest.mark.parametrize("value", [127.0, -1.0])
def test_a_value_out_of_range_is_null_and_refused(value: float) -> None:
    chunk = parsed(page(metric(UTIL, series({"00:00": value, "00:01": 5.0}, **ML))))
    assert chunk.rows["gpu_util_ratio"].to_pylist() == [None, 0.05]
    assert [(reject.reason, reject.row) for reject in chunk.rejects] == [("out_of_range", 1)]


@pytest.mark.parametrize("value", ["much", True, {}])
def test_a_value_that_is_no_number_is_refused(value: Any) -> None:
    chunk = parsed(page(metric(UTIL, series({"00:00": value, "00:01": 5.0}, **ML))))
    assert ([reject.reason for reject in chunk.rejects], chunk.rows.num_rows) == (["unreadable_number"], 1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (page(metric(UTIL, errorCode="DataNotAvailable")), "which is not zero"),
        (page(metric(UTIL), interval="PT5M"), "minutes were asked for"),
        (page(metric(UTIL, *[series({}, InstanceId=f"n{n}") for n in range(5000)])), "series or more"),
        (page(metric("CpuUtilization", series({"00:00": 1.0}, **ML))), "Was 'metrics' changed"),
        (page(metric(UTIL, series({"00:00": 1.0}, InstanceId="n"))), "'deviceid' is missing"),
        (b"[]", "no answer of Azure Monitor"),
    ],
)
def test_an_answer_that_does_not_tell_all_is_no_delivery(given: bytes, words: str) -> None:
    with pytest.raises(IncompleteDeliveryError, match=words):
        parsed(given)


def test_a_metric_that_a_machine_never_had_is_not_asked_for(server: FaultyServer) -> None:
    at = f"/{MACHINE}/providers/Microsoft.Insights"
    answer = page(metric("utilization_gpu", series({"00:01": 1.0}, **TELEGRAF), resource=MACHINE))
    server.route(f"{at}/metrics", json_answer(answer))
    server.route(f"{at}/metricDefinitions", json_answer(definitions("utilization_gpu", "fan_speed")))
    given = settings(endpoint=server.url, metrics="telegraf", resources=[MACHINE], chunk_hours=24)
    source = AzureGpuMetricsSource(token_credential)
    assert len(list(source.fetch(given, DAY))) == 1
    defined, asked = server.requests
    assert defined.query["metricnamespace"] == asked.query["metricnamespace"] == ["Telegraf/nvidia_smi"]
    assert asked.query["metricnames"] == ["utilization_gpu"]
    assert "1 of 1 resources" in source.probe(given)


def test_a_resource_without_gpu_metrics_is_a_true_none_and_told_when_it_is_tried(server: FaultyServer) -> None:
    server.route(f"/{WORKSPACE}/providers/Microsoft.Insights/metricDefinitions", json_answer(definitions("Runs")))
    source, given = AzureGpuMetricsSource(token_credential), settings(endpoint=server.url)
    assert list(source.fetch(given, DAY)) == []
    with pytest.raises(SourceError, match="no resource has a metric of the set 'machine_learning'"):
        source.probe(given)


def test_a_resource_that_is_not_there_is_no_none(server: FaultyServer) -> None:
    missing = json_answer(b'{"error": {"code": "ResourceNotFound"}}', 404)
    server.route(f"/{WORKSPACE}/providers/Microsoft.Insights/metricDefinitions", missing)
    with pytest.raises(RefusedRequestError, match="ResourceNotFound"):
        list(AzureGpuMetricsSource(token_credential).fetch(settings(endpoint=server.url), DAY))


def test_what_is_no_list_of_metrics_is_said(server: FaultyServer) -> None:
    server.route(f"/{WORKSPACE}/providers/Microsoft.Insights/metricDefinitions", json_answer(b'{"values": []}'))
    with pytest.raises(IncompleteDeliveryError, match="no list of metrics"):
        list(AzureGpuMetricsSource(token_credential).fetch(settings(endpoint=server.url), DAY))


def test_a_delivery_that_takes_too_long_is_left(server: FaultyServer) -> None:
    clock = Clock()

    def answer(_: Request) -> Answer:
        clock.sleep(170)
        return json_answer(page(metric(UTIL)))

    both = [WORKSPACE, f"{WORKSPACE}-2"]
    for resource in both:
        at = f"/{resource}/providers/Microsoft.Insights"
        server.route(f"{at}/metricDefinitions", json_answer(definitions(UTIL)))
        server.route(f"{at}/metrics", answer)
    source = AzureGpuMetricsSource(token_credential, Pace(sleep=clock.sleep, monotonic=clock.monotonic))
    with pytest.raises(SourceError, match="longer than 120 minutes"):
        list(source.fetch(settings(endpoint=server.url, resources=both, chunk_hours=1), DAY))


@pytest.mark.parametrize(
    "wrong",
    [
        {"resources": []},
        {"resources": ["gpu-1"]},
        {"resources": [f"/{WORKSPACE}", f"{WORKSPACE}/"]},
        {"metrics": "host"},
        {"chunk_hours": 5},
        {"credentials": None},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)
