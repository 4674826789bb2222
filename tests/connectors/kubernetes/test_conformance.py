"""Both kinds, by both ways in, survive what every connector must survive."""

import json
import re
from typing import Any, ClassVar

from connectors.base import Window
from connectors.kubernetes.allocations import AllocationsSource
from connectors.kubernetes.nodes import NodesSource
from tests.connectors.conformance import OF_A_BUCKET, ConnectorConformance
from tests.connectors.dcgm.written import WINDOW, epoch
from tests.connectors.faulty_server import Answer, Clock, FaultyServer, Request, json_answer, serve_bucket
from tests.connectors.kubernetes.written import (
    A100,
    CAPACITY,
    INFO,
    NODE_LABELS,
    POD_LABELS,
    Sampled,
    as_answer,
    as_page,
    held,
    pod,
    sampled,
    settings,
)

TOKEN = "canary-bearer-92"
NEW = "x_from_the_future"


def pods_of(half: int) -> list[Sampled]:
    """Two pods and what is said beside; the second pod runs on from one half of the day into the other."""
    start, end, own, clock = (("00:00", "12:00", "a", "03:00"), ("12:00", "24:00", "c", "15:00"))[half]
    return [
        *held(own, clock, f"{int(clock[:2]) + 1:02}:00", gpus=2),
        *held("b", start, end),
        sampled(POD_LABELS, pod("b", label_team="search"), start, end),
    ]


def nodes_of(half: int) -> list[Sampled]:
    """A node that is there all day, one without GPUs, and in each half one of which nobody says which machine it is."""
    start, end, own, clock = (("00:00", "12:00", "gpu-a", "03:00"), ("12:00", "24:00", "gpu-c", "15:00"))[half]
    return [
        capacity(own, clock, f"{int(clock[:2]) + 1:02}:00"),
        capacity("gpu-b", start, end),
        sampled(INFO, {"node": "gpu-b", "provider_id": "aws:///us-east-1a/i-0abc"}, start, end),
        sampled(INFO, {"node": "cpu-d"}, start, end),
        sampled(NODE_LABELS, {"node": "gpu-b", **A100}, start, end),
    ]


def capacity(node: str, start: str, end: str) -> Sampled:
    return sampled(CAPACITY, {"node": node, "resource": "nvidia_com_gpu", "unit": "integer"}, start, end, 8)


class OfCluster(ConnectorConformance):
    rows_lost_by_breaking = 0  # one sample less: its interval begins a minute later
    secrets = (TOKEN,)
    series: ClassVar[Any]
    proof: ClassVar[str]

    def window(self) -> Window:
        return WINDOW

    def intervals(self) -> int:
        """By hand: one for each half, and one that runs over both."""
        return 3

    def settings(self, **over: Any) -> Any:
        return settings(self.source, **over)


class ByServer(OfCluster):
    inapplicable: ClassVar = {"page_loop": "stretches of hours are asked for: there are no cursors"}

    def settings(self, **over: Any) -> Any:
        given = {"url": "https://prometheus.example.com", "bearer_token": TOKEN, "chunk_hours": 12}
        return super().settings(**{**given, **over})

    def titles(self) -> list[str]:
        """The queries, in the order in which they are asked."""
        return list(self.source.queries(self.settings()))  # type: ignore[attr-defined]

    def pages(self) -> list[bytes]:
        """Of each half of the day an answer with its series, and one without any for each other query."""
        return [page for half in (0, 1) for page in self._answers(half)]

    def _answers(self, half: int) -> list[bytes]:
        answers = [as_answer(self.series(half))]
        return answers + [as_answer([], infos=[f"{half}-{title}"]) for title in self.titles()[1:]]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return self.intervals() + sum(page.count(b'"broken"') for page in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'{"__name__"', f'{{"{NEW}": "9", "__name__"'.encode())

    def break_one_row(self, page: bytes) -> bytes:
        found = json.loads(page)
        found["data"]["result"][0]["values"][0][1] = "broken"
        return json.dumps(found).encode()

    def truncate(self, page: bytes) -> bytes:
        return page[: len(page) // 2]

    def empty_pages(self) -> list[bytes]:
        return [as_answer([])]

    def served(self, server: FaultyServer) -> Any:
        queries = list(self.source.queries(self.settings()).values())  # type: ignore[attr-defined]
        good = {
            (query, str(epoch(clock))): answer
            for half, clock in enumerate(("00:00", "12:00"))
            for query, answer in zip(queries, self._answers(half), strict=True)
        }

        def respond(request: Request) -> Answer:
            assert request.headers["Authorization"] == f"Bearer {TOKEN}"
            return json_answer(good[request.query["query"][0], request.query["start"][0]])

        server.route("/api/v1/query_range", respond)
        names = json.dumps({"status": "success", "data": [self.proof]}).encode()
        server.route("/api/v1/label/__name__/values", json_answer(names))
        return self.settings(url=server.url)


class ByScrapes(OfCluster):
    secrets = ()
    inapplicable: ClassVar = {
        **OF_A_BUCKET,
        "page_loop": "a listing of files has no cursor that this connector follows",
    }

    def settings(self, **over: Any) -> Any:
        return super().settings(**{"scrapes": "s3://telemetry/ksm", **over})

    def pages(self) -> list[bytes]:
        return [as_page(self.series(half)) for half in (0, 1)]

    def page_names(self) -> list[str]:
        return ["2026-10-01/1-morning.prom", "2026-10-01/2-evening.prom"]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return self.intervals() + sum(page.count(b"} broken") for page in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return re.sub(rb"^(\w+)\{", rf'\1{{{NEW}="9",'.encode(), page, flags=re.MULTILINE)

    def break_one_row(self, page: bytes) -> bytes:
        return re.sub(rb"\} \d+ ", b"} broken ", page, count=1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-7]

    def empty_pages(self) -> list[bytes]:
        return [b"# TYPE kube_node_info gauge\n"]

    def served(self, server: FaultyServer) -> Any:
        files = dict(zip((f"ksm/{name}" for name in self.page_names()), self.pages(), strict=True))
        options = serve_bucket(server, "telemetry", {**files, "ksm/2026-10-02/morning.prom": b"x\n"})
        return self.settings(storage=options)


class TestAllocationsByServer(ByServer):
    source = AllocationsSource(sleep=Clock().sleep)
    series = staticmethod(pods_of)
    proof = "kube_pod_container_resource_requests"


class TestAllocationsByScrapes(ByScrapes):
    source = AllocationsSource(sleep=Clock().sleep)
    series = staticmethod(pods_of)


class TestNodesByServer(ByServer):
    source = NodesSource(sleep=Clock().sleep)
    series = staticmethod(nodes_of)
    proof = "kube_node_info"


class TestNodesByScrapes(ByScrapes):
    source = NodesSource(sleep=Clock().sleep)
    series = staticmethod(nodes_of)
