"""Scrapes and answers as dcgm-exporter and Prometheus write them, small enough to check by hand, and their settings."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from connectors.base import Parsed, Window
from connectors.dcgm import SOURCE, DcgmSettings
from tests.connectors.conformance import land

SHARED = Path(__file__).resolve().parents[4] / "shared"
DAY = date(2026, 10, 1)
WINDOW = Window(datetime(2026, 10, 1), datetime(2026, 10, 2))


def settings(**over: Any) -> DcgmSettings:
    given = {"name": "gpu-prod", "kind": "dcgm", "account": "prod-eu1", **over}
    return DcgmSettings.model_validate(given if "url" in given else {"scrapes": "unused", **given})


def labels(gpu: int, node: int = 1, **more: str) -> dict[str, str]:
    """The labels of a whole GPU that nobody holds."""
    return {
        "gpu": str(gpu),
        "UUID": f"GPU-{node:04d}-{gpu:04d}",
        "pci_bus_id": f"00000000:0{gpu}:00.0",
        "device": f"nvidia{gpu}",
        "modelName": "NVIDIA H100 80GB HBM3",
        "Hostname": f"node-{node}",
        "DCGM_FI_DRIVER_VERSION": "580.105.08",
        **more,
    }


HELD = {"container": "vllm", "namespace": "serving", "pod": "vllm-0"}


def line(metric: str, named: Mapping[str, str], value: object, at: str | None = None) -> str:
    """One line; `at` is an instant of the day as HH:MM[:SS]."""
    inside = ",".join(f'{name}="{text}"' for name, text in named.items())
    return f"{metric}{{{inside}}} {value}" + (f" {epoch(at) * 1000}" if at else "")


def epoch(at: str, day: date = DAY) -> int:
    return int(datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=UTC).timestamp())


def page(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def series(metric: str, named: Mapping[str, str], values: Sequence[tuple[str, object]]) -> dict[str, Any]:
    return {"metric": {"__name__": metric, **named}, "values": [[epoch(at), str(value)] for at, value in values]}


def answer(*result: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(result)}, **more}).encode()


def parse(*pages: bytes, names: Sequence[str] | None = None, **over: Any) -> Parsed:
    """The whole delivery; the tests here are far below one chunk."""
    (parsed,) = SOURCE.parse(settings(**over), WINDOW, land(pages, names))
    return parsed


def rows(*pages: bytes, **over: Any) -> list[dict[str, Any]]:
    """The rows of a delivery in which nothing was refused."""
    parsed = parse(*pages, **over)
    assert parsed.rejects == ()
    return parsed.rows.to_pylist()
