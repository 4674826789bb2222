"""List prices of the catalog: exact money, tiers, regions, terms, GPUs, models."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import AuthenticationError, IncompleteDeliveryError, Parsed, SourceError
from connectors.gcp.answers import Patience
from connectors.gcp.prices import GcpPricesSettings, GcpPricesSource
from connectors.windows import day_window
from tests.connectors.conformance import land
from tests.connectors.faulty_server import FaultyServer, json_answer
from tests.connectors.gcp.lines import SHARED

SOURCE = GcpPricesSource(Patience(tries=3, first_wait_seconds=0.001, longest_wait_seconds=0.001))
DAY = day_window(date(2026, 9, 3))
EXAMPLES = SHARED / "contracts/examples_providers/gcp"


def sku(description: str, usage_type: str = "OnDemand", *rates: dict[str, Any], **over: Any) -> dict[str, Any]:
    category = {"serviceDisplayName": "Compute Engine", "resourceGroup": "GPU", "usageType": usage_type}
    expression = {"usageUnit": "h", "usageUnitDescription": "hour", "tieredRates": list(rates) or [rate(560040000)]}
    return {
        "name": "services/6F81-5844-456A/skus/A",
        "skuId": "A",
        "description": description,
        "category": category,
        "serviceRegions": ["us-east4"],
        "pricingInfo": [{"effectiveTime": "2026-09-01T00:00:00Z", "pricingExpression": expression}],
        **over,
    }


def rate(nanos: int | None = None, units: str | None = None, start: float | None = None) -> dict[str, Any]:
    price = {"currencyCode": "USD", "units": units, "nanos": nanos}
    found = {"unitPrice": {name: value for name, value in price.items() if value is not None}}
    return found if start is None else {**found, "startUsageAmount": start}


def vertex(description: str, unit: str = "count") -> dict[str, Any]:
    expression = {"usageUnit": unit, "usageUnitDescription": unit, "tieredRates": [rate(1250)]}
    return sku(
        description,
        name="services/C7E2-9256-1C43/skus/V",
        category={"serviceDisplayName": "Vertex AI", "resourceGroup": "GenAI", "usageType": "OnDemand"},
        pricingInfo=[{"pricingExpression": expression}],
        serviceRegions=["global"],
    )


def parsed(*skus: dict[str, Any], **over: Any) -> list[Parsed]:
    settings = GcpPricesSettings.model_validate({"name": "list", "credentials": "ambient", **over})
    return list(SOURCE.parse(settings, DAY, land([json.dumps({"skus": skus}).encode()])))


def rows(*skus: dict[str, Any], **over: Any) -> list[dict[str, Any]]:
    chunks = parsed(*skus, **over)
    assert [reject for chunk in chunks for reject in chunk.rejects] == []
    return [row for chunk in chunks for row in chunk.rows.to_pylist()]


@pytest.mark.parametrize(
    ("given", "price"),
    [
        (rate(560040000), "0.56004"),
        (rate(1, "12"), "12.000000001"),
        (rate(units="3"), "3"),
        (rate(), "0"),  # the message leaves out what is zero
    ],
)
def test_a_price_is_units_and_billionths(given: dict[str, Any], price: str) -> None:
    (row,) = rows(sku("Nvidia L4 GPU running in Virginia", "OnDemand", given))
    assert (row["unit_price"], row["currency"], row["pricing_unit"]) == (Decimal(price), "USD", "hour")
    assert row["valid_from"] == datetime(2026, 9, 1)


@pytest.mark.parametrize(
    ("usage_type", "option", "months", "payment"),
    [
        ("OnDemand", "on_demand", None, None),
        ("Preemptible", "spot", None, None),
        ("Commit1Yr", "committed_use", 12, "no_upfront"),
        ("Commit3Yr", "committed_use", 36, "no_upfront"),
    ],
)
def test_the_usage_type_is_how_it_is_bought(usage_type: str, option: str, months: int | None, payment: str) -> None:
    (row,) = rows(sku("Nvidia L4 GPU running in Iowa", usage_type))
    assert (row["purchase_option"], row["term_months"], row["payment_option"]) == (option, months, payment)


@pytest.mark.parametrize(
    ("description", "model"),
    [
        ("Nvidia L4 GPU running in Virginia", "NVIDIA L4"),
        ("Nvidia H100 80GB GPU attached to Spot Preemptible VMs running in Americas", "NVIDIA H100 80GB"),
        ("Commitment v1: Nvidia L4 GPU running in Iowa for 1 Year", "NVIDIA L4"),
        ("Nvidia Tesla A100 80GB GPU attached to DWS Defined Duration VMs running in Iowa", "NVIDIA Tesla A100 80GB"),
        ("Nvidia Tesla T4 GPU running in Tokyo", "NVIDIA Tesla T4"),
        ("GPU of the future", None),
    ],
)
def test_a_gpu_s_sku_is_the_price_of_one(description: str, model: str | None) -> None:
    (row,) = rows(sku(description))
    assert (row["gpu_model_name"], row["gpu_count"]) == (model, 1 if model else None)


def test_every_tier_and_region_is_a_price_of_its_own() -> None:
    found = rows(
        sku("Nvidia L4 GPU", "OnDemand", rate(2), rate(1, start=1024.0), serviceRegions=["us-east4", "europe-west4"])
    )
    nano = Decimal("1e-9")
    assert [(r["region_id"], r["quantity_from"], r["unit_price"], r["x_row"]) for r in found] == [
        ("us-east4", 0, 2 * nano, 1),
        ("europe-west4", 0, 2 * nano, 2),
        ("us-east4", 1024, nano, 3),
        ("europe-west4", 1024, nano, 4),
    ]


def test_a_model_s_price_is_of_tokens_everywhere() -> None:
    (row,) = rows(vertex("Gemini 2.5 Pro Text Input - Predictions"))
    said = [row[name] for name in ("x_model_id", "x_token_class", "x_service_tier", "pricing_unit", "region_id")]
    assert said == ["gemini-2.5-pro", "input_uncached", "default", "Tokens", None]
    assert row["unit_price"] * 1_000_000 == Decimal("1.25")


def test_a_price_of_long_contexts_is_a_tier_of_its_own() -> None:
    found = rows(
        vertex("Gemini 2.5 Pro Text Input - Predictions"),
        vertex("Gemini 2.5 Pro Text Input (Long) - Predictions"),
        vertex("Gemini 2.5 Pro Long Text Output - Batch Predictions"),
    )
    assert [(r["x_token_class"], r["x_service_tier"]) for r in found] == [
        ("input_uncached", "default"),
        ("input_uncached", "default+long-context"),
        ("output_text", "batch+long-context"),
    ]


def test_prices_of_images_and_characters_have_no_token_class() -> None:
    found = rows(
        vertex("Gemini 2.5 Pro Image Input - Predictions"),
        vertex("Gemini 1.5 Pro Text Input - Predictions"),
    )
    assert [(r["x_token_class"], r["pricing_unit"]) for r in found] == [
        (None, "Tokens"),
        (None, "Characters"),
    ]


def test_of_compute_engine_the_wanted_groups_are_kept() -> None:
    core = sku(
        "N2 Core", category={"serviceDisplayName": "Compute Engine", "resourceGroup": "CPU", "usageType": "OnDemand"}
    )
    gpu = sku("Nvidia L4 GPU")
    assert [r["sku_description"] for r in rows(core, gpu)] == ["Nvidia L4 GPU"]
    assert len(rows(core, gpu, compute_groups=[])) == 2


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (sku("GPU", "Barter"), "unknown_usage_type"),
        (sku("GPU", "OnDemand", {"startUsageAmount": 0}), "missing_value"),
        (sku("GPU", "OnDemand", {"unitPrice": {"currencyCode": "EUR", "units": "1"}}), "wrong_currency"),
        (sku("GPU", "OnDemand", {"unitPrice": {"currencyCode": "USD", "units": "one"}}), "unreadable_number"),
        (sku("GPU", pricingInfo=[]), "missing_value"),
        (sku("GPU", skuId=None), "missing_value"),
    ],
)
def test_a_price_that_cannot_be_staged_is_refused(broken: dict[str, Any], reason: str) -> None:
    chunks = parsed(sku("Nvidia L4 GPU"), broken)
    assert [r.reason for chunk in chunks for r in chunk.rejects] == [reason]
    assert sum(chunk.rows.num_rows for chunk in chunks) == 1


def test_what_is_no_answer_of_the_catalog_is_no_delivery() -> None:
    settings = GcpPricesSettings.model_validate({"name": "list", "credentials": "ambient"})
    with pytest.raises(IncompleteDeliveryError, match="no answer of the Cloud Billing catalog"):
        list(SOURCE.parse(settings, DAY, land([b'{"skus": "none"}'])))


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples (../shared/contracts) are not here")
def test_the_example_is_served_and_read(server: FaultyServer) -> None:
    server.route("/v1/services/6F81-5844-456A/skus", json_answer((EXAMPLES / "catalog_skus_list.json").read_bytes()))
    given = {"name": "list", "endpoint": server.url, "services": ["6F81-5844-456A"]}
    settings = GcpPricesSettings.model_validate(given)
    pages = []
    for page in SOURCE.fetch(settings, DAY):
        with page.body.open() as stream:
            pages.append(stream.read())
    assert server.requests[0].query["currencyCode"] == ["USD"]
    (row,) = [r for chunk in SOURCE.parse(settings, DAY, land(pages)) for r in chunk.rows.to_pylist()]
    said = ("sku_id", "gpu_model_name", "purchase_option", "region_id", "unit_price", "pricing_unit")
    expected = ("AAAA-0002-L4SP", "NVIDIA L4", "spot", "us-central1", Decimal("0.224"), "hour")
    assert tuple(row[name] for name in said) == expected


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples (../shared/contracts) are not here")
def test_an_exhausted_quota_is_waited_for_and_then_told(server: FaultyServer) -> None:
    body = json.dumps(json.loads((EXAMPLES / "error_429.json").read_text())["body"]).encode()
    server.inject_always(json_answer(body, 429))
    settings = GcpPricesSettings.model_validate({"name": "list", "endpoint": server.url})
    with pytest.raises(SourceError, match=r"HTTP 429.*Quota exceeded"):
        list(SOURCE.fetch(settings, DAY))
    assert len(server.requests) == 3


def test_a_key_without_the_api_is_told_at_once(server: FaultyServer) -> None:
    found = {"error": {"code": 403, "message": "Cloud Billing API has not been used", "status": "PERMISSION_DENIED"}}
    server.inject_always(json_answer(json.dumps(found).encode(), 403))
    settings = GcpPricesSettings.model_validate({"name": "list", "endpoint": server.url})
    with pytest.raises(AuthenticationError, match="Cloud Billing API enabled"):
        list(SOURCE.fetch(settings, DAY))
    assert len(server.requests) == 1


def test_the_list_is_read_as_it_stands_on_the_night_s_day() -> None:
    settings = GcpPricesSettings.model_validate({"name": "list", "credentials": "ambient"})
    assert SOURCE.windows(settings, date(2026, 9, 3)) == [DAY]
