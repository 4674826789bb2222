"""Builds the stale slices of a table that has SQL: registers what it reads, runs it, replaces slice by slice."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from contracts import Contract, contract
from pipelines.calendar import month_start
from pipelines.engines import Engine
from pipelines.house import House
from pipelines.night.references import REFERENCE_DATE
from pipelines.night.register import register
from pipelines.night.stale import HALF, Target, content_fingerprint, input_range, stale, stored_inputs
from pipelines.night.versions import rule_versions
from pipelines.wording import first_of

SLICE_SOURCE = "farthing"
ROWS_AT_ONCE = 4_000_000  # a day of a hundred million attempts a month
PRICED = "usage_daily"  # where requests first meet their prices; tables made from it say nothing new
MONEY, CURRENCY = "effective_cost", "billing_currency"
EXACT = Context(prec=76)  # twice the 38 digits of an amount: no sum is rounded
HELD = "gpu_holdings"
UNJOINED = "gpu_unjoined"
SHARES = "gpu_shares"
SERVED = "serving_hourly"
CONVERTED = "chargeback"  # where costs are converted to the statements' currency


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


def stale_targets(house: House, output: Contract, first: date, last: date) -> list[Target]:
    """The slices of `output` that a run of the days first..last must rebuild."""
    tables = [output, *stored_inputs(output)]
    slices = {table.table: house.lake.slices(table.table) for table in tables}
    everything = house.options.full_refresh
    versions = rule_versions(house, output, first, last)
    return stale(output, slices, versions, first, last, everything=everything)


def build(house: House, output: Contract, first: date, last: date) -> Built:
    """Rebuilds the stale slices of a SQL table for a run of the days first..last: as many at a time as fit."""
    if output.slice == "none":
        return _build_whole(house, output)
    done: list[date] = []
    tables: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for together in _batches(house, output, targets):
        with house.engine() as engine:
            _register_inputs(house, engine, output, [target.slice_date for target in together])
            engine.build(output)
            rows = engine.read(output.table)
        tables += replace_slices(house, output, rows, together)
        done += [target.slice_date for target in together]
    return summary(output, done, tables)


def _batches(house: House, output: Contract, targets: Sequence[Target]) -> Iterator[list[Target]]:
    """Slices that are built together: of one month, and days with no more rows to read than `ROWS_AT_ONCE`.

    A day of many rows is built alone: what is held of each row then stays small, and fast to look up. Days that are
    read with their neighbours stay together, so that no day is read three times.
    """
    counts: Counter[date] = Counter()
    for table in stored_inputs(output) if output.slice == "day" and not output.neighbours else ():
        if table.slice == "day":
            for piece in house.lake.slices(table.table):
                counts[piece.slice_date] += piece.row_count
    together: list[Target] = []
    rows = 0
    for target in targets:
        is_other_month = bool(together) and month_start(together[0].slice_date) != month_start(target.slice_date)
        if is_other_month or (together and rows + counts[target.slice_date] > ROWS_AT_ONCE):
            yield together
            together, rows = [], 0
        together.append(target)
        rows += counts[target.slice_date]
    if together:
        yield together


def _build_whole(house: House, output: Contract) -> Built:
    with house.engine() as engine:
        _register_inputs(house, engine, output, [REFERENCE_DATE])
        engine.build(output)
        rows = engine.read(output.table)
    house.lake.replace_slice(output.table, REFERENCE_DATE, SLICE_SOURCE, rows, content_fingerprint(rows))
    return summary(output, [REFERENCE_DATE], [rows])


def _register_inputs(house: House, engine: Engine, output: Contract, dates: Sequence[date]) -> None:
    """Registers every stored table below `output` for those slices, then builds the views between, deepest first."""
    for table in stored_inputs(output):
        ranges = [input_range(output, table, day) for day in dates]
        register(house, engine, table.table, min(start for start, _ in ranges), max(end for _, end in ranges))
    for view in _views(output):
        engine.build(view)


def _views(output: Contract) -> list[Contract]:
    found: dict[str, Contract] = {}
    for name in output.depends_on:
        table = contract(name)
        if table.materialized != "table":
            found |= {view.table: view for view in _views(table)}
            found[name] = table
    return list(found.values())


def replace_slices(house: House, output: Contract, rows: pa.Table, targets: Iterable[Target]) -> list[pa.Table]:
    """Replaces each target's slice by the rows that belong to it, also when there are none. Returns the slices."""
    column = output.slice_column or ""
    pieces: list[pa.Table] = []
    for target in targets:
        piece = rows.filter(pc.field(column) == pa.scalar(target.slice_date))
        content = content_fingerprint(piece)
        house.lake.replace_slice(
            output.table, target.slice_date, SLICE_SOURCE, piece, target.fingerprint[:HALF] + content
        )
        pieces.append(piece)
    return pieces


