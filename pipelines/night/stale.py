"""Which slices must be rebuilt: those whose inputs, rules or SQL are not the ones they were built from.

Each slice carries two halves of a fingerprint: of what it was built from, and of the rows that came out. A night
compares the first halves, which costs a look at metadata, and rebuilds only what differs; tables further on look at
the second halves, so that a bill which changed elsewhere does not rebuild the whole month. A clean run and a run
after a crash therefore end in the same tables.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from contracts import Contract, Layer, contract
from pipelines.calendar import days_between, month_start, months_before, next_month
from pipelines.lake import Slice

HALF = 16  # hexadecimal digits of each half
HORIZON_DAYS = 100  # how far behind a night looks at least for slices that changed: more than any source pulls again


Versions = Mapping[str, str | Mapping[date, str]]
"""By table: a text that changes when the table does, or one for each slice that is built from it."""


@dataclass(frozen=True)
class Target:
    """A slice to build: its date and the fingerprint of what it is built from."""

    slice_date: date
    fingerprint: str


def content_fingerprint(rows: pa.Table) -> str:
    """A hash of a table's rows whatever their order; equal content, equal hash."""
    ordered = rows.sort_by([(name, "ascending") for name in rows.column_names]) if rows.num_rows else rows
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ordered.schema) as writer:
        writer.write_table(ordered.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()[:HALF]


def input_range(output: Contract, table: Contract, slice_date: date) -> tuple[date, date]:
    """Which slices of `table` the slice of `output` reads: a half-open range of slice dates."""
    if "none" in (table.slice, output.slice):
        return date.min, date.max
    if output.slice == "day":
        if table.slice == "day":
            before = timedelta(days=max(output.neighbours, output.days_before.get(table.table, 0)))
            after = timedelta(days=max(output.neighbours, output.days_after.get(table.table, 0)) + 1)
            return slice_date - before, slice_date + after
        # a bill may carry a charge of the month before or after its own
        return month_start(month_start(slice_date) - timedelta(days=1)), next_month(next_month(slice_date))
    if table.slice == "billing_period":
        return months_before(slice_date, output.months_before.get(table.table, 0)), slice_date + timedelta(days=1)
    return month_start(slice_date) - timedelta(days=31), next_month(slice_date) + timedelta(days=1)


def stored_inputs(output: Contract) -> list[Contract]:
    """The tables in the lake that `output` is built from, seen through views."""
    found: dict[str, Contract] = {}
    for name in output.depends_on:
        table = contract(name)
        for stored in stored_inputs(table) if table.materialized != "table" else [table]:
            found[stored.table] = stored
    return list(found.values())


def stale(
    output: Contract,
    slices: Mapping[str, Sequence[Slice]],
    versions: Versions,
    first: date,
    last: date,
    *,
    everything: bool = False,
) -> list[Target]:
    """The slices of `output` to rebuild for a run of the days first..last, oldest first.

    `slices` holds the lake's slices of the output and of its inputs; `versions` holds, for tables and rules that are
    not sliced by date, a text that changes when they do, or when what a slice reads of them does.
    """
    built = {piece.slice_date: piece.fingerprint[:HALF] for piece in slices.get(output.table, ())}
    targets: list[Target] = []
    for slice_date in _candidates(output, slices, first, last, built):
        fingerprint = _fingerprint(output, slice_date, slices, versions)
        if everything or built.get(slice_date) != fingerprint:
            targets.append(Target(slice_date, fingerprint))
    return targets


def reach(first: date) -> date:
    """The earliest day that a run from `first` on rebuilds: always a month's first.

    What is built of a month is built from its days. Were some of them out of reach, a month would be made of days as
    older rules built them and others, and nobody would know.
    """
    return month_start(first - timedelta(days=HORIZON_DAYS))


def is_out_of_reach(month: date, first: date) -> bool:
    """Whether a run from `first` on leaves what is built of a billing period as it is, whatever has changed."""
    return next_month(month) <= reach(first)


def _candidates(
    output: Contract, slices: Mapping[str, Sequence[Slice]], first: date, last: date, built: Iterable[date]
) -> list[date]:
    earliest = reach(first)
    dates = {day for day in built if earliest <= day <= last}
    for table in stored_inputs(output):
        if table.slice == "none" or table.layer is Layer.REFERENCE:
            continue
        for piece in slices.get(table.table, ()):
            dates |= _covered(output, table, piece.slice_date, earliest, last)
    return sorted(dates)


def _covered(output: Contract, table: Contract, day: date, earliest: date, last: date) -> set[date]:
    """The output slices that an input slice has rows for."""
    if output.slice == "billing_period":
        period = month_start(day)
        return {period} if next_month(period) > earliest and period <= last else set()
    if table.slice == "day":
        return {day} if earliest <= day <= last else set()
    end = min(next_month(day), last + timedelta(days=1))
    start = max(day, earliest)
    return set(days_between(start, end - timedelta(days=1)))


def _fingerprint(output: Contract, slice_date: date, slices: Mapping[str, Sequence[Slice]], versions: Versions) -> str:
    digest = hashlib.sha256(_version(versions, output.table, slice_date).encode())
    for table in sorted(stored_inputs(output), key=lambda stored: stored.table):
        digest.update(f"\n{table.table}={_version(versions, table.table, slice_date)}".encode())
        if table.table in versions:
            continue
        start, end = input_range(output, table, slice_date)
        inside = [piece for piece in slices.get(table.table, ()) if start <= piece.slice_date < end]
        for piece in sorted(inside, key=lambda p: (p.slice_date, p.slice_source)):
            digest.update(f"\n{piece.slice_date} {piece.slice_source} {piece.fingerprint[-HALF:]}".encode())
    return digest.hexdigest()[:HALF]


def _version(versions: Versions, table: str, slice_date: date) -> str:
    version = versions.get(table, "")
    return version if isinstance(version, str) else version.get(slice_date, "")
