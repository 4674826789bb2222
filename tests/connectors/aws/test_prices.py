"""List prices: one row for what can be bought, and nothing where AWS sells nothing."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.aws.api_settings import AwsPricesSettings
from connectors.aws.prices import AwsPrices
from connectors.base import AuthenticationError, RefusedRequestError, SourceError, Window
from connectors.windows import day_window
from tests.connectors.aws.exchange import KEYS, SECRETS, json_error, serve_json
from tests.connectors.conformance import ConnectorConformance, land
from tests.connectors.faulty_server import FaultyServer

EXAMPLE = Path(__file__).resolve().parents[3] / "../shared/contracts/examples_providers/aws/pricing_get_products.json"
DAY = day_window(date(2026, 9, 3))
MACHINE = {"servicecode": "AmazonEC2", "instanceType": "g6.12xlarge", "gpu": "4", "regionCode": "us-east-1"}


def term(*prices: tuple[str, str], **told: str) -> dict[str, Any]:
    """An offer term: a price for each unit."""
    return {
        "sku": "SKU1",
        "offerTermCode": "TERM",
        "effectiveDate": "2026-09-01T00:00:00Z",
        "termAttributes": told,
        "priceDimensions": {
            f"SKU1.TERM.{number}": {
                "unit": unit,
                "rateCode": f"SKU1.TERM.{number}",
                "description": f"{price} per {unit}",
                "beginRange": "0",
                "pricePerUnit": {"USD": price},
            }
            for number, (unit, price) in enumerate(prices, start=1)
        },
    }


def entry(attributes: Mapping[str, str], *reserved: dict[str, Any], on_demand: Any = None, sku: str = "SKU1") -> str:
    """An entry of the list: JSON, to be put into JSON."""
    terms = {"OnDemand": {"a": on_demand} if on_demand else {}, "Reserved": dict(enumerate(reserved))}
    return json.dumps({"product": {"sku": sku, "attributes": dict(attributes)}, "terms": terms})


def token(usage_type: str, price: str = "0.003", unit: str = "1K tokens", **attributes: str) -> str:
    """An entry of Amazon Bedrock's list."""
    told = {"servicecode": "AmazonBedrock", "regionCode": "us-east-1", "usagetype": usage_type, **attributes}
    return entry(told, on_demand=term((unit, price)), sku=usage_type)


RESERVED = {"LeaseContractLength": "1yr", "OfferingClass": "standard", "PurchaseOption": "Partial Upfront"}
ON_DEMAND = entry(MACHINE, on_demand=term(("Hrs", "4.6016000000")))
FIRST = [ON_DEMAND, entry(MACHINE, term(("Quantity", "12000"), ("Hrs", "1.3000000000"), **RESERVED), sku="SKU2")]
SECOND = [token("USE1-Claude4.6Sonnet-input-tokens")]


