"""The source of Slurm's accounting keeps what every connector promises."""

import json
from typing import Any, ClassVar

from connectors.base import SourceSettings, Window
from connectors.slurm import SOURCE
from tests.connectors.conformance import OF_A_BUCKET, ConnectorConformance
from tests.connectors.faulty_server import FaultyServer, serve_bucket
from tests.connectors.slurm.jobs import TWO_A100, WINDOW, job, listing, settings


def landed(file_date: str, *jobs: dict[str, Any]) -> bytes:
    told = {"sacct": {"file_date": file_date, "new_columns": [], "warnings": 0}}
    return b"".join(json.dumps(row).encode() + b"\n" for row in (told, *jobs))


def row(number: int, job_id: str, end: str = "2026-10-01T11:00:00") -> dict[str, Any]:
    return {
        "JobIDRaw": job_id, "JobName": "train", "Account": "research", "State": "COMPLETED", "line": number,
        "Start": "2026-10-01T10:00:00", "End": end, "AllocTRES": TWO_A100, "NodeList": "gpu01",
    }  # fmt: skip


class TestSlurm(ConnectorConformance):
    source = SOURCE
    inapplicable: ClassVar = {
        "fetch": "objects are read by connectors.storage; the bucket below is one",
        **OF_A_BUCKET,
        "page_loop": "a listing of files has no cursor that this connector follows",
    }

    def settings(self, **over: Any) -> SourceSettings:
        return settings(**over)

    def window(self) -> Window:
        return WINDOW

    def pages(self) -> list[bytes]:
        late = row(2, "9", "2026-10-02T03:00:00")
        return [landed("2026-10-01", row(2, "7"), row(3, "8"), late), landed("2026-10-02", late)]

    def count_source_rows(self, pages: list[bytes]) -> int:
        return sum(content.count(b"JobIDRaw") for content in pages)

    def add_unknown_column(self, page: bytes) -> bytes:
        return page.replace(b'"JobIDRaw"', b'"x_from_the_future": "1", "JobIDRaw"')

    def break_one_row(self, page: bytes) -> bytes:
        return page.replace(b"T10:00:00", b"T99:00:00", 1)

    def truncate(self, page: bytes) -> bytes:
        return page[:-30]

    def empty_pages(self) -> list[bytes]:
        return [landed("2026-10-01")]


class TestSlurmInABucket(TestSlurm):
    def settings(self, **over: Any) -> SourceSettings:
        return settings(**{"location": "s3://accounting/sacct", **over})

    def pages(self) -> list[bytes]:
        own = landed("2026-10-01", {**row(2, "7"), "AllocNodes": "1", "ElapsedRaw": "3600"})
        lines = (json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) for line in own.splitlines())
        return ["".join(f"{line}\n" for line in lines).encode()]

    inapplicable: ClassVar = {
        **{topic: why for topic, why in TestSlurm.inapplicable.items() if topic != "fetch"},
        "reordered_pages": "this delivery is of one page",
    }

    def served(self, server: FaultyServer) -> SourceSettings:
        files = {"sacct/sacct-2026-10-01.txt": listing(job()), "sacct/sacct-2026-10-05.txt": listing()}
        options = serve_bucket(server, "accounting", {**files, "other/2026-10-01.txt": b"x\n"})
        return self.settings(storage=options)
