"""The reconciliation of every billing period that is stale: the four sides, and why they differ."""

from datetime import date

import polars as pl
import pyarrow as pa

from contracts import conform, contract
from models.reconciliation import CAUSES, LINES, Reconciled, reconcile
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, stale_targets
from pipelines.night.exchange_rates import usd_rates
from pipelines.night.register import read_input


def build_lines(house: House, first: date, last: date) -> Built:
    """Rebuilds the four sides of the periods that a run of the days first..last must rebuild."""
    return _build(house, LINES, first, last)


def build_causes(house: House, first: date, last: date) -> Built:
    """Rebuilds why they differ, of the same periods."""
    return _build(house, CAUSES, first, last)


def _build(house: House, table: str, first: date, last: date) -> Built:
    output = contract(table)
    pieces: list[pa.Table] = []
    targets = stale_targets(house, output, first, last)
    for target in targets:
        found = _reconciled(house, target.slice_date)
        rows = found.lines if table == LINES else found.causes
        pieces += replace_slices(house, output, conform(output, rows.to_arrow()), [target])
    return Built(table, tuple(target.slice_date for target in targets), sum(piece.num_rows for piece in pieces))


def _reconciled(house: House, period: date) -> Reconciled:
    names = house.lake.read("model_identity").to_pylist()
    in_period = pl.col("usage_date").dt.truncate("1mo") == period
    return reconcile(
        period,
        charge_groups=read_input(house, contract(LINES), "charge_groups", period),
        usage_hourly=read_input(house, contract(LINES), "usage_hourly", period),
        provider_usage=read_input(house, contract(LINES), "provider_usage", period).filter(in_period),
        price_book=read_input(house, contract(LINES), "price_book", period),
        identities={
            (row["source_provider"], row["source_model"]): (row["provider_id"], row["model_id"]) for row in names
        },
        usd_rates={currency: rate for (currency, month), rate in usd_rates(house).items() if month == period},
    )
