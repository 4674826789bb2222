"""Every way to Azure's bill survives what every connector must survive."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.azure.bill import AzureBillSource
from connectors.base import SourceSettings, Window
from connectors.http import Pace
from tests.connectors.azure.tokens import TOKEN, token_credential
from tests.connectors.azure.written import (
    COVERED,
    PURCHASE,
    SEPTEMBER,
    UNUSED,
    csv_of,
    line,
    lines_of,
    manifest,
    settings,
)
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer, serve_bucket

RANGE = "20260901-20260930/202609040702/run-1"


class _Bill(ConnectorConformance):
    source = AzureBillSource()
    inapplicable: ClassVar[Mapping[str, str]] = {
        "page_loop": "an object store's listing is paged by its own client: no cursor of a provider is followed",
        "rate_limit": "the object store's client waits by its own back-off and ignores Retry-After",
        "truncated_response": "the faulty bucket's cut bodies are told by the stream, which does not ask again",
    }

    def window(self) -> Window:
        return SEPTEMBER

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(lines_of(content)) for content in pages if not content.startswith(b"{"))

    def add_unknown_column(self, page: bytes) -> bytes:
        return csv_of(*({**found, self.unknown_name: "tomorrow"} for found in lines_of(page)))

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def served(self, server: FaultyServer) -> SourceSettings:
        objects = dict(zip((name.partition(":")[2] for name in self.page_names()), self.pages(), strict=True))
        options = serve_bucket(server, "bills", {f"cost/{path}": content for path, content in objects.items()})
        return self.settings(location="s3://bills/cost", storage=options)


class TestActual(_Bill):
    def settings(self, **over: Any) -> SourceSettings:
        return settings(**{"amortized": None, **over})

    def files(self) -> dict[str, bytes]:
        return {
            "part_0_0001.csv": csv_of(line(), line(Cost="-0.10", ChargeType="Adjustment"), line(Cost="1.2E-7")),
            "part_0_0002.csv": csv_of(line(Tags="", Date="9/30/2026")),
        }

    def pages(self) -> list[bytes]:
        return [*self.files().values(), manifest("ActualCost", self.files())]

    def page_names(self) -> list[str]:
        return [f"actual:actual/{RANGE}/{name}" for name in (*self.files(), "manifest.json")]

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b",-0.10,", b",many,")

    def empty_pages(self) -> list[bytes]:
        return [manifest("ActualCost", {}, 0)]

    def parse(self, pages: Any, names: Any = None) -> Any:
        alone = len(pages) == 1
        return super().parse(pages, [f"actual:actual/{RANGE}/manifest.json"] if alone else names)


class TestBothViews(TestActual):
    inapplicable: ClassVar[Mapping[str, str]] = {
        "fetch": "fetched like one export, which the other class does; both views from a store: test_azurite.py",
        "unknown_kept": "columns are read like those of one view, which the other class does",
        "unknown_notice": "columns are read like those of one view, which the other class does",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def views(self) -> dict[str, dict[str, bytes]]:
        bought, covered, unused = line(**PURCHASE), line(**COVERED, Cost="0"), line(**UNUSED, Cost="3.6")
        amortized = line(**COVERED, Cost="20.4")
        return {
            "actual": {"part_0_0001.csv": csv_of(bought, line(), line(), covered)},
            "amortized": {"part_0_0001.csv": csv_of(line(), amortized, unused, line())},
        }

    def pages(self) -> list[bytes]:
        kinds = {"actual": "ActualCost", "amortized": "AmortizedCost"}
        views = self.views()
        return [page for view in views for page in (*views[view].values(), manifest(kinds[view], views[view]))]

    def page_names(self) -> list[str]:
        views = self.views()
        return [f"{v}:{v}/{RANGE}/{name}" for v in views for name in (*views[v], "manifest.json")]

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b",8640,", b",many,")

    def empty_pages(self) -> list[bytes]:
        return []


class TestFocus(_Bill):
    inapplicable: ClassVar[Mapping[str, str]] = {"fetch": "fetched like the other exports, which the other classes do"}

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**{"actual": None, "amortized": None, "focus": "focus", **over})

    def file(self) -> bytes:
        columns = "BilledCost,EffectiveCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd"
        columns += ",ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,SkuMeter"
        month = "2026-09-01T00:00:00Z,2026-10-01T00:00:00Z,2026-09-03T00:00:00Z,2026-09-04T00:00:00Z"
        meters = ("gpt 4.1 Inp glbl Tokens", "gpt 4.1 Outp glbl Tokens", "a meter of next year")
        lines = [f"{n}.5,{n}.5,1,USD,{month},Usage,Microsoft,Azure OpenAI,{meter}" for n, meter in enumerate(meters)]
        return "\n".join([columns, *lines, ""]).encode()

    def pages(self) -> list[bytes]:
        return [self.file(), manifest("FocusCost", {"part_0_0001.csv": self.file()})]

    def page_names(self) -> list[str]:
        return [f"focus:focus/{RANGE}/{name}" for name in ("part_0_0001.csv", "manifest.json")]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(list(csv.reader(io.StringIO(p.decode())))) - 1 for p in pages if not p.startswith(b"{"))

    def add_unknown_column(self, page: bytes) -> bytes:
        header, *records = page.decode().splitlines()
        return "\n".join([f"{header},{self.unknown_name}", *(f"{record},tomorrow" for record in records), ""]).encode()

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b"\n1.5,", b"\nmany,")

    def empty_pages(self) -> list[bytes]:
        return [manifest("FocusCost", {}, 0)]


class TestReport(TestActual):
    secrets = (TOKEN, "canary-signature-78")
    source = AzureBillSource(token_credential, Pace(sleep=Clock().sleep))
    inapplicable: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("truncated_page", "unknown_kept", "unknown_notice", "bad_row", "reordered_pages"),
            "a report is parsed like an export, which the other class does",
        ),
        "page_loop": "a report names its blobs in one list: no cursor is followed",
        "truncated_response": "Azure's own client gives up on an answer that is cut, and the night asks again",
    }

    def settings(self, **over: Any) -> SourceSettings:
        report = {"scope": "/subscriptions/s1", "metrics": ["ActualCost"]}
        return settings(**{"location": None, "actual": None, "amortized": None, "report": report, **over})

    def files(self) -> dict[str, bytes]:
        first, second = super().files().values()
        return {"ActualCost-0001.csv": first, "ActualCost-0002.csv": second}

    def pages(self) -> list[bytes]:
        files = self.files()
        listed = [{"blobName": name, "byteCount": len(content)} for name, content in files.items()]
        found = {"exportConfig": {"type": "ActualCost"}, "blobCount": 2, "blobs": listed}
        return [*files.values(), json.dumps(found, sort_keys=True, separators=(",", ":")).encode()]

    def page_names(self) -> list[str]:
        return [
            f"actual:report/subscriptions/s1/2026-09/{name}" for name in (*self.files(), "ActualCost-manifest.json")
        ]

    def served(self, server: FaultyServer) -> SourceSettings:
        files, prefix = self.files(), "/subscriptions/s1/providers/Microsoft.CostManagement"
        link = f"{server.url}{prefix}/costDetailsOperationResults/op1?api-version=2025-03-01"
        polls = [Answer(b"", 202, {"Location": link, "Retry-After": "20"})]
        blobs = [
            {"blobLink": f"{server.url}/blobs/{name}?sv=1&sig=canary-signature-78%3D", "byteCount": len(content)}
            for name, content in files.items()
        ]
        done = {"status": "Completed", "manifest": {"blobCount": 2, "blobs": blobs}}

        def asked(request: Request) -> Answer:
            of_september = {"metric": "ActualCost", "timePeriod": {"start": "2026-09-01", "end": "2026-09-30"}}
            of_this_month = {"metric": "ActualCost"}  # the probe's: Azure's own clock says which month
            assert json.loads(request.body) in (of_september, of_this_month)
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            return Answer(b"", 202, {"Location": link, "Retry-After": "20"})

        def polled(_: Request) -> Answer:
            return polls.pop() if polls else json_answer(json.dumps(done).encode())

        def blob(request: Request) -> Answer:
            assert request.query["sig"] == ["canary-signature-78="]
            assert "Authorization" not in request.headers
            return Answer(files[request.path.rpartition("/")[2]], 200, {"Content-Type": "text/csv"})

        server.route(f"{prefix}/generateCostDetailsReport", asked)
        server.route(f"{prefix}/costDetailsOperationResults/op1", polled)
        server.route(f"{prefix}/exports", json_answer(b'{"value": []}'))
        server.route("/blobs/", blob)
        return self.settings(endpoint=server.url)
