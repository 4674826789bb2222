"""Output of sacct in a folder of the test's own, and what the source makes of its days. Small enough for a sum by hand."""

import gzip
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.base import Page, Parsed, Window
from connectors.slurm import SOURCE, SlurmSettings
from connectors.windows import day_window
from tests.connectors.conformance import land

SHARED = Path(__file__).resolve().parents[4] / "shared"
REAL = SHARED / "contracts/examples_gateway/slurm_real"
DAY = date(2026, 10, 1)
HEADER = "JobIDRaw|JobName|User|Account|State|Start|End|ElapsedRaw|AllocTRES|NodeList|AllocNodes"
TWO_A100 = "billing=24,cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=2G,node=1"


def settings(**over: Any) -> SlurmSettings:
    given = {"name": "batch", "kind": "slurm", "account": "hpc-1", "location": "/nowhere", **over}
    return SlurmSettings.model_validate(given)


def job(
    job_id: str = "7", start: str = "2026-10-01T10:00:00", end: str = "2026-10-01T11:00:00", took: int | str = 3600,
    tres: str = TWO_A100, nodes: str = "gpu01", state: str = "COMPLETED", name: str = "train",
) -> str:  # fmt: skip
    """A line with `HEADER`'s columns."""
    count = "" if "[" in nodes or "," in nodes else "1"
    return f"{job_id}|{name}|lovelace|research|{state}|{start}|{end}|{took}|{tres}|{nodes}|{count}"


def listing(*lines: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *lines]) + "\n").encode()


class Folder:
    """Files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, content: bytes) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)

    def settings(self, **over: Any) -> SlurmSettings:
        return settings(**{"location": str(self.folder), **over})

    def pages(self, day: date = DAY, **over: Any) -> list[Page]:
        return list(SOURCE.fetch(self.settings(**over), day_window(day)))

    def landed_bytes(self, day: date = DAY, **over: Any) -> bytes:
        return b"".join(content_of(page) for page in self.pages(day, **over))

    def night(self, day: date = DAY, **over: Any) -> Parsed:
        landed = land([content_of(page) for page in self.pages(day, **over)])
        (parsed,) = SOURCE.parse(self.settings(**over), day_window(day), landed)
        return parsed

    def rows(self, day: date = DAY, **over: Any) -> list[dict[str, Any]]:
        """The rows of a day that has nothing to refuse, in an order of their own."""
        night = self.night(day, **over)
        assert night.rejects == ()
        return sorted(
            night.rows.to_pylist(), key=lambda row: (row["started_at"], row["allocation_id"], row["hostname"])
        )


def content_of(page: Page) -> bytes:
    with page.body.open() as stream:
        return stream.read()


def gpu_seconds(rows: Sequence[dict[str, Any]]) -> Decimal:
    return sum(
        (row["allocated_gpus"] * int((row["ended_at"] - row["started_at"]).total_seconds()) for row in rows), Decimal(0)
    )


def json_listing(*jobs: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"meta": {}, "errors": [], "jobs": list(jobs), **more}).encode()


WINDOW: Window = day_window(DAY)
