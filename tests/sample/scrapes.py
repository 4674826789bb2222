"""Files of scrapes and of gateway logs, read back without any help of the generator."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

LINE = re.compile(r"^([\w:]+)\{(.*)\} (\S+) (\d+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


class Reading(NamedTuple):
    metric: str
    labels: dict[str, str]
    value: Decimal
    at: datetime


def lines(file: Path) -> list[tuple[str, dict[str, str], str, int]]:
    texts = [line for line in gzip.decompress(file.read_bytes()).decode().splitlines() if not line.startswith("#")]
    found = [LINE.match(line) for line in texts]
    assert all(found)
    return [(m[1], dict(LABEL.findall(m[2])), m[3], int(m[4])) for m in found if m]


def readings(folder: Path) -> Iterator[Reading]:
    for file in sorted(folder.rglob("*.prom.gz")):
        for metric, labels, value, stamp in lines(file):
            yield Reading(metric, labels, Decimal(value), datetime(1970, 1, 1) + timedelta(milliseconds=stamp))


def series(folder: Path) -> dict[tuple[str, str], dict[datetime, Decimal]]:
    """Values by metric and pod over all files of a folder, oldest first."""
    found: dict[tuple[str, str], dict[datetime, Decimal]] = defaultdict(dict)
    for metric, labels, value, at in readings(folder):
        assert at not in found[metric, labels["pod"]]
        found[metric, labels["pod"]][at] = value
    return {key: dict(sorted(values.items())) for key, values in found.items()}


def spend_logs(directory: Path, day: date | str) -> list[dict[str, Any]]:
    file = directory / "exports/litellm-us" / str(day) / "spend_logs.jsonl.gz"
    return [json.loads(line, parse_float=Decimal) for line in gzip.decompress(file.read_bytes()).splitlines()]
