"""The organisation's board: a year of the published snapshot, handed to `reports` whole, written as one file."""

from datetime import date

import polars as pl
import pyarrow as pa

from contracts import all_contracts, contract
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.lake import LakeError, NotPublishedError
from pipelines.lake.published import Snapshot
from pipelines.night.editions import edition_of
from reports.board import BoardMonth, BoardRows, render_board

BOARD = "board.html"
MONTHS = 12
_TABLES = (
    *("reconciliation_summary", "reconciliation_by_cause", "invoice_tie_out", "period_states", "commitments"),
    *("commitment_coverage", "commitment_advice", "anomalies", "period_adjustments", "gpu_coverage", "budget_status"),
    *("forecasts", "unit_costs", "request_costs", "variance_bridge", "savings", "verified_savings", "bill_errata"),
    *("break_even", "provisioned_advice"),
)
_HOUR_KEYS = ("usage_date", "hour", "cluster", "gpu_state", "is_warm_standby", "billing_currency")
_LEDGER_KEYS = ("billing_period", "provider_id")
_LEDGER_TOKENS = ("billed_tokens", "counted_tokens", "logged_tokens")
_LEDGER_COSTS = ("billed_cost", "estimated_cost", "difference")


def write_board(house: House, period: date | None = None) -> str | None:
    """Writes the board of the twelve months up to `period`, else up to the newest with costs.

    Returns where it lies; None where no month has costs. Raises LakeError when nothing was published, or no costs of
    the `period` that was asked for.
    """
    snapshot = house.lake.published()
    months = [month for month in snapshot.months("chargeback") if period is None or month <= period][-MONTHS:]
    rows = _rows(house, snapshot, months)
    shown = rows.months[-1].period.start if rows.months else None
    if period not in (None, shown):
        where = f"{period:%Y-%m} in {house.config.currency}"
        raise LakeError(f"the published snapshot has no costs of {where}: no board was written")
    if shown is None:
        return None
    folder = house.reports_directory / f"{shown:%Y-%m}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / BOARD
    file.write_bytes(render_board(rows))
    return str(file)


def _rows(house: House, snapshot: Snapshot, months: list[date]) -> BoardRows:
    editions = (edition_of(house, month) for month in months)
    shown = tuple(
        BoardMonth(one.period, one.view.chargeback, one.view.gpu, _gpu_hours(snapshot, one.period.start), one.shared)
        for one in editions
        if not one.view.chargeback.is_empty()
    )
    if not shown:
        return BoardRows(())
    return BoardRows(shown, _tables(snapshot, shown[0].period.start, shown[-1].period.end))


def _tables(snapshot: Snapshot, start: date, end: date) -> dict[str, pl.DataFrame]:
    """Every mart that the board tells from and that the snapshot has."""
    found = {name: _read(snapshot, name, start, end) for name in _TABLES}
    ledgers = _ledgers(_read(snapshot, "reconciliation_lines", start, end), found["reconciliation_summary"])
    return {name: frame for name, frame in {**found, "ledgers": ledgers}.items() if frame is not None}


def _ledgers(lines: pl.DataFrame | None, summary: pl.DataFrame | None) -> pl.DataFrame | None:
    """Every provider's month: what each ledger counts, and the costs as `reconciliation_summary` has them.

    The lines know no cost of a log that has nothing of a provider, where the mart has it as 0; `has_bill` is whether
    a line of them is billed.
    """
    if lines is None or summary is None:
        return None
    has_bill = pl.col("billed_cost").is_not_null().any().alias("has_bill")
    tokens = lines.group_by(_LEDGER_KEYS).agg(has_bill, *(_known_sum(name) for name in _LEDGER_TOKENS))
    return tokens.join(summary.select(*_LEDGER_KEYS, *_LEDGER_COSTS), on=_LEDGER_KEYS, how="left")


def _known_sum(column: str) -> pl.Expr:
    """The sum of what is known; NULL where nothing is."""
    is_known = pl.col(column).is_not_null().any()
    return pl.when(is_known).then(pl.col(column).cast(pl.Decimal(38, 12)).sum()).alias(column)


def _gpu_hours(snapshot: Snapshot, month: date) -> pl.DataFrame:
    """A month's GPU costs by hour, cluster and state; empty where the snapshot has none."""
    found = _read(snapshot, "gpu_costs_hourly", month, next_month(month))
    rows = _empty_hours() if found is None else found
    hour = pl.col("hour_start").dt.hour().alias("hour")
    return rows.with_columns(hour).group_by(_HOUR_KEYS).agg(pl.col("effective_cost", "gpu_seconds").sum())


def _empty_hours() -> pl.DataFrame:
    return frame_of(contract("gpu_costs_hourly").arrow_schema().empty_table())


def _read(snapshot: Snapshot, table: str, start: date, end: date) -> pl.DataFrame | None:
    """A table's rows of those days; None where this version or the snapshot does not have it."""
    if table not in all_contracts():
        return None
    try:
        rows: pa.Table = snapshot.read(table, start, end)
    except NotPublishedError:
        return None
    return frame_of(rows)
