"""Samples as rows of `gpu_samples`: across pages, in bounded chunks.

Here belongs: repetition within and between pages, the Arrow table, the notices. Here does not belong: reading lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson
import pyarrow as pa

from connectors.base import CHUNK_ROWS, LandedPage, Parsed, Reject, Window
from connectors.fields import RowError
from connectors.nvml.fields import NUMBERS, Number
from connectors.nvml.holders import Namer
from connectors.nvml.lines import Line, read_lines
from connectors.nvml.notes import Notes
from connectors.nvml.samples import Reader, Sample, Subject, Where
from connectors.nvml.settings import NvmlSettings
from connectors.prometheus import Refusals, milliseconds
from connectors.wording import first_of
from contracts import contract

INSTANT_BITS = 45  # milliseconds since 1970, until the year 3084
_HASH_MASK = (1 << 29) - 1  # of what a sample said: small, because there are millions


class _Row(NamedTuple):
    page_id: str
    number: int
    sample: Sample


class Batches:
    """Reads pages and gives them out as `Parsed`. What two lines say of one holder and instant is taken from the first.

    A node's clock that was set back, and a file that lies there both plain and packed, tell instants twice.
    """

    def __init__(self, settings: NvmlSettings, window: Window) -> None:
        self._settings = settings
        self._window = window
        self._reader = Reader(Namer(settings))
        self._notes = Notes()
        self._subjects: dict[Subject, int] = {}
        self._seen: dict[int, int] = {}
        self._rows: list[_Row] = []
        self._rejects: list[Reject] = []
        self._duplicate_count = 0
        self._contradiction_count = 0

    def read(self, page: LandedPage) -> Iterator[Parsed]:
        """Reads a page; gives out full chunks as it goes. Raises IncompleteDeliveryError when it is not whole."""
        refusals = Refusals(page.page_id)
        first, end = milliseconds(self._window.start), milliseconds(self._window.end)
        for line in read_lines(page):
            try:
                for sample in self._samples(line, refusals):
                    if not first <= sample.millisecond < end:
                        raise RowError(
                            "outside_window", "sampled on another day than the file is filed under", "sampled_at"
                        )
                    self._take(_Row(page.page_id, line.number, sample))
            except RowError as error:
                refusals.refuse(line.number, error.reason, error.detail, line.text, error.column)
            if len(self._rows) >= CHUNK_ROWS:
                yield self._chunk()
        refusals.finish()
        self._rejects += refusals.rejects

    def last(self) -> Parsed:
        """What is left, and what is to be told about the delivery as a whole."""
        return self._chunk(tuple(self._told()))

    def _samples(self, line: Line, refusals: Refusals) -> Sequence[Sample]:
        if line.is_torn:
            raise RowError("torn_line", "the file ends in the middle of this line: its node writes on, or fell")
        try:
            found = orjson.loads(line.content)
        except ValueError as error:
            raise RowError("not_json", f"the line is no JSON: {error}") from None
        if not isinstance(found, dict):
            raise RowError("not_an_object", "the line is no JSON object")
        said = cast("Mapping[str, Any]", found)
        if "note" in said:
            self._notes.take(said)
            return ()
        return list(self._reader.read(said, line, refusals))

    def _take(self, row: _Row) -> None:
        sample = row.sample
        subject = self._subjects.setdefault(sample.subject, len(self._subjects))
        key = subject << INSTANT_BITS | sample.millisecond
        said = hash((sample.values, sample.holder_sm_ratio)) & _HASH_MASK
        before = self._seen.get(key)
        if before is None:
            self._seen[key] = said
            self._rows.append(row)
            return
        self._duplicate_count += 1
        self._contradiction_count += before != said

    def _told(self) -> Iterator[str]:
        yield from self._notes.words()
        reader = self._reader
        if reader.lost:
            yield f"GPUs that their driver called lost: {first_of(sorted(reader.lost))}"
        if reader.unknown_count:
            yield (
                f"{reader.unknown_count:,} samples do not tell who holds the GPU: the driver did not say; they are of "
                f"{self._settings.process_namespace!r}"
            )
        if reader.unseen_count:
            yield (
                f"{reader.unseen_count:,} holders could not be seen by their sampler: it must share the machine's "
                "process numbers (hostPID)"
            )
        if self._contradiction_count:
            yield (
                f"{self._contradiction_count:,} samples were repeated with other values for the same GPU, holder and "
                "instant; the first was kept"
            )
        if reader.new_fields:
            yield f"fields that are new, kept in x_extra: {', '.join(sorted(reader.new_fields))}"

    def _chunk(self, notices: tuple[str, ...] = ()) -> Parsed:
        parsed = Parsed(
            rows=_table(self._rows, self._settings, self._window),
            rejects=tuple(self._rejects),
            duplicate_count=self._duplicate_count,
            notices=notices,
        )
        self._rows, self._rejects, self._duplicate_count = [], [], 0
        return parsed


def _table(rows: Sequence[_Row], settings: NvmlSettings, window: Window) -> pa.Table:
    schema = contract("gpu_samples").arrow_schema()
    samples = [row.sample for row in rows]
    instants = pa.array([s.millisecond for s in samples], pa.timestamp("ms")).cast(pa.timestamp("us"))
    columns: dict[str, Any] = {
        "sampled_at": instants,
        "sample_date": instants.cast(pa.date32(), safe=False),
        "cluster": _same(settings.account, len(rows)),
        **_texts(Subject._fields, [s.subject for s in samples], schema),
        **_texts(Where._fields, [s.where for s in samples], schema),
        **{wanted.column: _numbers(place, wanted, samples) for place, wanted in enumerate(NUMBERS)},
        "holder_sm_ratio": pa.array([s.holder_sm_ratio for s in samples], pa.float64()),
        "tells_holders": _same(True, len(rows)),
        "x_extra": pa.array([s.extra for s in samples], pa.string()),
        "x_source": _same(settings.name, len(rows)),
        "x_slice_date": _same(window.slice_date, len(rows)),
        "x_page": pa.array([row.page_id for row in rows], pa.string()),
        "x_row": pa.array([row.number for row in rows], pa.int64()),
    }
    return pa.table([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _texts(names: Sequence[str], found: Sequence[tuple[Any, ...]], schema: pa.Schema) -> dict[str, Any]:
    return {name: pa.array([one[place] for one in found], schema.field(name).type) for place, name in enumerate(names)}


def _numbers(place: int, wanted: Number, samples: Sequence[Sample]) -> pa.Array:
    values = pa.array([s.values[place] for s in samples], pa.float64())
    return values.cast(pa.int64(), safe=False) if wanted.is_whole else values


def _same(value: Any, number: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), number)