def page(number: int, entries: list[Any], cursor: str = "", name: str = "AmazonEC2") -> bytes:
    """A page as it is landed, written down by hand."""
    fields = {
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "preInstalledSw": "NA",
        "operatingSystem": "Linux",
        "operation": "RunInstances",
        "regionCode": "us-east-1",
        "instanceFamily": "GPU instance",
    }
    filters = [{"Field": field, "Type": "TERM_MATCH", "Value": value} for field, value in fields.items()]
    envelope = {
        "answer": {"PriceList": entries, **({"NextToken": cursor} if cursor else {})},
        "api": "pricing.get_products",
        "page": number,
        "query": {"Filters": filters, "FormatVersion": "aws_v1", "MaxResults": 100, "ServiceCode": name},
        "region": "us-east-1",
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def settings(**over: Any) -> AwsPricesSettings:
    given = {"name": "list", "regions": ["us-east-1"], "services": ["AmazonEC2"], **KEYS, **over}
    return AwsPricesSettings.model_validate(given)


@pytest.mark.usefixtures("naps")
class TestAwsPrices(ConnectorConformance):
    source = AwsPrices()
    secrets = SECRETS
    inapplicable: ClassVar[Mapping[str, str]] = {
        "rate_limit": "the API says by a code of its own that it is asked too often: see the test of that",
        "unknown_notice": "attributes are a product's own and differ from one to the next: none of them is unknown",
    }

    def settings(self, **over: Any) -> AwsPricesSettings:
        return settings(**over)

    def window(self) -> Window:
        return DAY

    def pages(self) -> list[bytes]:
        return [page(1, FIRST, "page-1"), page(2, SECOND)]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(one.count(b"offerTermCode") for one in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{\\"servicecode', b'{\\"x_from_the_future\\": \\"7\\", \\"servicecode')

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b"4.6016000000", b"four")

    def truncate(self, page: bytes) -> bytes:
        return page[:-20]

    def empty_pages(self) -> list[bytes]:
        return [page(1, [])]

    def served(self, server: FaultyServer) -> AwsPricesSettings:
        serve_json(server, "/", {"GetProducts": [{"PriceList": FIRST}, {"PriceList": SECOND}]}, "NextToken")
        return settings(endpoint_url=server.url)

    def served_loop(self, server: FaultyServer) -> AwsPricesSettings:
        serve_json(server, "/", {"GetProducts": [{"PriceList": [], "NextToken": "page-0"}]}, "NextToken")
        return settings(endpoint_url=server.url)


def parsed(*entries: Any) -> Any:
    chunks = list(AwsPrices().parse(settings(), DAY, land([page(1, list(entries))])))
    assert len(chunks) == 1
    return chunks[0]


def only(*entries: Any) -> dict[str, Any]:
    rows = parsed(*entries).rows.to_pylist()
    assert len(rows) == 1
    return rows[0]


def fetched(**over: Any) -> list[bytes]:
    bodies = list[bytes]()
    for one in AwsPrices().fetch(settings(**over), DAY):
        with one.body.open() as stream:
            bodies.append(stream.read())
    return bodies


def test_the_documented_machine_costs_what_its_list_says(server: FaultyServer) -> None:
    if not EXAMPLE.exists():
        pytest.skip("the example payloads are not here")
    serve_json(server, "/", {"GetProducts": [json.loads(EXAMPLE.read_bytes())]}, "NextToken")
    landed = land(fetched(endpoint_url=server.url))
    on_demand, reserved = (
        row for chunk in AwsPrices().parse(settings(), DAY, landed) for row in chunk.rows.to_pylist()
    )
    assert (on_demand["purchase_option"], on_demand["unit_price"]) == ("on_demand", Decimal("55.04"))
    assert (on_demand["pricing_unit"], on_demand["gpu_count"], on_demand["region_id"]) == ("Hours", 8, "us-east-1")
    assert on_demand["sku_price_id"] == "EXAMPLEP5SKU0001.JRTCKXETXF.6YS6EN2CT7"
    assert (reserved["purchase_option"], reserved["term_months"]) == ("reserved", 36)
    assert (reserved["payment_option"], reserved["upfront_price"]) == ("partial_upfront", Decimal(390000))
    assert (reserved["unit_price"], reserved["sku_price_id"]) == (Decimal("14.84"), "EXAMPLEP5SKU0001.38NPMPTW36")
    assert json.loads(reserved["x_extra"])["OfferingClass"] == "standard"
    assert {on_demand["valid_from"], reserved["valid_from"]} == {datetime(2026, 9, 1)}


@pytest.mark.parametrize(
    ("option", "prices", "expected"),
    [
        ("No Upfront", [("Hrs", "2.9")], ("no_upfront", "2.9", "0")),
        ("All Upfront", [("Quantity", "23000"), ("Hrs", "0.0000000000")], ("all_upfront", "0", "23000")),
        ("Partial Upfront", [("Hrs", "1.3"), ("Quantity", "12000")], ("partial_upfront", "1.3", "12000")),
    ],
)
def test_a_reservation_has_an_hourly_and_an_upfront_price(
    option: str, prices: list[tuple[str, str]], expected: tuple[str, str, str]
) -> None:
    row = only(entry(MACHINE, term(*prices, **{**RESERVED, "PurchaseOption": option})))
    payment, hourly, upfront = expected
    assert (row["payment_option"], row["term_months"], row["purchase_option"]) == (payment, 12, "reserved")
    assert (row["unit_price"], row["upfront_price"]) == (Decimal(hourly), Decimal(upfront))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (entry(MACHINE, term(("Quantity", "5"), **RESERVED)), "missing_price"),
        (entry(MACHINE, term(("Hrs", "5"), **RESERVED)), "missing_price"),
        (entry(MACHINE, term(("Hrs", "5"), **{**RESERVED, "PurchaseOption": "Later"})), "unknown_payment"),
        (
            entry(
                MACHINE, term(("Hrs", "5"), **{**RESERVED, "PurchaseOption": "No Upfront", "LeaseContractLength": "x"})
            ),
            "unknown_term",
        ),
        (entry(MACHINE, on_demand=term(("Hrs", "-1"))), "bad_price"),
        (entry({**MACHINE, "gpu": "many"}, on_demand=term(("Hrs", "1"))), "bad_count"),
        ("{", "unreadable_entry"),
        ("{}", "unreadable_entry"),
        (None, "unreadable_entry"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_entry_and_the_rest_is_kept(wrong: Any, reason: str) -> None:
    result = parsed(wrong, ON_DEMAND)
    assert [reject.reason for reject in result.rejects] == [reason]
    assert result.rejects[0].payload
    assert result.rows["unit_price"].to_pylist() == [Decimal("4.6016")]


def test_two_currencies_of_one_price_are_refused() -> None:
    told = term(("Hrs", "1"))
    told["priceDimensions"]["SKU1.TERM.1"]["pricePerUnit"]["CNY"] = "7"
    assert [reject.reason for reject in parsed(entry(MACHINE, on_demand=told)).rejects] == ["unreadable_price"]


def test_prices_of_zero_are_left_out_and_told_and_never_staged() -> None:
    free = entry(MACHINE, term(("Quantity", "0"), ("Hrs", "0.0"), **RESERVED), on_demand=term(("Hrs", "0.0000000000")))
    result = parsed(free, ON_DEMAND)
    assert result.rows["unit_price"].to_pylist() == [Decimal("4.6016")]
    assert result.notices == ("2 prices of 0, which stand where AWS sells nothing were left out",)
    assert result.rejects == ()


def test_capacity_blocks_are_left_out_and_told() -> None:
    block = entry({**MACHINE, "marketoption": "CapacityBlock"}, on_demand=term(("Hrs", "3")))
    result = parsed(block)
    assert (result.rows.num_rows, len(result.notices)) == (0, 1)


def test_the_quantity_from_which_a_price_holds_is_kept() -> None:
    told = term(("Hrs", "1"))
    told["priceDimensions"]["SKU1.TERM.1"]["beginRange"] = "10240"
    assert only(entry(MACHINE, on_demand=told))["quantity_from"] == Decimal(10240)


def test_tokens_have_a_model_a_class_and_a_tier() -> None:
    row = only(token("USE1-Claude4.6Sonnet-cache-read-input-token-count-batch", "0.00015"))
    assert (row["x_model_id"], row["x_token_class"]) == ("anthropic.claude-sonnet-4-6-v1:0", "cache_read")
    assert (row["x_service_tier"], row["pricing_unit"], row["unit_price"]) == ("batch", "1K tokens", Decimal("0.00015"))
    assert (row["service_name"], row["purchase_option"]) == ("AmazonBedrock", "on_demand")


def test_the_marketplaces_tokens_take_their_model_from_the_product() -> None:
    row = only(
        token(
            "USE1-MP:USE1_CacheWrite1hInputTokenCount_Global-Units",
            "6.0",
            "1M tokens",
            servicecode="AmazonBedrockFoundationModels",
            servicename="Claude Sonnet 4.6 (Amazon Bedrock Edition)",
        )
    )
    assert (row["x_model_id"], row["x_token_class"]) == ("global.anthropic.claude-sonnet-4-6-v1:0", "cache_write_1h")
    assert (row["unit_price"], row["pricing_unit"]) == (Decimal(6), "1M tokens")


def test_prices_that_differ_by_context_do_not_pass_for_the_same() -> None:
    tiers = parsed(
        token("USE1-openai.gpt-6-sol-mantle-input-tokens-standard", "0.002"),
        token("USE1-openai.gpt-6-sol-mantle-input-tokens-long-ctx-standard", "0.004"),
    ).rows["x_service_tier"]
    assert tiers.to_pylist() == ["default", "default+long-context"]


def test_reserved_throughput_is_no_price_of_tokens() -> None:
    row = only(token("USE1-Nova2.0Lite-ProvisionedThroughput-1month-ModelUnits", "55", "hour"))
    assert (row["purchase_option"], row["term_months"], row["x_service_tier"]) == ("provisioned", 1, "provisioned")
    assert (row["x_token_class"], row["pricing_unit"]) == (None, "hour")


def test_what_is_no_token_is_a_price_without_a_model() -> None:
    row = only(token("USE1-Guardrail-TextUnitCount", "0.15", "1K TextUnits"))
    assert (row["x_model_id"], row["x_token_class"], row["x_service_tier"]) == (None, None, None)


def test_one_question_fixes_what_leaves_one_product_of_a_machine(server: FaultyServer) -> None:
    serve_json(server, "/", {"GetProducts": [{"PriceList": [ON_DEMAND]}]}, "NextToken")
    fetched(endpoint_url=server.url, regions=["eu-west-1"], instance_types=["p5.48xlarge"])
    asked = json.loads(server.requests[0].body)
    assert asked["ServiceCode"] == "AmazonEC2"
    assert {one["Field"]: one["Value"] for one in asked["Filters"]} == {
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "preInstalledSw": "NA",
        "operatingSystem": "Linux",
        "operation": "RunInstances",
        "regionCode": "eu-west-1",
        "instanceType": "p5.48xlarge",
    }
    assert {one["Type"] for one in asked["Filters"]} == {"TERM_MATCH"}


def test_every_list_is_asked_for_every_region(server: FaultyServer) -> None:
    serve_json(server, "/", {"GetProducts": [{"PriceList": SECOND}]}, "NextToken")
    fetched(endpoint_url=server.url, regions=["us-east-1", "eu-west-1"], services=["AmazonBedrock", "AmazonEC2"])
    asked = [json.loads(request.body) for request in server.requests]
    assert [(one["ServiceCode"], one["Filters"][-1]["Value"]) for one in asked] == [
        ("AmazonBedrock", "us-east-1"),
        ("AmazonBedrock", "eu-west-1"),
        ("AmazonEC2", "GPU instance"),
        ("AmazonEC2", "GPU instance"),
    ]


def test_the_rates_of_savings_plans_are_prices(server: FaultyServer) -> None:
    rate: dict[str, Any] = {
        "savingsPlanOffering": {
            "offeringId": "0a0a0a0a-0000-4000-8000-000000000001",
            "paymentOption": "No Upfront",
            "planType": "Compute",
            "durationSeconds": 94608000,
            "currency": "USD",
            "planDescription": "3 year No Upfront Compute Savings Plan",
        },
        "rate": "24.7731",
        "unit": "Hrs",
        "productType": "EC2",
        "serviceCode": "AmazonEC2",
        "usageType": "BoxUsage:p5.48xlarge",
        "operation": "RunInstances",
        "properties": [{"name": "region", "value": "us-east-1"}, {"name": "instanceType", "value": "p5.48xlarge"}],
    }
    broken = {**rate, "savingsPlanOffering": {**rate["savingsPlanOffering"], "durationSeconds": 7}}
    serve_json(server, "/", {"GetProducts": [{"PriceList": []}]}, "NextToken")
    serve_json(
        server,
        "/DescribeSavingsPlansOfferingRates",
        {"DescribeSavingsPlansOfferingRates": [{"searchResults": [rate]}, {"searchResults": [broken]}]},
        "nextToken",
    )
    chosen = settings(endpoint_url=server.url, savings_plans=True, instance_types=["p5.48xlarge"])
    pages = list(AwsPrices().fetch(chosen, DAY))
    (chunk,) = AwsPrices().parse(chosen, DAY, land([one.body.open().__enter__().read() for one in pages]))
    (row,) = chunk.rows.to_pylist()
    assert (row["purchase_option"], row["term_months"], row["payment_option"]) == ("savings_plan", 36, "no_upfront")
    assert (row["unit_price"], row["pricing_unit"], row["currency"]) == (Decimal("24.7731"), "Hours", "USD")
    assert (row["region_id"], row["instance_type"]) == ("us-east-1", "p5.48xlarge")
    assert [reject.reason for reject in chunk.rejects] == ["unknown_term"]


def test_no_price_at_all_is_no_list(server: FaultyServer) -> None:
    serve_json(server, "/", {"GetProducts": [{"PriceList": []}]}, "NextToken")
    with pytest.raises(SourceError, match=r"listed no price of AmazonEC2 on 2026-09-03"):
        fetched(endpoint_url=server.url)


def test_asked_too_often_is_waited_out(server: FaultyServer, naps: list[float]) -> None:
    serve_json(server, "/", {"GetProducts": [{"PriceList": FIRST}]}, "NextToken")
    server.inject(*[json_error("ThrottlingException", "Rate exceeded")] * 2)
    assert len(fetched(endpoint_url=server.url)) == 1
    assert len(naps) == 2


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "AccessDeniedException", "ExpiredTokenException"])
def test_refused_credentials_are_told_apart_from_a_refused_request(server: FaultyServer, code: str) -> None:
    server.inject_always(json_error(code, "The security token included in the request is invalid."))
    with pytest.raises(AuthenticationError, match=rf"{code}.*pricing:GetProducts"):
        fetched(endpoint_url=server.url)
    server.inject_always(json_error("InvalidParameterException", "no such filter"))
    with pytest.raises(RefusedRequestError, match="no such filter"):
        fetched(endpoint_url=server.url)


def test_the_rates_of_all_machines_are_not_asked_for() -> None:
    with pytest.raises(ValueError, match="needs 'instance_types'"):
        settings(savings_plans=True)


def test_an_unknown_list_is_refused() -> None:
    with pytest.raises(ValueError, match="AmazonS3: no such list"):
        settings(services=["AmazonS3"])
