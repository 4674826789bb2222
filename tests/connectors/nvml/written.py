"""Lines of a spool as the sampler writes them, small enough to check by hand, and settings."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.base import Parsed, Window
from connectors.nvml import SOURCE, NvmlSettings
from tests.connectors.conformance import land

DAY = date(2026, 10, 1)
WINDOW = Window(datetime(2026, 10, 1), datetime(2026, 10, 2))
POD_UID = "0d7c5d0a-6a2f-4f0e-9b1d-1f3c7a7e0001"
CONTAINER = "ab" * 32
POD: Mapping[str, Any] = {"kind": "pod", "pod_uid": POD_UID, "container_id": CONTAINER, "running": 1}
NAMED: Mapping[str, Any] = {**POD, "namespace": "serving", "pod": "vllm-0", "container": "vllm"}
JOB: Mapping[str, Any] = {"kind": "job", "job": "4711", "running": 2}


def settings(**over: Any) -> NvmlSettings:
    given = {"name": "gpu-nodes", "kind": "nvml", "account": "prod-eu1", "location": "unused", **over}
    return NvmlSettings.model_validate(given)


def milliseconds(at: str) -> int:
    return round(datetime.fromisoformat(f"{DAY}T{at}").replace(tzinfo=UTC).timestamp() * 1000)


def sample(at: str = "10:00", gpu: int = 0, **over: Any) -> dict[str, Any]:
    """A line about a whole GPU that nobody holds; None takes a field away."""
    line = {
        "v": 1,
        "at_ms": milliseconds(at),
        "host": "node-1",
        "gpu_index": gpu,
        "gpu_uuid": f"GPU-{gpu:04d}",
        "gpu_name": "NVIDIA H100 80GB HBM3",
        "holders": [],
        **over,
    }
    return {name: value for name, value in line.items() if value is not None}


def note(kind: str, at: str = "10:00", **words: Any) -> dict[str, Any]:
    return {"v": 1, "at_ms": milliseconds(at), "host": "node-1", "note": kind, **words}


def page(*lines: Mapping[str, Any] | str) -> bytes:
    """A plain file; text is a line as it is."""
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


def packed(*lines: Mapping[str, Any] | str) -> bytes:
    return gzip.compress(page(*lines), mtime=0)


def parse(*pages: bytes, **over: Any) -> Parsed:
    """The whole delivery; the tests here are far below one chunk."""
    (parsed,) = SOURCE.parse(settings(**over), WINDOW, land(pages))
    return parsed


def rows(*pages: bytes, **over: Any) -> list[dict[str, Any]]:
    """The rows of a delivery in which nothing was refused."""
    parsed = parse(*pages, **over)
    assert parsed.rejects == ()
    return parsed.rows.to_pylist()


def held(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["namespace"], row["pod"], row["container"]
