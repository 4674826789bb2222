"""Samples as rows of `gpu_samples`: across pages, in bounded chunks.

Here belongs: repetition between pages, the Arrow table, the notices. Here does not belong: reading pages.
"""

import re
from typing import Any

import orjson
import pyarrow as pa

from connectors.base import CHUNK_ROWS, Parsed, Reject, Window
from connectors.dcgm.labels import LabelRules, Place, Subject
from connectors.dcgm.metrics import COLUMNS, WHOLE_NUMBERS
from connectors.dcgm.samples import (
    EXTRA,
    FIRST_VALUE,
    INSTANT_BITS,
    INSTANT_MASK,
    PLACE,
    ROW,
    PageSamples,
    Sample,
    Subjects,
    fold_devices,
)
from connectors.dcgm.settings import DcgmSettings
from contracts import contract

# an exporter knows neither its machine's bill nor processes, nor whether it was set up to name pods
UNKNOWN_HERE = ("instance_id", "holder_sm_ratio", "tells_holders")


class Batches:
    """Collects pages and gives them out as `Parsed`. A sample in two pages is taken from the first."""

    def __init__(self, settings: DcgmSettings, window: Window) -> None:
        self.subjects = Subjects(LabelRules(re.compile(settings.exporter_pattern), settings.job_namespace))
        self._settings = settings
        self._window = window
        self._seen: set[int] = set()
        self._rows: list[tuple[str, int, Sample]] = []
        self._rejects: list[Reject] = []
        self._duplicate_count = 0
        self._contradiction_count = 0
        self._unknown_metrics: set[str] = set()

    def add(self, page: PageSamples) -> None:
        """Takes a page that has been read."""
        page.refusals.finish()
        self._duplicate_count += fold_devices(page.samples, list(self.subjects.subjects))
        fresh = page.samples.keys() - self._seen if self._seen else page.samples.keys()
        self._duplicate_count += len(page.samples) - len(fresh)
        self._rows += [(page.refusals.page_id, key, sample) for key, sample in page.samples.items() if key in fresh]
        self._seen |= fresh
        self._rejects += page.refusals.rejects
        self._contradiction_count += page.contradiction_count
        self._unknown_metrics |= page.unknown_metrics

    @property
    def is_full(self) -> bool:
        """Whether a chunk is due."""
        return len(self._rows) >= CHUNK_ROWS

    def take(self, *, last: bool = False) -> Parsed:
        """What was collected since; with `last`, also what is to be told about the delivery as a whole."""
        parsed = Parsed(
            rows=_table(self._rows, self.subjects, self._settings, self._window),
            rejects=tuple(self._rejects),
            duplicate_count=self._duplicate_count,
            notices=self._notices() if last else (),
        )
        self._rows, self._rejects, self._duplicate_count = [], [], 0
        return parsed

    def _notices(self) -> tuple[str, ...]:
        told: list[str] = []
        if self.subjects.unknown_labels:
            told.append(f"labels that are new, kept in x_extra: {', '.join(sorted(self.subjects.unknown_labels))}")
        if self._unknown_metrics:
            told.append(f"metrics that are new, kept in x_extra: {', '.join(sorted(self._unknown_metrics))}")
        if self._contradiction_count:
            told.append(
                f"{self._contradiction_count} readings were repeated with another value for the same GPU, holder and "
                "instant; the highest was kept"
            )
        return tuple(told)


def _table(rows: list[tuple[str, int, Sample]], subjects: Subjects, settings: DcgmSettings, window: Window) -> pa.Table:
    schema = contract("gpu_samples").arrow_schema()
    numbers = pa.array([key >> INSTANT_BITS for _, key, _ in rows], pa.int64())
    places = pa.array([sample[PLACE] for _, _, sample in rows], pa.int64())
    instants = pa.array([key & INSTANT_MASK for _, key, _ in rows], pa.timestamp("ms")).cast(pa.timestamp("us"))
    columns: dict[str, Any] = {
        "sampled_at": instants,
        "sample_date": instants.cast(pa.date32(), safe=False),
        "cluster": _same(settings.account, len(rows)),
        **_repeated(list(subjects.subjects), Subject._fields, numbers, schema),
        **_repeated(list(subjects.places), Place._fields, places, schema),
        **{name: _values(name, FIRST_VALUE + slot, rows) for slot, name in enumerate(COLUMNS)},
        **{name: pa.nulls(len(rows)) for name in UNKNOWN_HERE},
        "x_extra": pa.array([_extra(sample[EXTRA]) for _, _, sample in rows], pa.string()),
        "x_source": _same(settings.name, len(rows)),
        "x_slice_date": _same(window.slice_date, len(rows)),
        "x_page": pa.array([page_id for page_id, _, _ in rows], pa.string()),
        "x_row": pa.array([sample[ROW] for _, _, sample in rows], pa.int64()),
    }
    return pa.table([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _repeated(entries: list[Any], names: tuple[str, ...], numbers: pa.Array, schema: pa.Schema) -> dict[str, Any]:
    """What is said once of a subject or place, repeated for each of its samples."""
    return {
        name: pa.array([entry[place] for entry in entries], schema.field(name).type).take(numbers)
        for place, name in enumerate(names)
    }


def _values(name: str, place: int, rows: list[tuple[str, int, Sample]]) -> pa.Array:
    values = pa.array([sample[place] for _, _, sample in rows], pa.float64())
    return values.cast(pa.int64(), safe=False) if name in WHOLE_NUMBERS else values


def _same(value: Any, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), count)


def _extra(extra: dict[str, str] | None) -> str | None:
    return orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode() if extra else None
