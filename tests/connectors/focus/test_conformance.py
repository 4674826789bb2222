"""FOCUS bills survive what every connector must survive; the object store fails on demand."""

import csv
import gzip
import io
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.focus import SOURCE, FocusSettings
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.faulty_server import FaultyServer, serve_bucket
from tests.connectors.focus.bills import csv_bill, gz_bill, line, september


class _Bill(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar[Mapping[str, str]] = {
        "page_loop": "an object store's listing is paged by its own client: no cursor of a provider is followed",
        "rate_limit": "the object store's client waits by its own back-off and ignores Retry-After",
        "truncated_response": "the faulty bucket's cut bodies are told by the stream, which does not ask again",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return FocusSettings.model_validate({"name": "bill", "location": "/nowhere", **over})

    def window(self) -> Window:
        return september()

    def empty_pages(self) -> list[bytes]:
        return [csv_bill(line()).splitlines(keepends=True)[0]]

    def served(self, server: FaultyServer) -> SourceSettings:
        options = serve_bucket(server, "bills", dict(zip(self.names(), self.pages(), strict=True)))
        return self.settings(location="s3://bills/focus", storage=options)

    def names(self) -> list[str]:
        return [f"focus/2026-09/part-{n}" + self.ending for n in range(len(self.pages()))]

    ending = ".csv"


def with_unknown_column(content: bytes, name: str) -> bytes:
    header, *records = content.decode().splitlines()
    return "\n".join([f"{header},{name}", *(f"{record},tomorrow" for record in records), ""]).encode()


class TestCsv(_Bill):
    def pages(self) -> list[bytes]:
        first = csv_bill(line(), line(BilledCost="-0.10", ChargeCategory="Credit"), line(BilledCost="1.2E-7"))
        return [first, csv_bill(line(ResourceId="i-2"))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(list(csv.reader(io.StringIO(content.decode())))) - 1 for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return with_unknown_column(page, self.unknown_name)

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b",-0.10,", b",NaN,")

    def truncate(self, page: bytes) -> bytes:
        return page[:-40]


class TestCsvGz(TestCsv):
    ending = ".csv.gz"
    inapplicable: ClassVar[Mapping[str, str]] = {"fetch": "fetched like a plain CSV, which the other class does"}

    def pages(self) -> list[bytes]:
        return [gz_bill(line(), line(BilledCost="-0.10")), gz_bill(line(ResourceId="i-2"))]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return super().count_source_rows([gzip.decompress(content) for content in pages])

    def add_unknown_column(self, page: bytes) -> bytes:
        return gzip.compress(super().add_unknown_column(gzip.decompress(page)), mtime=0)

    def break_one_row(self, page: bytes) -> bytes:
        # the record loses its last columns: everything after it must keep its number
        return gzip.compress(
            gzip.decompress(page)
            .replace(b'"{""team"":""search"",""env"":""prod""}"', b"", 1)
            .replace(b"1,\n", b"1\n", 1),
            mtime=0,
        )

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]
