"""GPU metrics of CloudWatch: minutes of each GPU, from the agent and from Container Insights."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import boto3
import pytest

from connectors.aws.api_settings import AwsGpuMetricsSettings
from connectors.aws.gpu_metrics import AwsGpuMetrics
from connectors.base import AuthenticationError, IncompleteDeliveryError, Parsed, SourceError, Window
from connectors.windows import day_window
from tests.connectors.aws.cloudwatch import CloudWatch, Held
from tests.connectors.aws.exchange import KEYS, SECRETS, json_error
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import FaultyServer

DAY = day_window(date(2026, 9, 3))
AGENT = {"InstanceId": "i-0abc", "index": "0", "name": "NVIDIA L4", "arch": "Ada", "host": "ip-10-0-0-7"}
NODE = {
    "ClusterName": "prod",
    "InstanceId": "i-0def",
    "InstanceType": "p5.48xlarge",
    "NodeName": "ip-10-0-0-9.ec2.internal",
    "GpuDevice": "nvidia3",
}


def agent(name: str, values: Mapping[str, float], **over: str) -> Held:
    return Held("CWAgent", f"nvidia_smi_{name}", {**AGENT, **over}, values)


def node(name: str, values: Mapping[str, float], **over: str) -> Held:
    return Held("ContainerInsights", f"node_gpu_{name}", {**NODE, **over}, values)


HELD = [
    agent("utilization_gpu", {"00:00": 0.0, "00:01": 61.5, "23:59": 100.0}),
    agent("memory_used", {"00:00": 512.0, "00:01": 1024.0}),
    agent("power_draw", {"00:01": 71.25}),
    agent("utilization_gpu", {"00:05": 7.0}, index="1"),
]
DESCRIBED = sorted(
    (held.described for held in HELD), key=lambda found: (str(found["Dimensions"][1]["Value"]), found["MetricName"])
)


def query(metrics: Sequence[Mapping[str, Any]], period: int = 60) -> dict[str, Any]:
    """The question as it stands in a page, written down by hand."""
    return {
        "EndTime": "2026-09-04T00:00:00Z",
        "MaxDatapoints": 100800,
        "MetricDataQueries": [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": found,
                    "Period": period,
                    "Stat": "Average",
                },
            }
            for number, found in enumerate(metrics)
        ],
        "ScanBy": "TimestampAscending",
        "StartTime": "2026-09-03T00:00:00Z",
    }


def result(
    number: int, name: str, values: Mapping[str, float], status: str = "Complete", day: str = "2026-09-03"
) -> dict[str, Any]:
    return {
        "Id": f"m{number}",
        "Label": name,
        "StatusCode": status,
        "Timestamps": [f"{day}T{at}:00Z" for at in values],
        "Values": [repr(value) for value in values.values()],
    }


def page(results: Sequence[Any], metrics: Sequence[Any], number: int = 1, token: str = "", **over: Any) -> bytes:
    answer = {"MetricDataResults": results, "Messages": [], **({"NextToken": token} if token else {}), **over}
    envelope = {
        "api": "cloudwatch.get_metric_data",
        "region": "us-east-1",
        "query": query(metrics, over.pop("period", 60)),
        "page": number,
        "answer": answer,
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def one(held: Held, **over: Any) -> bytes:
    """A page of one metric."""
    return page([result(0, held.name, held.values)], [held.described], **over)


def settings(**over: Any) -> AwsGpuMetricsSettings:
    given = {"name": "gpus", "account": "prod", "regions": ["us-east-1"], **KEYS, **over}
    return AwsGpuMetricsSettings.model_validate(given)


def parsed(*pages: bytes, **over: Any) -> Parsed:
    (chunk,) = AwsGpuMetrics().parse(settings(**over), DAY, land(pages))
    return chunk


def rows(*pages: bytes, **over: Any) -> list[dict[str, Any]]:
    chunk = parsed(*pages, **over)
    assert chunk.rejects == ()
    return sorted(chunk.rows.to_pylist(), key=lambda row: (row["gpu_uuid"], row["sampled_at"]))


def fetched(cloud: CloudWatch, server: FaultyServer, **over: Any) -> list[bytes]:
    cloud.serve(server)
    bodies = list[bytes]()
    for found in AwsGpuMetrics().fetch(settings(endpoint_url=server.url, **over), DAY):
        with found.body.open() as stream:
            bodies.append(stream.read())
    return bodies


@pytest.mark.usefixtures("naps")
class TestAwsGpuMetrics(ConnectorConformance):
    source = AwsGpuMetrics()
    secrets = SECRETS
    inapplicable: ClassVar[Mapping[str, str]] = {
        "rate_limit": "CloudWatch says by a code of its own that it is asked too often: see the test of that",
    }

    def settings(self, **over: Any) -> AwsGpuMetricsSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        names = [found["MetricName"] for found in DESCRIBED]
        none: dict[str, float] = {}
        first = [
            result(0, names[0], {"00:00": 512.0, "00:01": 1024.0}),
            result(1, names[1], {"00:01": 71.25}),
            result(2, names[2], {"00:00": 0.0}, "PartialData"),
            result(3, names[3], none, "PartialData"),
        ]
        second = [
            result(0, names[0], none),
            result(1, names[1], none),
            result(2, names[2], {"00:01": 61.5, "23:59": 100.0}),
            result(3, names[3], {"00:05": 7.0}),
        ]
        return [page(first, DESCRIBED, 1, "4"), page(second, DESCRIBED, 2)]

    def count_source_rows(self, pages: list[bytes]) -> int:
        told = set[tuple[str, str]]()
        for found in pages:
            for answer in json.loads(found)["answer"]["MetricDataResults"]:
                gpu = "1" if answer["Id"] == "m3" else "0"
                told |= {(gpu, at) for at in answer["Timestamps"]}
        return len(told)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{"Name":"arch"', b'{"Name":"x_from_the_future","Value":"9"},{"Name":"arch"')

    def _with_first(self, change: Any) -> list[bytes]:
        return [change(found) for found in self.pages()]  # the question is in both pages: both change alike

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"2026-09-03T00:05:00Z"', b'"at five past midnight"')

    def truncate(self, page: bytes) -> bytes:
        return page[:-20]

    def empty_pages(self) -> list[bytes]:
        return [page([result(0, HELD[0].name, {})], [HELD[0].described])]

    def served(self, server: FaultyServer) -> AwsGpuMetricsSettings:
        CloudWatch(HELD, most_values=4).serve(server)
        return settings(endpoint_url=server.url)

    def served_loop(self, server: FaultyServer) -> AwsGpuMetricsSettings:
        CloudWatch(HELD, more={"NextToken": "0"}).serve(server)
        return settings(endpoint_url=server.url, container_insights=False)


def test_the_metrics_of_a_minute_are_one_row_of_the_machine_that_the_bill_names() -> None:
    found = [agent("utilization_gpu", {"00:01": 61.5}), agent("memory_used", {"00:01": 1024.0})]
    found += [agent("memory_free", {"00:01": 22000.0}), agent("power_draw", {"00:01": 71.25})]
    (row,) = rows(*map(one, found))
    told = {name: value for name, value in row.items() if value not in (None, "") and not name.startswith("x_")}
    assert told == {
        "sampled_at": datetime(2026, 9, 3, 0, 1),
        "sample_date": date(2026, 9, 3),
        "cluster": "prod",
        "hostname": "ip-10-0-0-7",
        "tells_holders": False,
        "instance_id": "i-0abc",
        "gpu_uuid": "i-0abc/0",
        "gpu_index": 0,
        "gpu_model_name": "NVIDIA L4",
        "gpu_util_ratio": 0.615,
        "memory_used_mib": 1024.0,
        "memory_free_mib": 22000.0,
        "power_watts": 71.25,
    }
    assert json.loads(row["x_extra"]) == {"architecture": "Ada"}


def test_time_with_memory_touched_is_no_bandwidth() -> None:
    (row,) = rows(one(agent("utilization_memory", {"00:01": 40.0})))
    assert (row["dram_active_ratio"], json.loads(row["x_extra"])["utilization_memory_percent"]) == (None, 40.0)


def test_a_node_of_eks_is_named_by_its_machine_and_by_its_node() -> None:
    (row,) = rows(one(node("utilization", {"12:00": 30.0})), one(node("memory_used", {"12:00": 2.0 * 1024**2})))
    assert [row[name] for name in ("gpu_uuid", "gpu_index", "instance_id", "hostname", "namespace", "pod")] == [
        "i-0def/3",
        3,
        "i-0def",
        "ip-10-0-0-9.ec2.internal",
        "",
        "",
    ]
    assert (row["gpu_util_ratio"], row["memory_used_mib"], row["sm_active_ratio"]) == (0.3, 2.0, None)
    assert json.loads(row["x_extra"]) == {"cluster_name": "prod", "instance_type": "p5.48xlarge"}


def test_a_gpu_of_a_pod_names_its_holder_and_no_machine() -> None:
    dimensions = {
        "ClusterName": "prod",
        "Namespace": "ml",
        "PodName": "train",
        "FullPodName": "train-7f9",
        "GpuDevice": "nvidia0",
    }
    (row,) = rows(one(Held("ContainerInsights", "pod_gpu_utilization", dimensions, {"12:00": 30.0})))
    assert (row["namespace"], row["pod"], row["gpu_uuid"]) == ("ml", "train-7f9", "train-7f9/0")
    assert (row["hostname"], row["instance_id"]) == (None, None)


def test_pods_without_a_machine_are_named_with_the_gpus_that_they_held() -> None:
    held = [
        Held(
            "ContainerInsights",
            "pod_gpu_utilization",
            {"Namespace": "ml", "FullPodName": pod, "GpuDevice": f"nvidia{device}"},
            {"12:00": 30.0},
        )
        for pod, device in (("a", 0), ("a", 1), ("b", 0), ("c", 0), ("d", 0))
    ]
    machine = Held(
        "ContainerInsights", "node_gpu_utilization", {"InstanceId": "i-1", "GpuDevice": "nvidia0"}, {"12:00": 3.0}
    )
    assert parsed(*map(one, held), one(machine)).notices == (
        (
            "no machine is named for ml/a, ml/b, ml/c and 1 more, which held 5 GPUs: their time joins no bill and stands in "
            "gpu_unbilled; the cluster's own metrics say which node a pod is on"
        ),
    )
    assert parsed(one(machine)).notices == ()


def test_a_gpu_without_a_host_name_is_named_by_its_instance() -> None:
    held = Held("CWAgent", "nvidia_smi_utilization_gpu", {"InstanceId": "i-1", "index": "2"}, {"00:01": 5.0})
    (row,) = rows(one(held))
    assert (row["hostname"], row["gpu_uuid"], row["x_extra"]) == ("i-1", "i-1/2", None)


def test_a_machine_of_ones_own_is_named_by_its_host() -> None:
    held = Held("CWAgent", "nvidia_smi_utilization_gpu", {"host": "dgx-1", "index": "2"}, {"00:01": 5.0})
    (row,) = rows(one(held))
    assert (row["hostname"], row["instance_id"], row["gpu_uuid"]) == ("dgx-1", None, "dgx-1/2")


@pytest.mark.parametrize("value", [127.0, -1.0, float("nan")])
def test_a_value_out_of_range_is_null_and_refused(value: float) -> None:
    chunk = parsed(one(agent("utilization_gpu", {"00:00": value, "00:01": 5.0})))
    assert [row["gpu_util_ratio"] for row in chunk.rows.to_pylist()] == [None, 0.05]
    (reject,) = chunk.rejects
    assert (reject.reason, reject.row, reject.column_name) == ("out_of_range", 1, "gpu_util_ratio")
    assert "nvidia_smi_utilization_gpu" in reject.payload


def test_a_minute_without_a_value_has_no_row() -> None:
    found = rows(one(agent("utilization_gpu", {"00:00": 0.0, "00:02": 0.0})))
    assert [row["sampled_at"].minute for row in found] == [0, 2]


def test_a_minute_of_another_day_is_refused() -> None:
    held = agent("utilization_gpu", {"00:00": 1.0})
    chunk = parsed(page([result(0, held.name, held.values, day="2026-09-04")], [held.described]))
    assert (chunk.rows.num_rows, [reject.reason for reject in chunk.rejects]) == (0, ["outside_window"])


def test_two_namespaces_that_tell_the_same_gpu_make_one_row() -> None:
    both = [
        one(agent("utilization_gpu", {"00:00": 40.0, "00:01": 41.0}, InstanceId="i-0def", index="3")),
        one(node("utilization", {"00:00": 42.0, "00:01": 41.0})),
    ]
    for given in (both, both[::-1]):
        chunk = parsed(*given)
        assert sorted(chunk.rows["gpu_util_ratio"].to_pylist()) == [0.41, 0.42]
        assert len(set(chunk.rows["gpu_model_name"].to_pylist())) == 1
        assert chunk.notices == (
            "1 readings were told twice with another value for the same GPU, holder and instant; the highest was kept",
        )


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_values_that_cloudwatch_left_out_are_no_delivery(status: str) -> None:
    held = agent("utilization_gpu", {"00:00": 1.0})
    with pytest.raises(IncompleteDeliveryError, match=f"m0 with {status} on page 1"):
        parsed(page([result(0, held.name, held.values, status)], [held.described]))


def test_a_message_of_cloudwatch_is_no_delivery() -> None:
    said = [{"Code": "MaxMetricsExceeded", "Value": "too many"}]
    with pytest.raises(IncompleteDeliveryError, match="MaxMetricsExceeded"):
        parsed(one(HELD[0], Messages=said))


def test_a_missing_page_is_no_delivery() -> None:
    with pytest.raises(IncompleteDeliveryError, match="another follows"):
        parsed(one(HELD[0], token="4"))


@pytest.mark.parametrize(
    "results", [[result(7, "x", {"00:00": 1.0})], [{"Id": "m0", "Timestamps": ["a"], "Values": []}], [7]]
)
def test_an_answer_to_another_question_is_no_delivery(results: list[Any]) -> None:
    with pytest.raises(IncompleteDeliveryError, match="no answer to the question"):
        parsed(page(results, [HELD[0].described]))


def test_five_hundred_metrics_are_asked_for_at_once(server: FaultyServer) -> None:
    cloud = CloudWatch([agent("utilization_gpu", {"00:00": 1.0}, InstanceId=f"i-{n}") for n in range(1001)])
    pages = fetched(cloud, server)
    assert [len(q["MetricDataQueries"]) for q in cloud.questions("GetMetricData")] == [500, 500, 1]
    assert len(rows(*pages)) == 1001
    assert len(cloud.questions("ListMetrics")) == 5 + 3 + 2  # names, and the pages after the first of one of them


def test_instants_are_asked_for_in_utc_wherever_the_machine_stands(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        cloud = CloudWatch(HELD)
        pages = fetched(cloud, server)
        (asked,) = cloud.questions("GetMetricData")
        assert (asked["StartTime"], asked["EndTime"]) == (
            datetime(2026, 9, 3, tzinfo=UTC),
            datetime(2026, 9, 4, tzinfo=UTC),
        )
        assert rows(*pages)[0]["sampled_at"] == datetime(2026, 9, 3)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_sums_over_gpus_and_coarser_dimensions_are_not_asked_for(server: FaultyServer) -> None:
    full = agent("utilization_gpu", {"00:00": 1.0})
    rollups = [
        Held("CWAgent", full.name, {"InstanceId": "i-0abc"}, {"00:00": 9.0}),
        Held("CWAgent", full.name, {}, {"00:00": 9.0}),
        Held("CWAgent", full.name, {"InstanceId": "i-0abc", "index": "0"}, {"00:00": 9.0}),
        Held("ContainerInsights", "node_gpu_utilization", {"ClusterName": "prod"}, {"00:00": 9.0}),
    ]
    cloud = CloudWatch([*rollups, full])
    (row,) = rows(*fetched(cloud, server))
    assert row["gpu_util_ratio"] == 0.01


def test_only_the_clusters_that_are_wanted_are_read(server: FaultyServer) -> None:
    other = node("utilization", {"00:00": 9.0}, ClusterName="lab", InstanceId="i-9")
    cloud = CloudWatch([node("utilization", {"00:00": 1.0}), other, HELD[0]])
    found = rows(*fetched(cloud, server, clusters=["prod"], agent_namespace=None))
    assert [row["instance_id"] for row in found] == ["i-0def"]


def test_a_day_older_than_fifteen_days_is_read_in_means_over_five_minutes(server: FaultyServer) -> None:
    held = Held("CWAgent", "nvidia_smi_utilization_gpu", AGENT, {"00:00": 1.0, "00:05": 2.0}, finest_seconds=300)
    pages = fetched(CloudWatch([held]), server)
    chunk = parsed(*pages)
    assert chunk.rows["gpu_util_ratio"].to_pylist() == [0.01, 0.02]
    assert chunk.notices == ("1 series are means over 300 s: CloudWatch keeps means over a minute for 15 days",)


def test_a_day_of_which_only_hours_are_left_is_refused_in_words(server: FaultyServer) -> None:
    held = Held("CWAgent", "nvidia_smi_utilization_gpu", AGENT, {"00:00": 1.0}, finest_seconds=3600)
    with pytest.raises(SourceError, match="keeps only hours of 2026-09-03"):
        fetched(CloudWatch([held]), server)


def test_a_day_on_which_no_gpu_reported_is_a_delivery_of_nothing(server: FaultyServer) -> None:
    cloud = CloudWatch([agent("utilization_gpu", {})])
    assert fetched(cloud, server) == []
    periods = [q["MetricDataQueries"][0]["MetricStat"]["Period"] for q in cloud.questions("GetMetricData")]
    assert periods == [60, 300, 3600]


def test_an_account_without_gpus_is_asked_for_no_values(server: FaultyServer) -> None:
    cloud = CloudWatch([])
    assert fetched(cloud, server) == []
    assert cloud.questions("GetMetricData") == []
    with pytest.raises(SourceError, match="lists no GPU in CWAgent or ContainerInsights"):
        AwsGpuMetrics().probe(settings(endpoint_url=server.url))


def test_the_probe_counts_gpus_and_not_metrics(server: FaultyServer) -> None:
    CloudWatch(HELD).serve(server)
    assert AwsGpuMetrics().probe(settings(endpoint_url=server.url)) == "CloudWatch in us-east-1: metrics of 2 GPUs"


def test_asked_too_often_is_waited_out(server: FaultyServer, naps: list[float]) -> None:
    server.inject(*[json_error("ThrottlingException", "Rate exceeded")] * 3)
    assert len(fetched(CloudWatch(HELD), server)) == 1
    assert len(naps) == 3


@pytest.mark.usefixtures("naps")
def test_asked_too_often_for_good_is_said(server: FaultyServer) -> None:
    server.inject_always(json_error("Throttling", "Rate exceeded"))
    with pytest.raises(SourceError, match=r"asked too often \(Throttling\)"):
        fetched(CloudWatch(HELD), server)


def test_a_missing_permission_is_named(server: FaultyServer) -> None:
    server.inject_always(json_error("AccessDeniedException", "User AKIAEXAMPLE is not authorized", 403))
    with pytest.raises(AuthenticationError, match="cloudwatch:ListMetrics") as failure:
        fetched(CloudWatch(HELD), server)
    assert "AKIAEXAMPLE" not in str(failure.value)


def test_the_values_of_motos_server_are_read(moto_url: str) -> None:
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", endpoint_url=moto_url, aws_access_key_id="a", aws_secret_access_key="b"
    )
    day = datetime.now(UTC).replace(hour=0, minute=0, second=10, microsecond=0) - timedelta(
        days=1
    )  # it lists two weeks
    named = [{"Name": name, "Value": value} for name, value in AGENT.items()]
    for minute, value in ((0, 0.0), (1, 50.0), (1, 100.0), (1439, 7.0)):
        at = day + timedelta(minutes=minute)
        datum = {"MetricName": "nvidia_smi_utilization_gpu", "Dimensions": named, "Timestamp": at, "Value": value}
        client.put_metric_data(Namespace="CWAgent", MetricData=[datum])
    source, given, window = AwsGpuMetrics(), settings(endpoint_url=moto_url), day_window(day.date())
    contents = list[bytes]()
    for found in source.fetch(given, window):
        with found.body.open() as stream:
            contents.append(stream.read())
    (chunk,) = source.parse(given, window, land(contents))
    told = [(row["sampled_at"], row["gpu_util_ratio"]) for row in chunk.rows.to_pylist()]
    assert told == [
        (window.start, 0.0),
        (window.start + timedelta(minutes=1), 0.75),
        (window.start + timedelta(minutes=1439), 0.07),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"regions": []},
        {"agent_namespace": None, "container_insights": False},
        {"container_insights": False, "clusters": ["prod"]},
        {"container_insights": False, "pods": True},
        {"trailing_days": 14},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        settings(**wrong)
