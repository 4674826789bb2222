"""A line of the spool as rows: one for each holder of the GPU or MIG instance, or one without a holder.

Here belongs: what a line means, what of it is refused. Here does not belong: files, Arrow, what repeats.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from connectors.fields import RowError, count, shown, text
from connectors.nvml.fields import HOLDER_KNOWN, KEPT, NUMBERS, READ, SHARE, Number
from connectors.nvml.holders import NOBODY, Namer, Place
from connectors.nvml.lines import Line
from connectors.prometheus import Refusals

FORMAT = 1
_GPU_IS_LOST = 15
_OFF_THE_BUS = 79.0  # the XID of a GPU that cannot be reached: what losing it means, whether or not its event was seen
_XID = [number.column for number in NUMBERS].index("xid_code")
_HIGHEST_INDEX = 9999
_NAMES = ("host", "instance_id", "gpu_index", "gpu_uuid", "gpu_name", "mig_instance", "mig_profile")


class Subject(NamedTuple):
    """What a row is about; the grain of the fact, without the instant. Empty text stands for none."""

    gpu_uuid: str
    gpu_instance_id: str
    namespace: str
    pod: str
    container: str


class Where(NamedTuple):
    """What else is said of the GPU. None is unknown."""

    hostname: str
    instance_id: str | None
    gpu_index: int | None
    mig_profile: str | None
    gpu_model_name: str | None


class Sample(NamedTuple):
    """A row, but for what its delivery adds. `values` are those of NUMBERS, in their order."""

    subject: Subject
    where: Where
    millisecond: int
    values: tuple[float | None, ...]
    holder_sm_ratio: float | None
    extra: str | None


class _Gpu(NamedTuple):
    gpu_uuid: str
    instance: str
    where: Where


@dataclass
class Reader:
    """Reads lines for one delivery, and remembers what people should know of it."""

    namer: Namer
    new_fields: set[str] = field(default_factory=set[str])
    lost: set[str] = field(default_factory=set[str])
    unseen_count: int = 0
    unknown_count: int = 0
    _gpus: dict[tuple[Any, ...], _Gpu] = field(default_factory=dict[tuple[Any, ...], _Gpu])

    def read(self, line: Mapping[str, Any], source: Line, refusals: Refusals) -> Iterator[Sample]:
        """The samples of a line; single values that are none are refused, and the sample kept without them.

        Raises RowError for a line that says nothing about a GPU at an instant.
        """
        if line.get("v") != FORMAT:
            raise RowError("unknown_format", f"v is {shown(line.get('v'))}; this version of Farthing reads {FORMAT}")
        millisecond = count(line, "at_ms")
        if millisecond is None:
            raise RowError("no_time", "at_ms, which says when a GPU was sampled, is missing", "sampled_at")
        gpu = self._gpu(line)
        values = tuple(_value(line, wanted, source, refusals) for wanted in NUMBERS)
        kept = {name: line[name] for name in line if name not in READ}
        if _is_lost(kept):
            values = (*values[:_XID], _OFF_THE_BUS, *values[_XID + 1 :])
        held = self._held(line, gpu.where.hostname)
        self._learn(kept, held, gpu)
        for place, holder in held:
            share = _value(holder, SHARE, source, refusals)
            extra = _extra({**kept, "holder": holder} if holder else kept)
            yield Sample(Subject(gpu.gpu_uuid, gpu.instance, *place), gpu.where, millisecond, values, share, extra)

    def _gpu(self, line: Mapping[str, Any]) -> _Gpu:
        """What the line is about. A GPU is the same in millions of lines: what was read once is known."""
        named = tuple(map(line.get, _NAMES))
        try:
            known = self._gpus.get(named)
        except TypeError:  # a list or an object where a name belongs: reading it says which
            return _read_gpu(line)
        if known is None:
            known = self._gpus[named] = _read_gpu(line)
        return known

    def _held(self, line: Mapping[str, Any], host: str) -> list[tuple[Place, Mapping[str, Any]]]:
        """The holders; a line that names none is one of a GPU that nobody holds, one without the field is unknown."""
        holders = line.get("holders")
        if holders is None:
            self.unknown_count += 1
            return [(self.namer.unknown(host), {})]
        if not isinstance(holders, list) or not all(isinstance(holder, dict) for holder in holders):
            raise RowError("unreadable_holders", f"holders is {shown(holders)}; a list of objects was expected", "pod")
        self.unseen_count += sum(holder.get("kind") == "unseen" for holder in holders)
        return [(self.namer.place(holder, host), holder) for holder in holders] or [(NOBODY, {})]

    def _learn(self, kept: Mapping[str, Any], held: Iterable[tuple[Place, Mapping[str, Any]]], gpu: _Gpu) -> None:
        self.new_fields |= kept.keys() - KEPT
        for _, holder in held:
            self.new_fields |= holder.keys() - HOLDER_KNOWN
        if _is_lost(kept):
            self.lost.add(f"{gpu.where.hostname} {gpu.gpu_uuid}")


def _is_lost(kept: Mapping[str, Any]) -> bool:
    errors = kept.get("errors")
    return isinstance(errors, dict) and _GPU_IS_LOST in errors.values()


def _read_gpu(line: Mapping[str, Any]) -> _Gpu:
    host, gpu_uuid, instance = text(line, "host"), text(line, "gpu_uuid"), count(line, "mig_instance")
    if gpu_uuid is None:
        raise RowError("no_gpu_uuid", f"the driver named no GPU; its errors: {shown(line.get('errors'))}", "gpu_uuid")
    if host is None:
        raise RowError("no_host", "host, which says where a GPU was sampled, is missing", "hostname")
    where = Where(host, text(line, "instance_id"), _index(line), text(line, "mig_profile"), text(line, "gpu_name"))
    return _Gpu(gpu_uuid, "" if instance is None else str(instance), where)


def _value(row: Mapping[str, Any], wanted: Number, source: Line, refusals: Refusals) -> float | None:
    value = row.get(wanted.field)
    if value is None:
        return None
    is_number = type(value) is int or (type(value) is float and not wanted.is_whole)
    if not is_number or not 0 <= value <= wanted.highest:
        detail = f"{wanted.field} is {shown(value)}; 0 to {wanted.highest:g} fits. The sample is kept without it."
        refusals.refuse(source.number, "out_of_range", detail, source.text, wanted.column)
        return None
    return value / wanted.divisor


def _extra(kept: Mapping[str, Any]) -> str | None:
    try:
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode() if kept else None
    except TypeError as error:  # what may be read may be nested deeper than what may be written
        raise RowError("unreadable_fields", f"fields without a column cannot be kept: {error}") from None


def _index(line: Mapping[str, Any]) -> int | None:
    found = count(line, "gpu_index")
    if found is not None and found > _HIGHEST_INDEX:
        raise RowError("bad_count", f"gpu_index is {found}; no node has so many GPUs", "gpu_index")
    return found
