"""Both ways in survive what every connector must survive."""

import json
import re
from typing import Any, ClassVar

from connectors.base import Window
from connectors.serving import ServingSettings, ServingSource
from tests.connectors.conformance import OF_A_BUCKET, ConnectorConformance
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer, serve_bucket
from tests.connectors.serving.written import DAY, WINDOW, answer, epoch, line, scrape, series, settings

TOKEN = "canary-bearer-91"
NEW = "x_from_the_future"
TIMES = ("10:00", "10:01", "10:02", "10:05", "10:07")
COUNTERS = {"vllm:prompt_tokens_total": 50, "vllm:generation_tokens_total": 20}


def labels(pod: int) -> dict[str, str]:
    return {"model_name": "llama-8b", "engine": "0", "pod": f"vllm-{pod}", "instance": f"10.0.0.{pod}:8000"}


def value(rise: int, number: int) -> int:
    return 1000 + rise * number


class TestScrapes(ConnectorConformance):
    source = ServingSource(sleep=Clock().sleep)
    rows_lost_by_breaking = 0  # a line is one reading of a counter: the intervals stay, without it
    inapplicable: ClassVar = {
        **OF_A_BUCKET,
        "page_loop": "a listing of files has no cursor that this connector follows",
    }

    def settings(self, **over: Any) -> ServingSettings:
        return settings(**{"scrapes": "s3://telemetry/engines", **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        return [
            scrape(
                *(
                    line(metric, labels(pod), value(rise, number), at)
                    for metric, rise in COUNTERS.items()
                    for number, at in enumerate(TIMES)
                ),
                target=f"vllm-{pod}",
            )
            for pod in (1, 2)
        ]

    def page_names(self) -> list[str]:
        return ["2026-10-01/vllm-1.prom", "2026-10-01/vllm-2.prom"]

    def count_source_rows(self, pages: list[bytes]) -> int:
        """An engine's five minutes, as its lines tell them; and lines that are broken."""
        counted = 0
        for text in (content.decode() for content in pages):
            counted += len(
                {(pod, int(at) // 300_000) for pod, at in re.findall(r'pod="(.*?)".* (\d+)$', text, re.MULTILINE)}
            )
            counted += text.count("} broken")
        return counted

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{model_name="', f'{{{NEW}="9",model_name="'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b"} 1050 ", b"} broken ", 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-7]

    def empty_pages(self) -> list[bytes]:
        return [scrape("# TYPE vllm:prompt_tokens counter", target="vllm-1")]

    def served(self, server: FaultyServer) -> ServingSettings:
        files = {
            f"engines/{name}": content.partition(b"\n")[2]
            for name, content in zip(self.page_names(), self.pages(), strict=True)
        }
        far = {"engines/2026-10-02/vllm-1-20261002T120000Z.prom": b"x\n", "other/2026-10-01/vllm-1.prom": b"x\n"}
        options = serve_bucket(server, "telemetry", {**files, **far})
        return self.settings(storage=options)


class TestPrometheus(ConnectorConformance):
    source = ServingSource(sleep=Clock().sleep)
    rows_lost_by_breaking = 0  # a value is one reading of a counter: the intervals stay, without it
    secrets = (TOKEN,)
    inapplicable: ClassVar = {"page_loop": "stretches of hours are asked for: there are no cursors"}

    def settings(self, **over: Any) -> ServingSettings:
        given = {"url": "https://prometheus.example.com", "bearer_token": TOKEN, "chunk_hours": 24}
        return settings(**{**given, **over})

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        """Engines and starts of 25 hours; then those of the hour after midnight."""
        counters = [
            series(metric, labels(pod), [(at, value(rise, number)) for number, at in enumerate(TIMES)])
            for metric, rise in COUNTERS.items()
            for pod in (1, 2)
        ]
        process = {name: found for name, found in labels(1).items() if name in ("pod", "instance")}
        started = series("process_start_time_seconds", process, [(at, epoch("09:59")) for at in TIMES])
        return [answer(*counters), answer(started), answer(), answer()]

    def count_source_rows(self, pages: list[bytes]) -> int:
        counted, seen = 0, set[tuple[str, float]]()
        for content in pages:
            for one in json.loads(content)["data"]["result"]:
                if "model_name" in one["metric"]:
                    seen |= {(one["metric"]["pod"], pair[0] // 300) for pair in one["values"]}
                    counted += sum(pair[1] == "broken" for pair in one["values"])
        started = {("vllm-1", epoch("09:55") // 300)}  # what it had counted at the first sample
        return counted + len(seen | (started if seen else set()))

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"model_name"', f'"{NEW}": "9", "model_name"'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b'"1050"', b'"broken"', 1)

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [answer()]

    def served(self, server: FaultyServer) -> ServingSettings:
        start = epoch("00:00", DAY) - 3600
        good = dict(
            zip(
                [(start, False), (start, True), (start + 86400, False), (start + 86400, True)],
                self.pages(),
                strict=True,
            )
        )

        def respond(request: Request) -> Answer:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            query = request.query["query"][0]
            return json_answer(good[int(request.query["start"][0]), "process_start_time_seconds" in query])

        server.route("/api/v1/query_range", respond)
        server.route(
            "/api/v1/label/__name__/values", json_answer(b'{"status":"success","data":["vllm:prompt_tokens_total"]}')
        )
        return self.settings(url=server.url)
