"""Azure's retail price list: machines and models, spot, reserved and by savings plan."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from connectors.azure.gpu_sizes import gpus_of
from connectors.azure.prices import SOURCE, AzurePricesSource
from connectors.azure.prices_settings import AzurePricesSettings
from connectors.base import Bytes, IncompleteDeliveryError, Page, Parsed, Window
from connectors.http import Pace
from connectors.windows import day_window
from models.frames import schema_of
from models.list_readings import after_readings
from models.pricing import cloud_price_rows, identity_rows, price_rows
from tests.connectors.azure.written import frame, landed
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer

DAY = day_window(date(2026, 9, 3))
EXAMPLE = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers/azure/retail_prices.json"
ITEM: Mapping[str, Any] = {
    "currencyCode": "USD",
    "tierMinimumUnits": 0.0,
    "retailPrice": 98.32,
    "unitPrice": 98.32,
    "armRegionName": "eastus2",
    "location": "US East 2",
    "effectiveStartDate": "2026-01-01T00:00:00Z",
    "meterId": "m-1",
    "meterName": "ND96isr H100 v5",
    "productId": "P1",
    "skuId": "P1/0001",
    "productName": "Virtual Machines NDsrH100v5 Series",
    "skuName": "ND96isr H100 v5",
    "serviceName": "Virtual Machines",
    "serviceId": "S1",
    "serviceFamily": "Compute",
    "unitOfMeasure": "1 Hour",
    "type": "Consumption",
    "isPrimaryMeterRegion": True,
    "armSkuName": "Standard_ND96isr_H100_v5",
}


def item(**over: Any) -> dict[str, Any]:
    return {**ITEM, **over}


def page(*items: Mapping[str, Any], following: str | None = None) -> bytes:
    return json.dumps(
        {"BillingCurrency": "USD", "Items": items, "NextPageLink": following, "Count": len(items)}
    ).encode()


def settings(**over: Any) -> AzurePricesSettings:
    offers = [{"service": "Virtual Machines", "regions": ["eastus2"], "skus": ["Standard_ND96isr_H100_v5"]}]
    return AzurePricesSettings.model_validate({"name": "list", "offers": offers, **over})


def parsed(*items: Mapping[str, Any]) -> Parsed:
    (chunk,) = SOURCE.parse(settings(), DAY, landed([Page("page", Bytes(page(*items)))]))
    return chunk


def one(**over: Any) -> dict[str, Any]:
    return frame([parsed(item(**over))]).row(0, named=True)


class TestPrices(ConnectorConformance):
    source = AzurePricesSource(Pace(sleep=Clock().sleep))

    def settings(self, **over: Any) -> AzurePricesSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        plans = [{"unitPrice": 60.5, "retailPrice": 60.5, "term": term} for term in ("1 Year", "3 Years")]
        first = page(item(savingsPlan=plans), item(meterId="m-2", retailPrice=7.25), following=self.link)
        return [first, page(item(meterId="m-3", type="Reservation", reservationTerm="1 Year", retailPrice=500000.0))]

    link = "https://prices.azure.com:443/api/retail/prices?api-version=2023-01-01-preview&$filter=x&$skip=1000"

    def count_source_rows(self, pages: list[bytes]) -> int:
        items = [found for content in pages for found in json.loads(content)["Items"]]
        return len(items) + sum(len(found.get("savingsPlan", ())) for found in items)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"currencyCode"', f'"{self.unknown_name}": 1, "currencyCode"'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"retailPrice": 7.25', b'"retailPrice": "many"')

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [page()]

    def served(self, server: FaultyServer) -> AzurePricesSettings:
        first, second = self.pages()

        def respond(request: Request) -> Answer:
            if "$skip" in request.query:
                return json_answer(second)
            assert request.query["currencyCode"] == ["'USD'"]
            parts = (
                "serviceName eq 'Virtual Machines'",
                "armRegionName eq 'eastus2'",
                "(armSkuName eq 'Standard_ND96isr_H100_v5')",
            )
            sold = "(priceType eq 'Consumption' or priceType eq 'Reservation')"
            assert request.query["$filter"] == [" and ".join([*parts, sold])]
            return json_answer(first)

        server.route("/api/retail/prices", respond)
        return self.settings(endpoint=f"{server.url}/api/retail/prices")

    def served_loop(self, server: FaultyServer) -> AzurePricesSettings:
        server.route("/api/retail/prices", json_answer(self.pages()[0]))
        return self.settings(endpoint=f"{server.url}/api/retail/prices")


def test_a_machine_on_demand_is_priced_by_the_hour_with_its_gpus() -> None:
    found = one()
    assert {name: value for name, value in found.items() if value is not None and not name.startswith("x_")} == {
        "provider_name": "Microsoft",
        "service_name": "Virtual Machines",
        "sku_id": "m-1",
        "sku_price_id": "P1/0001",
        "sku_description": "Virtual Machines NDsrH100v5 Series - ND96isr H100 v5 - ND96isr H100 v5",
        "region_id": "eastus2",
        "instance_type": "Standard_ND96isr_H100_v5",
        "gpu_count": 8,
        "gpu_model_name": "H100",
        "purchase_option": "on_demand",
        "quantity_from": Decimal(0),
        "pricing_unit": "Hours",
        "unit_price": Decimal("98.32"),
        "currency": "USD",
        "valid_from": datetime(2026, 1, 1),
    }


@pytest.mark.parametrize("name", ["ND96isr H100 v5 Spot", "ND96isr H100 v5 Low Priority"])
def test_capacity_that_can_be_taken_away_is_spot(name: str) -> None:
    assert one(skuName=name)["purchase_option"] == "spot"


def test_a_reservations_price_is_that_of_its_whole_term() -> None:
    found = one(type="Reservation", reservationTerm="3 Years", retailPrice=1234567.89)
    names = ("purchase_option", "term_months", "payment_option", "unit_price", "upfront_price")
    assert tuple(found[name] for name in names) == ("reserved", 36, "all_upfront", 0, Decimal("1234567.89"))


def test_each_savings_plan_is_a_price_of_its_own() -> None:
    plans = [{"retailPrice": 60.5, "term": "1 Year"}, {"retailPrice": 40.25, "term": "3 Years"}]
    found = frame([parsed(item(savingsPlan=plans))])
    assert found.select("purchase_option", "term_months", "unit_price").rows() == [
        ("on_demand", None, Decimal("98.32")),
        ("savings_plan", 12, Decimal("60.5")),
        ("savings_plan", 36, Decimal("40.25")),
    ]


@pytest.mark.parametrize(
    ("meter", "unit", "expected"),
    [
        ("gpt 4.1 cached Inp glbl Tokens", "1K", ("gpt-4.1", "cache_read", "default", "1000 Tokens", "on_demand")),
        ("5.4 opt Gl 1M Tokens", "1M", ("gpt-5.4", "output_text", "default", "1000000 Tokens", "on_demand")),
        ("Provisioned Managed Global Unit", "1 Hour", (None, None, "provisioned", "Hours", "provisioned")),
    ],
)
def test_a_models_price_is_known_by_model_and_class(meter: str, unit: str, expected: tuple[str | None, ...]) -> None:
    found = one(
        serviceName="Foundry Models", productName="Azure OpenAI", meterName=meter, armSkuName="", unitOfMeasure=unit
    )
    assert (
        tuple(found[n] for n in ("x_model_id", "x_token_class", "x_service_tier", "pricing_unit", "purchase_option"))
        == expected
    )
    assert found["instance_type"] is None


def model_prices(*meters: tuple[str, str, float]) -> Parsed:
    """Prices of a thousand tokens: meter, region, price."""
    service = {"serviceName": "Foundry Models", "productName": "Azure OpenAI", "armSkuName": "", "unitOfMeasure": "1K"}
    return parsed(
        *(
            item(**service, meterName=name, meterId=name, armRegionName=region, retailPrice=price)
            for name, region, price in meters
        )
    )


def priced(*meters: tuple[str, str, float]) -> tuple[list[tuple[Any, ...]], int]:
    """What the price book takes of them (a million tokens), and how many it refuses."""
    listed = after_readings(
        pl.DataFrame(schema=schema_of("listed_prices")), [("list", DAY.slice_date, frame([model_prices(*meters)]))]
    )
    names = listed.select("provider_name", "x_model_id").unique().rows()
    known = datetime(2026, 9, 3)
    lines, refused = cloud_price_rows(listed, identity_rows(names, {}), known, price_rows(known)[0])
    taken = lines.select("model_id", "region_id", "input_tokens_from", "usd_per_mtok")
    return sorted(taken.rows()), len(refused)


def test_a_deployments_reach_is_a_price_of_its_own_and_a_global_one_holds_everywhere() -> None:
    taken, refused = priced(
        ("gpt 4.1 Inp glbl Tokens", "eastus2", 0.002),
        ("gpt 4.1 Inp glbl Tokens", "westeurope", 0.002),
        ("gpt 4.1 Inp regnl Tokens", "eastus2", 0.0022),
        ("gpt 4.1 Inp DZone Tokens", "eastus2", 0.0021),
        ("gpt 4.1 Inp DZone Tokens", "westeurope", 0.0023),
    )
    assert refused == 0
    assert taken == [
        ("datazone.gpt-4.1", "eastus2", 0, Decimal("2.1")),
        ("datazone.gpt-4.1", "westeurope", 0, Decimal("2.3")),
        ("gpt-4.1", "", 0, Decimal(2)),
        ("regional.gpt-4.1", "eastus2", 0, Decimal("2.2")),
    ]


def test_prices_of_short_and_long_contexts_are_each_in_the_lists_own_band() -> None:
    taken, refused = priced(
        ("gpt 5.6 sol ShortCo Inp glbl Tokens", "eastus2", 0.002),
        ("gpt 5.6 sol LongCo Inp glbl Tokens", "eastus2", 0.004),
        ("gpt 5.6 sol ShortCo Inp DZone Tokens", "eastus2", 0.0022),
        ("gpt 5.6 sol LongCo Inp DZone Tokens", "eastus2", 0.0044),
    )
    assert refused == 0
    assert taken == [  # the general list's contexts of this model are long beyond 272,000 tokens
        ("datazone.gpt-5.6-sol", "eastus2", 0, Decimal("2.2")),
        ("datazone.gpt-5.6-sol", "eastus2", 272_001, Decimal("4.4")),
        ("gpt-5.6-sol", "", 0, Decimal(2)),
        ("gpt-5.6-sol", "", 272_001, Decimal(4)),
    ]


def test_the_region_of_a_global_price_and_the_reach_of_every_price_are_kept() -> None:
    extras = [json.loads(text) for text in frame([model_prices(("gpt 4.1 Inp glbl Tokens", "eastus2", 1))])["x_extra"]]
    assert [(extra["armRegionName"], extra["deployment_scope"]) for extra in extras] == [("eastus2", "Global")]


def test_prices_of_fine_tuned_models_are_of_no_model_and_told_as_what_they_are() -> None:
    found = model_prices(("o4-mini 0416 FT Inp glbl Tokens", "eastus2", 1), ("Tokens", "eastus2", 1))
    assert found.rows["x_model_id"].to_pylist() == [None, None]
    assert sorted(notice.split(" ", 1)[1] for notice in found.notices) == [
        "prices of fine-tuned models, which are nobody else's",
        "prices of model services whose meter names no model",
    ]


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"retailPrice": "many"}, "unreadable_number"),
        ({"retailPrice": None, "unitPrice": None}, "missing_price"),
        ({"retailPrice": -1}, "negative_price"),
        ({"currencyCode": "EUR"}, "wrong_currency"),
        ({"type": "DevTestConsumption"}, "not_sold_to_all"),
        ({"type": "Reservation", "reservationTerm": "for ever"}, "unreadable_term"),
        ({"meterId": ""}, "missing_value"),
        ({"effectiveStartDate": "soon"}, "unreadable_time"),
    ],
)
def test_a_price_that_cannot_be_read_is_kept_with_its_reason(over: dict[str, Any], reason: str) -> None:
    chunk = parsed(item(**over), item(meterId="m-2"))
    assert [reject.reason for reject in chunk.rejects] == [reason]
    assert chunk.rows.num_rows == 1


@pytest.mark.parametrize("content", [b"[]", b'{"Items": 1}', b'{"Items": [], "Count": 2}'])
def test_what_is_no_page_of_the_list_is_no_delivery(content: bytes) -> None:
    with pytest.raises(IncompleteDeliveryError):
        list(SOURCE.parse(settings(), DAY, landed([Page("page", Bytes(content))])))


def test_the_providers_example_is_read() -> None:
    if not EXAMPLE.is_file():
        pytest.skip("the provider's examples are not beside this checkout")
    (chunk,) = SOURCE.parse(settings(), DAY, landed([Page("page", Bytes(EXAMPLE.read_bytes()))]))
    assert frame([chunk]).select("unit_price", "gpu_count").row(0) == (Decimal("98.32"), 8)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("Standard_ND96isr_H200_v5", (8, "H200")),
        ("Standard_ND128isr_NDR_GB200_v6", (4, "GB200")),
        ("Standard_ND96amsr_A100_v4", (8, "A100")),
        ("Standard_NC48ads_A100_v4", (2, "A100")),
        ("Standard_NC80adis_H100_v5", (2, "H100")),
        ("Standard_NC64as_T4_v3", (4, "T4")),
        ("Standard_NV6ads_A10_v5", (None, "A10")),
        ("Standard_D4s_v5", (None, None)),
        ("", (None, None)),
    ],
)
def test_sizes_have_the_gpus_that_they_have(size: str, expected: tuple[int | None, str | None]) -> None:
    assert gpus_of(size) == expected


def test_only_the_days_own_list_is_asked_for() -> None:
    assert SOURCE.windows(settings(), date(2026, 9, 3)) == [DAY]


@pytest.mark.parametrize(
    "over", [{"offers": []}, {"offers": [{"service": "a"}, {"service": "a"}]}, {"endpoint": "ftp://x"}]
)
def test_settings_that_cannot_work_are_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**over)
