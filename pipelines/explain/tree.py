"""The walk by declarations: from rows of any table down to the rows that they are made of, table by table.

Where it comes to a table of the ledger, the ledger's own walk goes on (`pipelines.explain.walk`); where it comes to a
bill's charge groups, to their lines; where it comes to a delivered fact, to its files. Each table's rows are held
against those that they are made of, whole: so what is listed sums back level by level. Rows to which two ways lead are
gone further down from once.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

import polars as pl

from contracts import Contract, Layer, Modelled, contract
from pipelines.explain.bill import bill_lines
from pipelines.explain.delivered import deliveries, fact_deliveries
from pipelines.explain.evidence import Evidence
from pipelines.explain.figures import figure_of
from pipelines.explain.journal import AMOUNTS, POSTED, totals
from pipelines.explain.made_of import declared, differences, parts_of_figure
from pipelines.explain.made_of_rows import NOTE, TO, Listed, listed
from pipelines.explain.marts import MARTS, Mart
from pipelines.explain.request_prices import REQUESTS, with_prices
from pipelines.explain.rules import Rules
from pipelines.explain.walk import DEPTHS, Explanation, Level, explain

ALL_DEPTHS = (DEPTHS[0], "parts", *DEPTHS[1:])
"""`parts` are the rows that are listed first, and no others."""
LONG = (REQUESTS, "gpu_samples")
"""The log, priced, and the samples: read only where requests are asked for, as they are long."""
MOST_ROWS = 200_000
"""Rows of one table that are gone further down from."""
_JOURNALS = ("postings", "adjustments")
_GROUPS = "charge_groups"


@dataclass(frozen=True)
class Asked:
    """How far to go, and for which figure of the rows; all of them where it is empty."""

    evidence: Evidence
    rules: Rules
    depth: str
    figure: str = ""
    _gone_down: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame], repr=False)

    def fresh(self, table: Contract, rows: pl.DataFrame) -> pl.DataFrame:
        """Those rows of a table that were not gone further down from before; from now on they were."""
        keys = rows.select(name for name in table.key if name in rows.columns)
        before = self._gone_down.get(table.table, keys.clear())
        fresh = keys.join(before, on=keys.columns, how="anti", nulls_equal=True)
        self._gone_down[table.table] = pl.concat([before, fresh])
        return rows.join(fresh, on=keys.columns, how="semi", nulls_equal=True)


def explain_rows(asked: Asked, mart: Mart, cells: pl.DataFrame) -> Explanation:
    """Walks down from rows of any table that says what it is made of.

    Args:
        asked: how far.
        mart: what the rows are of; one of the ledger is walked by its journal, too.
        cells: the rows, with a number `line`.
    """
    table = contract(mart.table)
    told: list[Level | str] = []
    notes: tuple[str, ...] = ()
    asked.fresh(table, cells)
    if mart.parts:
        ledger = explain(asked.evidence, mart, cells, asked.rules, _ledger_depth(asked.depth))
        told += [*ledger.levels, *ledger.breaks]
        notes = ledger.notes
    else:
        told.append(Level("lines", f"Lines of {mart.table}", cells))
    told += _below(asked, table, cells, "")
    levels = tuple(one for one in told if isinstance(one, Level))
    breaks = tuple(one for one in told if isinstance(one, str))
    figure = totals(cells) if mart.parts else figure_of(table, cells, asked.figure)
    return Explanation(mart, figure, levels, breaks, (*notes, *_notes(table, asked.figure)))


def _ledger_depth(depth: str) -> str:
    return "lines" if depth == "parts" else depth


def _below(asked: Asked, table: Contract, cells: pl.DataFrame, path: str) -> Iterator[Level | str]:
    """The rows that rows are made of, whether they come out, and what is below them."""
    if asked.depth == "lines" or cells.is_empty():
        return
    figure = "" if path else asked.figure
    parts = [part for part in parts_of_figure(declared(table), figure) if part.table not in LONG or _reads_log(asked)]
    found = [listed(asked.evidence, table, part, cells) for part in parts]
    yield from differences(asked.evidence, table, cells, found, figure)
    for one in found:
        # the ledger's own walk lists its moves
        is_listed = table.table in MARTS and one.part.table in _JOURNALS
        shown = _of_figure(one, figure)
        if not is_listed and not shown.rows.is_empty():
            name = f"{path}{one.part.title}"
            yield _level(table, _priced(asked.evidence, shown), name, path)
            if asked.depth != "parts" and one.part.table != table.table:
                yield from _further(asked, contract(one.part.table), _distinct(shown), f"{name}/")


def _of_figure(one: Listed, figure: str) -> Listed:
    """Without rows that add nothing to the one figure that is asked about."""
    if figure not in one.part.sums:
        return one
    return Listed(one.part, one.rows.filter(pl.col(f"{TO}{figure}").fill_null(0) != 0))


def _priced(evidence: Evidence, one: Listed) -> Listed:
    """Logged requests with the prices that applied to them: a cost is worked out from both."""
    return Listed(one.part, with_prices(evidence, one.rows)) if one.part.table == REQUESTS else one


def _reads_log(asked: Asked) -> bool:
    return asked.depth in ("parts", "requests")


def _level(table: Contract, one: Listed, name: str, path: str) -> Level:
    own = {column.name for column in table.columns}
    are_inputs = not own & one.part.sums.keys()
    figures = tuple(f"{TO}{figure}" for figure in one.part.sums)
    title = one.part.title.replace("_", " ") if one.part.name else one.part.table
    of = f"{'inputs of' if are_inputs else 'for'} {path.rstrip('/') or 'lines'}"
    return Level(name, f"{title}, {of}", one.rows, figures, one.part.table, are_inputs)


def _distinct(one: Listed) -> pl.DataFrame:
    """The rows themselves, each once, with a number of their own."""
    table = contract(one.part.table)
    # what is not listed one by one has no key to go on by
    by_itself = one.rows.filter(pl.col(NOTE).is_null()) if NOTE in one.rows.columns else one.rows
    own = by_itself.select(column.name for column in table.columns if column.name in by_itself.columns)
    rows = own.unique(subset=list(table.key) or None, maintain_order=True)
    return rows.with_row_index("line", offset=1).with_columns(pl.col("line").cast(pl.Int64))


def _further(asked: Asked, table: Contract, rows: pl.DataFrame, path: str) -> Iterator[Level | str]:
    if rows.height > MOST_ROWS:
        yield _too_many(table, rows, path)
        return
    rows = asked.fresh(table, rows)
    if rows.is_empty():
        return
    if table.table in MARTS:
        yield from _ledger(asked, MARTS[table.table], rows, path)
    elif table.table == _GROUPS:
        yield from _bill(asked, rows, path)
    elif table.layer is Layer.STAGED:
        yield Level(
            f"{path}deliveries",
            f"Deliveries that brought them, for {path[:-1]}",
            fact_deliveries(asked.evidence, table, rows),
            (),
        )
    else:
        yield from _below(asked, table, rows, path)


def _too_many(table: Contract, rows: pl.DataFrame, path: str) -> Level:
    note = f"{rows.height:,} rows of {table.table} are more than {MOST_ROWS:,}: ask for fewer (--where)"
    return Level(
        f"{path}not_walked", f"Not gone further down from, for {path[:-1]}", pl.DataFrame({"note": [note]}), ()
    )


def _ledger(asked: Asked, mart: Mart, rows: pl.DataFrame, path: str) -> Iterator[Level | str]:
    """What the journal has of rows of a table of the ledger."""
    found = explain(asked.evidence, mart, rows, asked.rules, _ledger_depth(asked.depth))
    for level in found.levels[1:]:
        yield Level(f"{path}{level.name}", f"{level.title}, for {path[:-1]}", level.rows, AMOUNTS)
    yield from found.breaks


def _bill(asked: Asked, rows: pl.DataFrame, path: str) -> Iterator[Level | str]:
    """The bill lines of whole charge groups, and their files."""
    if ALL_DEPTHS.index(asked.depth) < ALL_DEPTHS.index("bill"):
        return
    whole = [pl.col(name).alias(f"part_{name}") for name in AMOUNTS]
    groups = rows.select(
        pl.lit(POSTED).alias("origin"), pl.col("billing_period").alias("period"), "charge_group_id", *AMOUNTS, *whole
    )
    lines = bill_lines(asked.evidence, groups)
    yield Level(f"{path}bill", f"Lines of the bill, for {path[:-1]}", lines, AMOUNTS)
    for name in AMOUNTS:
        booked, found = rows[name].sum(), lines[name].sum() if name in lines.columns else 0
        if booked != found:
            yield f"{path}bill: {name} comes to {found}, the charge groups to {booked}"
    if not lines.is_empty():
        yield Level(
            f"{path}deliveries",
            f"Deliveries that brought them, for {path[:-1]}",
            deliveries(asked.evidence, lines),
            AMOUNTS,
        )


def _notes(table: Contract, figure: str) -> Iterator[str]:
    """What is no sum, and what it is instead."""
    made = declared(table)
    for model in made.modelled:
        names = [name for name in model.figures if figure in ("", name)]
        if names:
            yield f"{', '.join(names)}: computed by {_versions(model)}: {model.how}"
    ratios = ((name, f"({ratio.of}) / ({ratio.by})") for name, ratio in made.ratios.items())
    for name, text in (*made.formulas.items(), *ratios):
        if figure in ("", name):
            yield f"{name} = {' '.join(text.split())}"
    for name, text in made.stated.items():
        if figure in ("", name):
            yield f"{name}: {text}"


def _versions(model: Modelled) -> str:
    module, _, name = model.rules.partition(":")
    told = f"rules {getattr(importlib.import_module(module), name)}" if name else f"Farthing {version('farthing')}"
    return ", ".join([model.by, told, *(f"{library} {version(library)}" for library in model.libraries)])
