"""AWS bills survive what every connector must survive; the bucket fails on demand."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.aws.bill import SOURCE
from connectors.base import SourceSettings, Window
from connectors.windows import month_window
from tests.connectors.aws.bill_reports import csv_report, gz_report, line, parquet_report, settings
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import FaultyServer, serve_bucket

_FOLDER = "cur/acme/data/BILLING_PERIOD=2026-09"


class TestCsv(ConnectorConformance):
    source = SOURCE
    ending = ".csv"
    inapplicable: ClassVar[Mapping[str, str]] = {
        "page_loop": "an object store's listing is paged by its own client: no cursor of a provider is followed",
        "rate_limit": "the object store's client waits by its own back-off and ignores Retry-After",
        "truncated_response": "the faulty bucket's cut bodies are told by the stream, which does not ask again",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def window(self) -> Window:
        return month_window(date(2026, 9, 1))

    def pages(self) -> list[bytes]:
        first = csv_report(line(), line("Credit", "-0.10"), line("Tax", "1.2E-7"))
        return [first, csv_report(line(line_item_resource_id="i-2"))]

    def empty_pages(self) -> list[bytes]:
        return [csv_report(line()).splitlines(keepends=True)[0]]

    def served(self, server: FaultyServer) -> SourceSettings:
        names = [f"{_FOLDER}/acme-{number:05d}{self.ending}" for number, _ in enumerate(self.pages(), 1)]
        options = serve_bucket(server, "bills", dict(zip(names, self.pages(), strict=True)))
        return self.settings(location="s3://bills/cur/acme", storage=options)

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(list(csv.reader(io.StringIO(content.decode())))) - 1 for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        header, *records = page.decode().splitlines()
        name = self.unknown_name
        return "\n".join([f"{header},{name}", *(f"{record},tomorrow" for record in records), ""]).encode()

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b",-0.10,", b",NaN,")

    def truncate(self, page: bytes) -> bytes:
        return page[:-40]


class TestCsvGz(TestCsv):
    ending = ".csv.gz"

    def pages(self) -> list[bytes]:
        return [gz_report(line(), line(cost="-0.10")), gz_report(line(line_item_resource_id="i-2"))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return super().count_source_rows([gzip.decompress(content) for content in pages])

    def add_unknown_column(self, page: bytes) -> bytes:
        return gzip.compress(super().add_unknown_column(gzip.decompress(page)), mtime=0)

    def break_one_row(self, page: bytes) -> bytes:
        return gzip.compress(super().break_one_row(gzip.decompress(page)), mtime=0)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]


class TestParquet(TestCsv):
    ending = ".snappy.parquet"

    def pages(self) -> list[bytes]:
        return [parquet_report(line(), line(cost="-0.10")), parquet_report(line(line_item_resource_id="i-2"))]

    def empty_pages(self) -> list[bytes]:
        return [self._written(pq.read_table(io.BytesIO(self.pages()[0])).slice(0, 0))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(pq.read_metadata(io.BytesIO(content)).num_rows for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        table = pq.read_table(io.BytesIO(page))
        return self._written(table.append_column(self.unknown_name, pa.array(["tomorrow"] * table.num_rows)))

    def break_one_row(self, page: bytes) -> bytes:
        table = pq.read_table(io.BytesIO(page))
        at = table.column_names.index("line_item_unblended_cost")
        costs = [float("nan") if cost == -0.1 else cost for cost in table.column(at).to_pylist()]
        return self._written(table.set_column(at, "line_item_unblended_cost", pa.array(costs)))

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def _written(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return sink.getvalue()


class TestWithManifest(TestCsv):
    """The manifest is the last page, and cut off it makes the delivery incomplete."""

    def pages(self) -> list[bytes]:
        named = [f"s3://bills/{_FOLDER}/acme-{number:05d}.csv" for number in (1, 2)]
        return [*super().pages(), json.dumps({"executionId": "e-1", "dataFiles": named}).encode()]

    def served(self, server: FaultyServer) -> SourceSettings:
        first, second, manifest = self.pages()
        objects = {f"{_FOLDER}/acme-00001.csv": first, f"{_FOLDER}/acme-00002.csv": second}
        objects["cur/acme/metadata/BILLING_PERIOD=2026-09/acme-Manifest.json"] = manifest
        found = super().served(server)
        serve_bucket(server, "bills", objects)
        return found

    def count_source_rows(self, pages: list[bytes]) -> int:
        return super().count_source_rows(pages[:2])
