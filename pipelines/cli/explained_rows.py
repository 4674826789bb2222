"""A page of what rows of a table are made of, table by table: each figure's sum, and the rows that add most to it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import polars as pl

from contracts import all_contracts, contract
from pipelines.cli.explained import LEVELS, headline, in_groups, shown, titled
from pipelines.cli.explained_amounts import plain
from pipelines.cli.explained_prices import bought
from pipelines.explain.figures import LEVELS as ROLLED_UP
from pipelines.explain.figures import known_sum
from pipelines.explain.made_of_rows import NOTE, TO
from pipelines.explain.question import Question
from pipelines.explain.walk import AMOUNTS, Explanation, Level

ROWS_SHOWN = 8
_FILES = ("x_source", "x_account", "slice_date", "received_at", "landing_file", "row_count", "note")
_REQUEST = ("started_at", "request_id")
_MODEL = "model_id"
_MODELS = (_MODEL, "billed_model")
_LOG = ("usage_date", "x_source", "key_alias", *_MODELS, "x_page", "x_row")
_CURRENCY = "billing_currency"
_MOST_WORDS = 8


def as_page(asked: Question, number: int, explanation: Explanation, *, everything: bool) -> str:
    """The figures, then level by level what they are made of; all rows of it where `everything` is asked for."""
    table = explanation.mart.table
    lines = [headline(asked, explanation), *_figures(table, explanation.figure), f"Snapshot {number}"]
    lines += [f"  {note}" for note in explanation.notes]
    for level in explanation.levels[1:]:
        lines += ["", _titled(level), *_level(level, everything=everything)]
    if not explanation.breaks:
        lines += ["", "Every figure comes out of the rows below it, to the last decimal."]
    return "\n".join(lines) + "\n"


def _titled(level: Level) -> str:
    """What a level is, and how many rows of it are listed: an input of several lines once, and how often it is one."""
    if not level.are_inputs:
        return titled(level)
    once = _once(level)
    often = "" if once.height == level.rows.height else f", which stand in the lines above {level.rows.height:,} times"
    return f"{titled(replace(level, rows=once))}{often}"


def _figures(table: str, figure: pl.DataFrame) -> Iterator[str]:
    """Every figure with its unit: that of the contract, or what the column says that the contract names."""
    units = {column.name: column.unit or "" for column in contract(table).columns}
    named = {column.name for column in contract(table).columns if column.type == "string"} & {*units.values()}
    several = figure.height > 1
    for row in figure.iter_rows(named=True):
        levels = [f"{name} {row[name]}" for name in ROLLED_UP if name in row]
        of = f"{', '.join(levels)}: " if levels and several else ""
        for name, value in row.items():
            if name not in named and name not in ROLLED_UP:
                unit = row.get(units[name]) if units[name] in named else units[name]
                yield f"{of}{name} {_number(value)} {unit or ''}".rstrip()


def _level(level: Level, *, everything: bool) -> Iterator[str]:
    last = level.name.rsplit("/", maxsplit=1)[-1]
    if level.amounts == AMOUNTS and last in LEVELS:  # of the ledger
        yield from in_groups(replace(level, name=last), AMOUNTS[0], everything=everything)
        return
    names = [name for name in level.amounts if name in level.rows.columns]
    rows = _once(level) if level.are_inputs else level.rows
    if names:
        largest = pl.max_horizontal(pl.col(name).cast(pl.Float64).abs() for name in names)
        rows = rows.sort(largest, descending=True, nulls_last=True, maintain_order=True)
    labels = _labels(level)
    for row in rows.head(rows.height if everything else ROWS_SHOWN).iter_rows(named=True):
        if _MODEL in labels and not row[_MODEL] and "billed_model" in row:
            row[_MODEL] = row["billed_model"]  # nobody knows whose it is, and the log has a name for it
        amounts = [f"{name.removeprefix(TO)} {_number(row[name])}" for name in names if row[name]]
        words = [shown(row[name]) for name in labels if row[name] not in (None, "")]
        yield f"  {'; '.join(filter(None, (', '.join(amounts), ', '.join(words), bought(row))))}"
    if not everything and rows.height > ROWS_SHOWN:
        yield f"  {rows.height - ROWS_SHOWN:,} more (--all, or --format csv)"
    if level.are_inputs and NOTE in rows.columns and rows[NOTE].count():
        return  # an input of several rows may be listed for one and in the sum of another: together it counts twice
    for name in names:
        yield from _sums(rows, name)


def _once(level: Level) -> pl.DataFrame:
    """Inputs of several rows once. Rows that were summed have no key, and stay: each is of another row above."""
    key = [name for name in contract(level.table).key if name in level.rows.columns]
    if NOTE not in level.rows.columns:
        return level.rows.unique(key, maintain_order=True)
    listed, summed = (level.rows.filter(pl.col(NOTE).is_null() == is_listed) for is_listed in (True, False))
    return pl.concat([listed.unique(key, maintain_order=True), summed])


def _sums(rows: pl.DataFrame, name: str) -> Iterator[str]:
    keys = [_CURRENCY] if _CURRENCY in rows.columns else []
    sums = rows.group_by(keys).agg(known_sum(name)).sort(keys) if keys else rows.select(known_sum(name))
    is_money = rows.schema[name].is_decimal()  # seconds and tokens are whole numbers, and of no currency
    for row in sums.iter_rows(named=True):
        currency = row.get(_CURRENCY) if is_money else None
        yield f"= {name.removeprefix(TO)} {_number(row[name])} {currency or ''}".rstrip()


def _labels(level: Level) -> list[str]:
    """What tells the rows apart, for a reader: their key, or where they stand in a file."""
    table = all_contracts().get(level.table)
    wanted = table.key if table else _FILES
    if "x_row" in level.rows.columns:
        wanted = _LOG
    if all(name in level.rows.columns for name in _REQUEST):  # one request: when, which, of what model, and where
        model = next(name for name in (*_MODELS, *_REQUEST) if name in level.rows.columns)
        return [*_REQUEST, model, *(name for name in ("key_alias", "x_source", "x_row", NOTE) if name in level.rows)]
    known = [name for name in (*wanted, NOTE) if name in level.rows.columns]
    differing = [name for name in known if level.rows[name].n_unique() > 1 or level.rows.height == 1]
    words = [name for name in differing if name != NOTE][:_MOST_WORDS]
    return [*words, *(name for name in differing if name == NOTE)]


def _number(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return plain(value) if isinstance(value, Decimal) or value is None else shown(value)
