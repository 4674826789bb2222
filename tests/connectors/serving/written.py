"""Scrapes, answers and blocks of engines, small enough to check by hand, and their settings."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from connectors.base import Parsed
from connectors.serving import SOURCE, ServingSettings
from connectors.windows import day_window
from tests.connectors.conformance import land

DAY = date(2026, 10, 1)
WINDOW = day_window(DAY)
VLLM = {"model_name": "llama-8b", "engine": "0", "namespace": "serving", "pod": "vllm-0", "instance": "10.0.0.1:8000"}
PROCESS = {name: VLLM[name] for name in ("namespace", "pod", "instance")}


def settings(**over: Any) -> ServingSettings:
    given = {"name": "engines", "kind": "serving", "account": "prod-eu1", **over}
    return ServingSettings.model_validate(given if "url" in given else {"scrapes": "unused", **given})


def epoch(at: str, day: date = DAY) -> int:
    """Seconds since 1970 of an instant of the day, HH:MM[:SS]."""
    return int(datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=UTC).timestamp())


def instant(at: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{at}")


def line(metric: str, named: Mapping[str, str], value: object, at: str | None = None, day: date = DAY) -> str:
    inside = ",".join(f'{name}="{text}"' for name, text in named.items())
    labels = f"{{{inside}}}" if inside else ""
    return f"{metric}{labels} {value}" + (f" {epoch(at, day) * 1000}" if at else "")


def scrape(*lines: str, target: str | None = None, at: str | None = None) -> bytes:
    """A scrape as fetching hands it on: with the engine of its path and the instant of its name, where they are given."""
    marks = [f"# scraped from {target}"] if target else []
    marks += [f"# scraped at {DAY}T{at}Z"] if at else []
    return ("\n".join([*marks, *lines]) + "\n").encode()


def counter(metric: str, named: Mapping[str, str], values: Sequence[tuple[str, object]]) -> list[str]:
    """Lines of one counter, each with its instant."""
    return [line(metric, named, value, at) for at, value in values]


def series(metric: str, named: Mapping[str, str], values: Sequence[tuple[str, object]]) -> dict[str, Any]:
    return {"metric": {"__name__": metric, **named}, "values": [[epoch(at), str(value)] for at, value in values]}


def answer(*result: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(result)}, **more}).encode()


def parse(*pages: bytes, **over: Any) -> Parsed:
    """The whole delivery; the tests here are far below one chunk."""
    (parsed,) = SOURCE.parse(settings(**over), WINDOW, land(pages))
    return parsed


def rows(*pages: bytes, **over: Any) -> list[dict[str, Any]]:
    """The rows of a delivery in which nothing was refused."""
    parsed = parse(*pages, **over)
    assert parsed.rejects == ()
    return parsed.rows.to_pylist()


def by_start(found: Sequence[Mapping[str, Any]], column: str) -> dict[str, Any]:
    """A column by the beginning of its interval, HH:MM; rows of one engine."""
    return {f"{row['interval_start']:%H:%M}": row[column] for row in found}


def write(folder: Path, name: str, content: bytes) -> None:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
