"""Scrapes of a day as one file: Prometheus' text format, each sample with its instant in milliseconds, gzipped.

Here belongs: the format and the steps of a day. Here does not belong: what is measured.
"""

import gzip
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from sample.traffic import EPOCH

STEP_SECONDS = 300
STEP = timedelta(seconds=STEP_SECONDS)
SAMPLES_PER_DAY = 86_400 // STEP_SECONDS


class Metric(NamedTuple):
    """A metric as its exporter introduces it. What it is called, whether it counts or measures, and its help."""

    name: str
    kind: str
    description: str

    def lines(self, samples: Iterable[str]) -> Iterator[str]:
        """Its introduction, then its samples: all that follows its name, to the end of the line."""
        yield f"# HELP {self.name} {self.description}\n# TYPE {self.name} {self.kind}\n"
        for sample in samples:
            yield f"{self.name}{sample}\n"


def instants(day: date) -> list[datetime]:
    """The instants at which `day` is scraped."""
    midnight = datetime.combine(day, time())
    return [midnight + step * STEP for step in range(SAMPLES_PER_DAY)]


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 of a naive UTC moment."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def label_text(**labels: str) -> str:
    """Labels in braces, in the order in which they are given."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Writes a file of scrapes; the same lines give the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress("".join(lines).encode(), 1, mtime=0))
