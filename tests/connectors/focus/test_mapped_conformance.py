"""A mapped bill survives what every connector must survive, as CSV and as JSON; the object store fails on demand."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.base import SourceSettings
from connectors.focus.mapped import SOURCE
from tests.connectors.focus.mapped import mapped, used, written
from tests.connectors.focus.test_conformance import TestCsv as FocusCsv


class TestMappedCsv(FocusCsv):
    source = SOURCE

    def settings(self, **over: Any) -> SourceSettings:
        return mapped(**over)

    def empty_pages(self) -> list[bytes]:
        return [written(used()).splitlines(keepends=True)[0]]

    def pages(self) -> list[bytes]:
        first = written(used(), used(Amount="-0.10", Product="credit"), used(Amount="1.2E-7"))
        return [first, written(used(Machine="node-8"))]


class TestMappedJson(TestMappedCsv):
    inapplicable: ClassVar[Mapping[str, str]] = {"fetch": "fetched like a CSV, which the other class does"}
    ending = ".json"

    def empty_pages(self) -> list[bytes]:
        return [b"[]"]

    def pages(self) -> list[bytes]:
        records = [used(), used(Amount="-0.10"), used(Amount="1.2E-7")]
        return [json.dumps(records).encode(), json.dumps([used(Machine="node-8")]).encode()]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(len(json.loads(content)) for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return json.dumps([{**record, self.unknown_name: "tomorrow"} for record in json.loads(page)]).encode()

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"-0.10"', b"NaN")


del FocusCsv  # imported to be inherited from, not to be collected again
