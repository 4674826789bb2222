"""Google Cloud's bill and price list survive what every connector must survive."""

import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base import SourceSettings, Window
from connectors.gcp.answers import Patience
from connectors.gcp.bill import SOURCE
from connectors.gcp.prices import GcpPricesSettings, GcpPricesSource
from connectors.windows import day_window
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import FaultyServer, Request, json_answer, serve_bucket
from tests.connectors.gcp.lines import credit, json_lines, line, parquet, september, settings


class _Bill(ConnectorConformance):
    source = SOURCE
    ending: ClassVar[str]
    inapplicable: ClassVar[Mapping[str, str]] = {
        "page_loop": "an object store's listing is paged by its own client: no cursor of a provider is followed",
        "rate_limit": "the object store's client waits by its own back-off and ignores Retry-After",
        "truncated_response": "the faulty bucket's cut bodies are told by the stream, which does not ask again",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def window(self) -> Window:
        return september()

    def served(self, server: FaultyServer) -> SourceSettings:
        names = [f"billing/month=202609/{n:012}{self.ending}" for n in range(len(self.pages()))]
        options = serve_bucket(server, "exports", dict(zip(names, self.pages(), strict=True)))
        return self.settings(location="s3://exports/billing", storage=options)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]


GOOD = (
    [line(), line(credits=[credit("PROMOTION", -1.25), credit("DISCOUNT", -0.1)]), line(cost=1.2e-7)],
    [line(resource={"name": "train-2"})],
)


def without_credits(lines: list[dict[str, Any]]) -> int:
    return sum(1 + len(entry["credits"]) for entry in lines)


class TestJsonLines(_Bill):
    ending = ".jsonl"

    def pages(self) -> list[bytes]:
        return [json_lines(*lines) for lines in GOOD]

    def empty_pages(self) -> list[bytes]:
        return []

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(without_credits([json.loads(text) for text in page.splitlines()]) for page in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return json_lines(*({**json.loads(text), self.unknown_name: "tomorrow"} for text in page.splitlines()))

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"cost": 9.8', b'"cost": "much"', 1)


class TestParquet(_Bill):
    ending = ".parquet"
    inapplicable: ClassVar[Mapping[str, str]] = {"fetch": "fetched like JSON lines, which the other class does"}

    def pages(self) -> list[bytes]:
        return [parquet(*lines) for lines in GOOD]

    def empty_pages(self) -> list[bytes]:
        return [parquet()]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(without_credits(pq.read_table(io.BytesIO(page)).to_pylist()) for page in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        table = pq.read_table(io.BytesIO(page))
        return _written(table.append_column(self.unknown_name, pa.array(["tomorrow"] * table.num_rows)))

    def break_one_row(self, page: bytes) -> bytes:
        table = pq.read_table(io.BytesIO(page))
        lines = table.to_pylist()
        lines[0]["cost"] = None
        return _written(pa.Table.from_pylist(lines, schema=table.schema))


def _written(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def sku(number: int, **over: Any) -> dict[str, Any]:
    return {
        "name": f"services/6F81-5844-456A/skus/SKU-{number}",
        "skuId": f"SKU-{number}",
        "description": "Nvidia L4 GPU running in Virginia",
        "category": {
            "serviceDisplayName": "Compute Engine",
            "resourceFamily": "Compute",
            "resourceGroup": "GPU",
            "usageType": "OnDemand",
        },
        "serviceRegions": ["us-east4"],
        "pricingInfo": [
            {
                "effectiveTime": "2026-09-01T00:00:00Z",
                "pricingExpression": {
                    "usageUnit": "h",
                    "usageUnitDescription": "hour",
                    "tieredRates": [{"unitPrice": {"currencyCode": "USD", "nanos": 560040000}}],
                },
            }
        ],
        **over,
    }


class TestPrices(ConnectorConformance):
    source = GcpPricesSource(Patience(first_wait_seconds=0.001, longest_wait_seconds=0.001))
    secrets = ("api-key-that-nobody-may-see",)
    inapplicable: ClassVar[Mapping[str, str]] = {}

    def settings(self, **over: Any) -> SourceSettings:
        given = {"name": "list", "api_key": self.secrets[0], "services": ["6F81-5844-456A"], **over}
        return GcpPricesSettings.model_validate(given)

    def window(self) -> Window:
        return day_window(date(2026, 9, 3))

    def pages(self) -> list[bytes]:
        first = {"nextPageToken": "more", "skus": [sku(1), sku(2)]}
        return [_canonical(first), _canonical({"skus": [sku(3)]})]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(json.loads(page)["skus"]) for page in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        document = json.loads(page)
        document["skus"][0][self.unknown_name] = "tomorrow"
        return _canonical(document)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"usageType":"OnDemand"', b'"usageType":"Barter"', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-40]

    def empty_pages(self) -> list[bytes]:
        return [_canonical({"skus": []})]

    def served(self, server: FaultyServer) -> SourceSettings:
        def answer(request: Request) -> Any:
            return json_answer(self.pages()[1 if request.query.get("pageToken") == ["more"] else 0])

        server.route("/v1/services/6F81-5844-456A/skus", answer)
        return self.settings(endpoint=server.url)

    def served_loop(self, server: FaultyServer) -> SourceSettings:
        server.route("/v1/services/6F81-5844-456A/skus", json_answer(self.pages()[0]))
        return self.settings(endpoint=server.url)


def _canonical(document: dict[str, Any]) -> bytes:
    """As the client library's message is written again: sorted names, no blanks."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
