"""FOCUS's Cost and Usage of every month that is stale, and in open months what locked ones differ by.

The rows of a locked month stay as they were locked. A month that was locked before this table was kept has none.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

import polars as pl
import pyarrow as pa

from contracts import contract
from contracts.focus import FOCUS
from models.focus import focus_rows
from models.focus_corrections import corrections
from models.frames import frame_of
from models.money import MONEY, units_of
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.adjustments import RESTATED, carried
from pipelines.night.build import Built, replace_slices
from pipelines.night.closings import locked_months
from pipelines.night.ledger import POSTINGS
from pipelines.night.register import read_input, register
from pipelines.night.stale import HALF, Target, reach, stale, stored_inputs
from pipelines.night.versions import rule_versions

_LINES = "charge_lines"
_EXPORTED = (
    *("x_CorrectedPeriod", "x_BillingPeriod", "x_SourceName", "BillingAccountId", "InvoiceId", "BillingCurrency"),
    *("BilledCost", "EffectiveCost"),
)
_BILLED = (
    *("x_slice_date", "x_source", "billing_account_id", "invoice_id", "billing_currency"),
    *("billed_cost", "effective_cost"),
)
_OF_A_CORRECTED_MONTH = ("charges", RESTATED, FOCUS)


def build_focus(house: House, first: date, last: date) -> Built:
    """Builds the months that a run of the days first..last must rebuild; none that is locked."""
    output = contract(FOCUS)
    pieces: list[pa.Table] = []
    done: list[date] = []
    for target in _targets(house, first, last):
        month = target.slice_date
        parts = [focus_of(house, month, POSTINGS)]
        parts += [_corrections(house, corrected, month) for corrected in carried(house).get(month, ())]
        rows = pl.concat(parts)
        pieces += replace_slices(house, output, rows.to_arrow(), [target])
        done.append(month)
    return Built(FOCUS, tuple(done), sum(piece.num_rows for piece in pieces))


def focus_of(house: House, month: date, journal: str) -> pl.DataFrame:
    """The rows of a month's own bill as it is now, by that journal: `postings`, or `restated_postings`."""
    output = contract(FOCUS)
    with house.engine() as engine:
        for table in stored_inputs(contract(_LINES)):
            register(house, engine, table.table, month, next_month(month))
        engine.build(contract(_LINES))
        lines = frame_of(engine.read(_LINES))
    read = {
        name: read_input(house, output, name, month)
        for name in ("charges", "usage_by_team_daily", "price_book", "teams")
    }
    return focus_rows(
        charges=read["charges"],
        charge_lines=lines,
        postings=read_input(house, output, journal, month),
        usage=read["usage_by_team_daily"],
        price_book=read["price_book"],
        teams=read["teams"],
    )


def focus_breaks(house: House, first: date) -> list[str]:
    """Where the rows, with every correction, do not sum to the bills: by source, account, invoice and currency.

    Of the months that a run from that day on may rebuild, and that have rows.
    """
    start = reach(first)
    months = sorted({piece.slice_date for piece in house.lake.slices(FOCUS) if piece.slice_date >= start})
    if not months:
        return []
    exported = _select(house, FOCUS, months[0], _EXPORTED).with_columns(pl.coalesce(_EXPORTED[:2]).alias("month"))
    billed = _select(house, "charges", months[0], _BILLED).with_columns(
        *((units_of(name) * -1).reinterpret(dtype=MONEY).alias(name) for name in _BILLED[-2:]),
        pl.col("x_slice_date").alias("month"),
    )
    names = ["source", "billing_account", "invoice", "currency", "billed", "effective"]
    both = pl.concat(
        [
            exported.select("month", *(pl.col(a).alias(b) for a, b in zip(_EXPORTED[2:], names, strict=True))),
            billed.select("month", *(pl.col(a).alias(b) for a, b in zip(_BILLED[1:], names, strict=True))),
        ]
    )
    of_months = both.filter(pl.col("month").is_in(months))
    sums = of_months.group_by("month", *names[:4]).agg(pl.col("billed", "effective").sum())
    broken = sums.filter((pl.col("billed") != 0) | (pl.col("effective") != 0))
    return [str(row) for row in broken.sort("month", *names[:4]).to_dicts()]


def _select(house: House, table: str, start: date, columns: Sequence[str]) -> pl.DataFrame:
    return frame_of(house.lake.dataset(table, start, date.max).to_table(columns=list(columns)))


def _corrections(house: House, corrected: date, month: date) -> pl.DataFrame:
    """What a locked month differs by, less what months between have corrected; nothing where it has no rows here."""
    kept = _read(house, [corrected])
    locked = kept.filter(pl.col("x_CorrectedPeriod").is_null())
    if not _is_kept(house, corrected):
        return locked
    between = [other for other in locked_months(house) if corrected < other < month]
    before = _read(house, between).filter(pl.col("x_CorrectedPeriod") == corrected)
    today = focus_of(house, corrected, RESTATED)
    return corrections(posted_in=month, until=next_month(month), locked=locked, today=today, before=before)


def _is_kept(house: House, month: date) -> bool:
    return any(piece.slice_date == month for piece in house.lake.slices(FOCUS))


def _targets(house: House, first: date, last: date) -> list[Target]:
    """The open months whose rows are not made from what the lake holds now of their own bill and what they carry."""
    output = contract(FOCUS)
    slices = {table.table: house.lake.slices(table.table) for table in [output, *stored_inputs(output)]}
    versions = rule_versions(house, output, first, last)
    own = {t.slice_date: t.fingerprint for t in stale(output, slices, versions, first, last, everything=True)}
    built = {piece.slice_date: piece.fingerprint[:HALF] for piece in slices[FOCUS]}
    found: list[Target] = []
    for month in sorted({*own, *carried(house)} - locked_months(house)):
        fingerprint = _fingerprint(house, own.get(month, ""), carried(house).get(month, ()), month)
        if house.options.full_refresh or built.get(month) != fingerprint:
            found.append(Target(month, fingerprint))
    return found


def _fingerprint(house: House, own: str, corrected: Sequence[date], month: date) -> str:
    digest = hashlib.sha256(own.encode())
    between = [other for other in locked_months(house) if corrected and corrected[0] < other < month]
    for table in _OF_A_CORRECTED_MONTH:
        for piece in house.lake.slices(table):
            if piece.slice_date in (*corrected, *(between if table == FOCUS else ())):
                digest.update(f"\n{table} {piece.slice_date} {piece.slice_source} {piece.fingerprint[-HALF:]}".encode())
    return digest.hexdigest()[:HALF]


def _read(house: House, months: Iterable[date]) -> pl.DataFrame:
    empty = contract(FOCUS).arrow_schema().empty_table()
    return frame_of(pa.concat_tables([empty, *(house.lake.read(FOCUS, month, next_month(month)) for month in months)]))
