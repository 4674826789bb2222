"""What Azure Monitor counted for each deployment and hour, and what it leaves unknown."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors.azure.metrics import CACHE_RATE, UTILISATION
from connectors.azure.usage import SOURCE, AzureUsageSource
from connectors.azure.usage_settings import AzureUsageSettings
from connectors.base import Bytes, IncompleteDeliveryError, Page, Window
from connectors.http import Pace
from connectors.windows import day_window
from tests.connectors.azure.tokens import TOKEN, token_credential
from tests.connectors.azure.written import frame, landed
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

ACCOUNTS = "subscriptions/s1/resourcegroups/rg/providers/microsoft.cognitiveservices/accounts"
DAY = day_window(date(2026, 9, 3))
EXAMPLE = (
    Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers/azure/monitor_metrics_openai.json"
)
NAMES = {
    "prompt": "ProcessedPromptTokens",
    "generated": "GeneratedTokens",
    "requests": "AzureOpenAIRequests",
    "used": "AzureOpenAIProvisionedManagedUtilizationV2",
    "cached": "AzureOpenAIContextTokensCacheMatchRate",
}
Series = Mapping[str, Mapping[str, Any]]


def metric(name: str, series: Series, account: str = "one", **over: Any) -> dict[str, Any]:
    """A metric; `series` maps a deployment to its value at an hour."""
    kind = "average" if name in (*UTILISATION, *CACHE_RATE) else "total"
    return {
        "id": f"/{ACCOUNTS}/{account}/providers/Microsoft.Insights/metrics/{name}",
        "name": {"value": name},
        "errorCode": "Success",
        "timeseries": [
            {
                "metadatavalues": [
                    {"name": {"value": "modeldeploymentname"}, "value": deployment},
                    {"name": {"value": "modelname"}, "value": "gpt-4.1"},
                ],
                "data": [
                    {"timeStamp": f"2026-09-03T{hour}:00:00Z", **({} if value is None else {kind: value})}
                    for hour, value in values.items()
                ],
            }
            for deployment, values in series.items()
        ],
        **over,
    }


def answer(*metrics: dict[str, Any], **over: Any) -> bytes:
    return json.dumps({"interval": "PT1H", "resourceregion": "eastus2", "value": list(metrics), **over}).encode()


def settings(**over: Any) -> AzureUsageSettings:
    return AzureUsageSettings.model_validate(
        {"name": "monitor", "credentials": "ambient", "resources": [f"/{ACCOUNTS}/one"], **over}
    )


def rows(*pages: bytes) -> list[dict[str, Any]]:
    given = landed([Page(f"page-{n}", Bytes(content)) for n, content in enumerate(pages)])
    return frame(list(SOURCE.parse(settings(), DAY, given))).sort("usage_start", "deployment_id").rows(named=True)


class TestUsage(ConnectorConformance):
    source = AzureUsageSource(token_credential, Pace(sleep=Clock().sleep))
    secrets = (TOKEN,)
    inapplicable: ClassVar[Mapping[str, str]] = {"page_loop": "one answer holds a resource's day: there are no cursors"}

    def settings(self, **over: Any) -> AzureUsageSettings:
        return settings(**{"resources": [f"/{ACCOUNTS}/one", f"/{ACCOUNTS}/two"], **over})

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return [
            answer(
                metric(NAMES["prompt"], {"prod": {"00": 1000.0, "01": 20.0}, "test": {"00": 5.0}}, account),
                metric(NAMES["generated"], {"prod": {"00": 100.0, "01": 2.0}}, account),
                metric(NAMES["used"], {"prod": {"00": 61.5}}, account),
            )
            for account in ("one", "two")
        ]

    def count_source_rows(self, pages: list[bytes]) -> int:
        hours = set[tuple[int, str, str]]()
        for number, content in enumerate(pages):
            for found in json.loads(content)["value"]:
                for series in found["timeseries"]:
                    deployment = series["metadatavalues"][0]["value"]
                    hours |= {(number, deployment, point["timeStamp"]) for point in series["data"] if len(point) > 1}
        return len(hours)

    def add_unknown_column(self, page: bytes) -> bytes:
        found = json.loads(page)
        found["value"].append(metric(self.unknown_name, {"prod": {"00": 9.0}}))
        return json.dumps(found).encode()

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"total": 5.0', b'"total": 5.5')

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [answer(metric(NAMES["prompt"], {}))]

    def served(self, server: FaultyServer) -> AzureUsageSettings:
        for account, content in zip(("one", "two"), self.pages(), strict=True):
            server.route(f"/{ACCOUNTS}/{account}/providers/Microsoft.Insights/metrics", self._answers(content))
            server.route(
                f"/{ACCOUNTS}/{account}/providers/Microsoft.Insights/metricDefinitions", json_answer(b'{"value": []}')
            )
        return self.settings(endpoint=server.url)

    def _answers(self, content: bytes) -> Any:
        def respond(request: Request) -> Answer:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            assert request.query["timespan"] == ["2026-09-03T00:00:00Z/2026-09-04T00:00:00Z"]
            assert request.query["interval"] == ["PT1H"]
            assert request.query["top"] == ["5000"]
            assert request.query["$filter"] == ["ModelDeploymentName eq '*' and ModelName eq '*'"]
            assert request.query["metricnames"] == [",".join(NAMES.values())]
            return json_answer(content)

        return respond


def test_the_metrics_of_an_hour_and_a_deployment_are_one_row() -> None:
    page = answer(
        metric(NAMES["prompt"], {"prod": {"00": 1000.0}}),
        metric(NAMES["generated"], {"prod": {"00": 100.0}}),
        metric(NAMES["requests"], {"prod": {"00": 3.0}}),
        metric(NAMES["used"], {"prod": {"00": 61.5}}),
        metric(NAMES["cached"], {"prod": {"00": 12.5}}),
    )
    (found,) = rows(page)
    assert {name: value for name, value in found.items() if value is not None and not name.startswith("x_")} == {
        "usage_start": datetime(2026, 9, 3),
        "usage_end": datetime(2026, 9, 3, 1),
        "usage_date": date(2026, 9, 3),
        "provider_name": "Microsoft",
        "operation": "inference",
        "sub_account_id": "s1",
        "resource_id": f"/{ACCOUNTS}/one",
        "deployment_id": "prod",
        "model": "gpt-4.1",
        "service_tier": "provisioned",
        "region_id": "eastus2",
        "request_count": 3,
        "input_total_tokens": 1000,
        "output_text_tokens": 100,
        "output_total_tokens": 100,
        "input_semantics": "inclusive",
        "utilisation_ratio": 0.615,
    }
    assert json.loads(found["x_extra"]) == {"cache_match_percent": "12.5"}


def test_a_point_without_a_value_is_unknown_and_not_zero() -> None:
    page = answer(
        metric(NAMES["prompt"], {"prod": {"00": 1000.0, "01": None, "02": 0.0}}),
        metric(NAMES["generated"], {"prod": {"00": None, "01": None, "02": 0.0}}),
    )
    first, second = rows(page)
    assert (first["input_total_tokens"], first["output_total_tokens"]) == (1000, None)
    assert (second["usage_start"].hour, second["input_total_tokens"], second["output_total_tokens"]) == (2, 0, 0)


def test_an_hour_of_idle_capacity_is_capacity() -> None:
    (found,) = rows(answer(metric(NAMES["used"], {"prod": {"05": 0.0}})))
    assert (found["operation"], found["utilisation_ratio"], found["input_total_tokens"]) == (
        "provisioned_throughput",
        0.0,
        None,
    )


def test_the_newer_metrics_count_the_same() -> None:
    page = answer(
        metric("InputTokens", {"prod": {"00": 7.0}}),
        metric("OutputTokens", {"prod": {"00": 2.0}}),
        metric("ModelRequests", {"prod": {"00": 1.0}}),
    )
    (found,) = rows(page)
    assert (found["input_total_tokens"], found["output_total_tokens"], found["request_count"]) == (7, 2, 1)


def test_the_newer_metrics_know_how_much_of_the_throughput_units_was_used() -> None:
    page = answer(
        metric("InputTokens", {"prod": {"00": 7.0}}),
        metric("ProvisionedUtilization", {"prod": {"00": 62.5, "01": 0.0}}),
        metric("TokensCacheMatchRate", {"prod": {"00": 40.0}}),
    )
    used, idle = rows(page)
    assert (used["utilisation_ratio"], used["service_tier"], used["operation"]) == (0.625, "provisioned", "inference")
    assert json.loads(used["x_extra"])["cache_match_percent"] == "40.0"
    assert (idle["utilisation_ratio"], idle["operation"]) == (0.0, "provisioned_throughput")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (answer(metric(NAMES["prompt"], {}, errorCode="DataNotAvailable")), "which is not zero"),
        (answer(metric(NAMES["prompt"], {}), interval="PT5M"), "hours were asked for"),
        (answer(metric(NAMES["prompt"], {f"d{n}": {"00": 1.0} for n in range(5000)})), "series or more"),
        (b'{"value": [{}], "interval": "PT1H"}', "no answer of Azure Monitor"),
        (b"[]", "no answer of Azure Monitor"),
    ],
)
def test_an_answer_that_does_not_tell_all_is_no_delivery(page: bytes, words: str) -> None:
    with pytest.raises(IncompleteDeliveryError, match=words):
        rows(page)


def test_an_hour_of_another_day_is_refused() -> None:
    given = landed([Page("page", Bytes(answer(metric(NAMES["prompt"], {"prod": {"00": 1.0}}))))])
    (chunk,) = SOURCE.parse(settings(), day_window(date(2026, 9, 4)), given)
    assert [reject.reason for reject in chunk.rejects] == ["wrong_time"]


def test_the_providers_example_is_read() -> None:
    if not EXAMPLE.is_file():
        pytest.skip("the provider's examples are not beside this checkout")
    (found,) = rows(EXAMPLE.read_bytes())
    assert (found["deployment_id"], found["model"]) == ("gpt41-prod", None)
    assert (found["input_total_tokens"], found["output_total_tokens"]) == (1_000_000, 500_000)
    assert found["utilisation_ratio"] == 0.615


@pytest.mark.parametrize("resources", [[], ["one"], ["/subscriptions/1"], [f"/{ACCOUNTS}/one", f"{ACCOUNTS}/ONE/"]])
def test_resources_that_cannot_be_asked_are_refused(resources: list[str]) -> None:
    with pytest.raises(ValidationError, match="resource"):
        settings(resources=resources)
