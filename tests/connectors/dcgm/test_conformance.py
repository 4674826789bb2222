"""Both ways in survive what every connector must survive."""

import json
import re
from typing import Any, ClassVar

from connectors.base import Window
from connectors.dcgm import DcgmSettings, DcgmSource
from tests.connectors.conformance import OF_A_BUCKET, ConnectorConformance
from tests.connectors.dcgm.written import HELD, WINDOW, answer, epoch, labels, line, page, series, settings
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer, serve_bucket

TOKEN = "canary-bearer-91"
METRICS = {
    "DCGM_FI_DEV_GPU_UTIL": 50,
    "DCGM_FI_PROF_SM_ACTIVE": 0.25,
    "DCGM_FI_DEV_FB_USED": 40000,
    "DCGM_FI_DEV_POWER_USAGE": 350.5,
}
NEW = "x_from_the_future"


class TestScrapes(ConnectorConformance):
    source = DcgmSource(sleep=Clock().sleep)
    rows_lost_by_breaking = 0  # a line is one reading of a sample: the sample stays, without it
    inapplicable: ClassVar = {
        **OF_A_BUCKET,
        "page_loop": "a listing of files has no cursor that this connector follows",
    }

    def settings(self, **over: Any) -> DcgmSettings:
        return settings(**{"scrapes": "s3://telemetry/dcgm", **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        return [
            page(
                *(
                    line(metric, labels(gpu, node, **(HELD if gpu else {})), value, at)
                    for metric, value in METRICS.items()
                    for at in ("00:00", "12:00", "23:59:59")
                    for gpu in (0, 1)
                )
            )
            for node in (1, 2)
        ]

    def page_names(self) -> list[str]:
        return ["2026-10-01/node-1.prom", "2026-10-01/node-2.prom"]

    def count_source_rows(self, pages: list[bytes]) -> int:
        counted = 0
        for text in (content.decode() for content in pages):
            counted += len(set(re.findall(r'(UUID="[^"]*").* (\d+)$', text, re.MULTILINE)))
            counted += text.count("} broken")
        return counted

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{gpu="', f'{{{NEW}="9",gpu="'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b"} 50 ", b"} broken ", 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-7]

    def empty_pages(self) -> list[bytes]:
        return [b"# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n"]

    def served(self, server: FaultyServer) -> DcgmSettings:
        files = dict(zip((f"dcgm/{name}" for name in self.page_names()), self.pages(), strict=True))
        options = serve_bucket(
            server, "telemetry", {**files, "dcgm/2026-10-02/node-1.prom": b"x\n", "other/2026-10-01.prom": b"x\n"}
        )
        return self.settings(storage=options)


class TestPrometheus(ConnectorConformance):
    source = DcgmSource(sleep=Clock().sleep)
    rows_lost_by_breaking = 0  # a value is one reading of a sample: the sample stays, without it
    secrets = (TOKEN,)
    inapplicable: ClassVar = {"page_loop": "stretches of hours are asked for: there are no cursors"}

    def settings(self, **over: Any) -> DcgmSettings:
        return settings(**{"url": "https://prometheus.example.com", "bearer_token": TOKEN, "chunk_hours": 12, **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        return [
            answer(
                *(
                    series(metric, labels(gpu, **(HELD if gpu else {})), [(at, value) for at in instants])
                    for metric, value in METRICS.items()
                    for gpu in (0, 1)
                )
            )
            for instants in (("00:00", "00:01", "11:59"), ("12:00", "23:59"))
        ]

    def count_source_rows(self, pages: list[bytes]) -> int:
        counted = 0
        for content in pages:
            found = json.loads(content)["data"]["result"]
            counted += len({(one["metric"]["UUID"], pair[0]) for one in found for pair in one["values"]})
            counted += sum(pair[1] == "broken" for one in found for pair in one["values"])
        return counted

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{"__name__"', f'{{"{NEW}": "9", "__name__"'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"50"', b'"broken"', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [answer()]

    def served(self, server: FaultyServer) -> DcgmSettings:
        good = dict(zip((str(epoch("00:00")), str(epoch("12:00"))), self.pages(), strict=True))

        def respond(request: Request) -> Answer:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            assert int(request.query["end"][0]) - int(request.query["start"][0]) == 12 * 3600 - 60
            return json_answer(good[request.query["start"][0]])

        server.route("/api/v1/query_range", respond)
        server.route(
            "/api/v1/label/__name__/values", json_answer(b'{"status":"success","data":["DCGM_FI_DEV_GPU_UTIL"]}')
        )
        return self.settings(url=server.url)
