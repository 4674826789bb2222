"""Spools survive what every connector must survive."""

import gzip
import json
from typing import Any, ClassVar

from connectors.base import Window
from connectors.nvml import NvmlSettings, NvmlSource
from tests.connectors.conformance import OF_A_BUCKET, ConnectorConformance
from tests.connectors.faulty_server import FaultyServer, serve_bucket
from tests.connectors.nvml.written import JOB, NAMED, WINDOW, note, packed, sample, settings

NEW = "x_from_the_future"


class TestSpools(ConnectorConformance):
    source = NvmlSource()
    inapplicable: ClassVar = {
        **OF_A_BUCKET,
        "page_loop": "a listing of files has no cursor that this connector follows",
    }

    def settings(self, **over: Any) -> NvmlSettings:
        return settings(**{"location": "s3://telemetry/spools", **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        return [
            packed(
                sample(f"{hour}:00", util_gpu_pct=50, gpm_sm_pct=25.5, power_mw=350_500, energy_mj=7),
                sample(f"{hour}:00", gpu=1, holders=[dict(NAMED, sm_pct=40), dict(JOB, sm_pct=20)]),
                note("clock_set", f"{hour}:00", seconds=-3.0),
                sample(f"{hour}:59:59.999", util_gpu_pct=0),
            )
            for hour in ("00", "23")
        ]

    def page_names(self) -> list[str]:
        return [f"2026-10-01/node-1-20261001T{hour}Z.jsonl.gz" for hour in ("00", "23")]

    def count_source_rows(self, pages: list[bytes]) -> int:
        counted = 0
        for line in b"".join(gzip.decompress(page) for page in pages).splitlines():
            found = json.loads(line) if line.endswith(b"}") else {"holders": []}
            counted += 0 if "note" in found else max(1, len(found["holders"]))
        return counted

    def add_unknown_column(self, page: bytes) -> bytes:
        return self.changed(page, b'{"v": 1, "at_ms"', f'{{"{NEW}": 9, "v": 1, "at_ms"'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return self.changed(page, b'"energy_mj": 7, "holders": []}', b'"energy_mj": 7')

    def changed(self, page: bytes, old: bytes, new: bytes) -> bytes:
        text = gzip.decompress(page)
        text = text.replace(
            b'"holders": [], "util_gpu_pct": 50, "gpm_sm_pct": 25.5, "power_mw": 350500, "energy_mj": 7}',
            b'"util_gpu_pct": 50, "gpm_sm_pct": 25.5, "power_mw": 350500, "energy_mj": 7, "holders": []}',
        )
        assert old in text
        return gzip.compress(text.replace(old, new), mtime=0)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [b""]

    def served(self, server: FaultyServer) -> NvmlSettings:
        files = dict(zip((f"spools/{name}" for name in self.page_names()), self.pages(), strict=True))
        others = {"spools/2026-10-02/node-1-20261002T00Z.jsonl": b"x\n", "spools/2026-10-01/.node-1.lock": b"x"}
        part = {"spools/2026-10-01/node-1-20261001T22Z.jsonl.gz.part": b"x"}
        options = serve_bucket(server, "telemetry", {**files, **others, **part})
        return self.settings(storage=options)