def summary(output: Contract, slices: Sequence[date], pieces: Sequence[pa.Table]) -> Built:
    """Rows and money of what was rebuilt."""
    total: dict[str, Decimal] = {}
    if {MONEY, CURRENCY} <= {column.name for column in output.columns}:
        for piece in pieces:
            for currency, cost in zip(piece[CURRENCY].to_pylist(), piece[MONEY].to_pylist(), strict=True):
                if cost is not None:
                    # Python's decimals, because Arrow's sum of a DECIMAL(38,12) has no digits to spare
                    total[currency] = EXACT.add(total.get(currency, Decimal(0)), cost)
    return Built(output.table, tuple(slices), sum(piece.num_rows for piece in pieces), total, _note(output, pieces))


def _note(output: Contract, pieces: Sequence[pa.Table]) -> str:
    """What people must know of the rows beyond their number; empty when there is nothing."""
    if output.table == PRICED:
        return _unpriced(pieces)
    if output.table == HELD:
        return _contradicted(pieces)
    if output.table == UNJOINED:
        return _unjoined(pieces)
    if output.table == SHARES:
        return _impossible(pieces)
    if output.table == SERVED:
        return _seen_twice(pieces)
    return _unconverted(pieces) if output.table == CONVERTED else ""


def _contradicted(pieces: Sequence[pa.Table]) -> str:
    """Of which holders two sources say different things; empty when they agree."""
    holders = {
        f"{row['namespace']}/{row['pod']} on {row['hostname']}"
        for piece in pieces
        for row in piece.filter(pc.field("is_contradicted")).to_pylist()
    }
    named = first_of(sorted(holders))
    return f"sources differ in how many GPUs {named} had: the higher number counts" if named else ""


def _unjoined(pieces: Sequence[pa.Table]) -> str:
    """Whose bills have GPUs that no machine is known for, and for how much; empty when none has."""
    costs: dict[tuple[str, str], Decimal] = {}
    for piece in pieces:
        for row in piece.select(["provider_name", CURRENCY, MONEY]).to_pylist():
            key = (row["provider_name"], row[CURRENCY])
            costs[key] = EXACT.add(costs.get(key, Decimal(0)), row[MONEY])
    told = ", ".join(f"{provider} {currency} {cost:,.2f}" for (provider, currency), cost in sorted(costs.items()))
    return f"billed for GPUs of machines that nobody knows (hosts): {told}" if told else ""


def _seen_twice(pieces: Sequence[pa.Table]) -> str:
    """Which engines several sources observe; empty when each has one."""
    pods = {
        f"{row['namespace']}/{row['pod']}"
        for piece in pieces
        for row in piece.filter(pc.field("source_count") > 1).to_pylist()
    }
    named = first_of(sorted(pods))
    return (
        f"several sources observe the engines of {named}: each hour counts once, as the best covered tells"
        if named
        else ""
    )


def _impossible(pieces: Sequence[pa.Table]) -> str:
    """Which MIG instances cannot be what they are said to be; empty when all can."""
    profiles, gpus = set[str](), set[str]()
    for piece in pieces:
        for row in piece.filter(pc.field("mig_doubt").is_valid()).to_pylist():
            of_gpu = f"{row['gpu_uuid']} on {row['hostname']}"
            if row["mig_doubt"] == "impossible_profile":
                profiles.add(f"{row['mig_profile']} of {of_gpu}")
            else:
                gpus.add(of_gpu)
    told: list[str] = []
    if profiles:
        told.append(f"no such MIG profile: {first_of(sorted(profiles))}; its GPU's instances weigh equally")
    if gpus:
        told.append(f"MIG instances add up to more than the GPU: {first_of(sorted(gpus))}")
    return "; ".join(told)


def _unconverted(pieces: Sequence[pa.Table]) -> str:
    """Which currencies have no exchange rate in which month."""
    missing = {
        f"{row['billing_currency']} in {row['billing_period']:%Y-%m}"
        for piece in pieces
        for row in piece.filter(pc.field("reporting_effective_cost").is_null()).to_pylist()
    }
    return f"no exchange rate for {', '.join(sorted(missing))}" if missing else ""


def _unpriced(pieces: Sequence[pa.Table]) -> str:
    """Which models have used tokens without a price, most first; empty when none has."""
    tokens: dict[str, int] = {}
    for piece in pieces:
        for row in piece.select(["provider_id", "model_id", "unpriced_tokens"]).to_pylist():
            if row["unpriced_tokens"]:
                name = f"{row['provider_id']}/{row['model_id']}"
                tokens[name] = tokens.get(name, 0) + row["unpriced_tokens"]
    ranked = sorted(tokens.items(), key=lambda item: (-item[1], item[0]))
    named = first_of([f"{name} ({count:,} tokens)" for name, count in ranked])
    return f"no price for {named}" if named else ""
