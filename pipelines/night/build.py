"""Builds the stale slices of a table that has SQL: registers what it reads, runs it, replaces slice by slice."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from contracts import Contract, contract
from pipelines.calendar import month_start
from pipelines.engines import Engine
from pipelines.house import House
from pipelines.night.ahead import AT_ONCE, computed
from pipelines.night.closings import FROZEN, locked_months
from pipelines.night.notes import CURRENCY, EXACT, MONEY, note
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.register import register
from pipelines.night.stale import HALF, Target, content_fingerprint, input_range, stale, stored_inputs
from pipelines.night.versions import rule_versions

SLICE_SOURCE = "farthing"
ROWS_AT_ONCE = 4_000_000  # a day of a hundred million attempts a month


@dataclass(frozen=True)
class Built:
    """What a build did: slices replaced, their rows, and their money by currency where the table has money.

    `note` is for people to know, `problems` are for people to act on.
    """

    table: str
    slices: tuple[date, ...]
    row_count: int
    effective_cost: Mapping[str, Decimal] = field(default_factory=dict)
    note: str = ""
    problems: tuple[str, ...] = ()


def stale_targets(
    house: House, output: Contract, first: date, last: date, *, everything: bool | None = None
) -> list[Target]:
    """The slices of `output` that a run of the days first..last must rebuild; `everything` as the run is asked to."""
    tables = [output, *stored_inputs(output)]
    slices = {table.table: house.lake.slices(table.table) for table in tables}
    everything = house.options.full_refresh if everything is None else everything
    versions = rule_versions(house, output, first, last)
    targets = stale(output, slices, versions, first, last, everything=everything)
    locked = locked_months(house) if output.table in FROZEN else frozenset[date]()
    return [target for target in targets if target.slice_date not in locked]


def build(house: House, output: Contract, first: date, last: date) -> Built:
    """Rebuilds the stale slices of a SQL table for a run of the days first..last: as many at a time as fit."""
    if output.slice == "none":
        return _build_whole(house, output)
    done: list[date] = []
    tables: list[pa.Table] = []
    batches = list(_batches(house, output, stale_targets(house, output, first, last)))
    with closing(_rows_of(house, output, batches)) as computed_rows:
        for together, rows in zip(batches, computed_rows, strict=True):
            tables += replace_slices(house, output, rows, together)
            done += [target.slice_date for target in together]
    return summary(output, done, tables)


def _rows_of(house: House, output: Contract, batches: Sequence[Sequence[Target]]) -> Generator[pa.Table]:
    """The rows of each batch, in order. The lake is read by this thread alone.

    Several batches are computed side by side by other threads, with all that they stand on, in as much memory
    together as one may take. Engines of one session, such as Spark's, know each table once: there one follows the
    other.
    """
    if len(batches) < 2 or house.config.engine == "spark":
        for together in batches:
            with house.engine() as engine:
                _register_inputs(house, engine, output, [target.slice_date for target in together])
                rows = rows_built(engine, output)
            yield rows
        return
    with ExitStack() as all_opened:

        def jobs() -> Iterator[Callable[[], pa.Table]]:
            for together in batches:
                opened = all_opened.enter_context(ExitStack())
                engine = opened.enter_context(house.engine(share=AT_ONCE))
                _register_inputs(house, engine, output, [target.slice_date for target in together])
                yield partial(_built_and_closed, opened, engine, output)

        yield from computed(jobs())


def rows_built(engine: Engine, output: Contract) -> pa.Table:
    """The table's rows, of what is registered: no lake is read here. What lies between is built first.

    A temporary table is dropped once all that reads it is built: a month of GPUs has millions of rows in several.
    """
    between = views_below(output)
    free = no_longer_read([*between, output])
    for below in between:
        engine.build(below)
        for table in free[below.table]:
            engine.drop(table)
    return engine.rows(output)


def _built_and_closed(opened: ExitStack, engine: Engine, output: Contract) -> pa.Table:
    with opened:
        return rows_built(engine, output)


def read_view(house: House, view: Contract, day: date) -> pa.Table:
    """The rows of a day of a view that no night stores, built now from what the lake holds."""
    with house.engine() as engine:
        _register_inputs(house, engine, view, [day])
        return rows_built(engine, view)


def _batches(house: House, output: Contract, targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Slices that are built together: of one month, and days with no more rows to read than `rows_at_once`.

    A day of many rows is built alone: what is held of each row then stays small, and fast to look up. Days that are
    read with their neighbours stay together, so that no day is read three times.
    """
    counts: Counter[date] = Counter()
    for table in stored_inputs(output) if output.slice == "day" and not output.neighbours else ():
        if table.slice == "day":
            for piece in house.lake.slices(table.table):
                counts[piece.slice_date] += piece.row_count
    most = output.rows_at_once or ROWS_AT_ONCE
    together: list[Target] = []
    rows = 0
    for target in targets:
        is_other_month = bool(together) and month_start(together[0].slice_date) != month_start(target.slice_date)
        if is_other_month or (together and rows + counts[target.slice_date] > most):
            yield together
            together, rows = [], 0
        together.append(target)
        rows += counts[target.slice_date]
    if together:
        yield together


def _build_whole(house: House, output: Contract) -> Built:
    with house.engine() as engine:
        _register_inputs(house, engine, output, [REFERENCE_DATE])
        rows = rows_built(engine, output)
    house.lake.replace_slice(output.table, REFERENCE_DATE, SLICE_SOURCE, rows, content_fingerprint(rows))
    return summary(output, [REFERENCE_DATE], [rows])


def _register_inputs(house: House, engine: Engine, output: Contract, dates: Sequence[date]) -> None:
    """Registers every stored table below `output` for those slices: where its rows lie, nothing is computed."""
    for table in stored_inputs(output):
        ranges = [input_range(output, table, day) for day in dates]
        register(house, engine, table.table, min(start for start, _ in ranges), max(end for _, end in ranges))


def views_below(output: Contract) -> list[Contract]:
    """The views that `output` is built from, deepest first."""
    found: dict[str, Contract] = {}
    for name in output.depends_on:
        table = contract(name)
        if table.materialized != "table":
            found |= {view.table: view for view in views_below(table)}
            found[name] = table
    return list(found.values())


def no_longer_read(tables: Sequence[Contract]) -> dict[str, list[Contract]]:
    """By table, which come in the order in which they are built: the temporary tables that nothing later reads.

    A view reads whenever it is read itself: what it stands on is needed as long as the view is.
    """
    places = {table.table: place for place, table in enumerate(tables)}
    needed = dict(places)
    for place, table in reversed(list(enumerate(tables))):
        until = needed[table.table] if table.materialized == "view" else place
        for name in table.depends_on:
            if name in needed:
                needed[name] = max(needed[name], until)
    found: dict[str, list[Contract]] = {table.table: [] for table in tables}
    for table in tables:
        if table.materialized == "temporary":
            found[tables[needed[table.table]].table].append(table)
    return found


def replace_slices(house: House, output: Contract, rows: pa.Table, targets: Iterable[Target]) -> list[pa.Table]:
    """Replaces each target's slice by the rows that belong to it, also when there are none. Returns the slices.

    All in one commit: a month of days that are rebuilt together is one entry in the table's log, not thirty.
    """
    column = output.slice_column or ""
    pieces: list[tuple[date, pa.Table, str]] = []
    for target in targets:
        piece = rows.filter(pc.call_function("equal", [rows[column], pa.scalar(target.slice_date)]))
        pieces.append((target.slice_date, piece, target.fingerprint[:HALF] + content_fingerprint(piece)))
    house.lake.replace_slices(output.table, SLICE_SOURCE, pieces)
    return [piece for _, piece, _ in pieces]


def summary(output: Contract, slices: Sequence[date], pieces: Sequence[pa.Table]) -> Built:
    """Rows and money of what was rebuilt."""
    total: dict[str, Decimal] = {}
    if {MONEY, CURRENCY} <= {column.name for column in output.columns}:
        for piece in pieces:
            for currency, cost in zip(piece[CURRENCY].to_pylist(), piece[MONEY].to_pylist(), strict=True):
                if cost is not None:
                    # Python's decimals, because Arrow's sum of a DECIMAL(38,12) has no digits to spare
                    total[currency] = EXACT.add(total.get(currency, Decimal(0)), cost)
    return Built(
        output.table, tuple(slices), sum(piece.num_rows for piece in pieces), total, note(output.table, pieces)
    )
