"""What a check says of a bill before the first night: where its files lie, and whether the latest fits the settings.

Here belongs: the look at the beginning of one file. Here does not belong: reading a month.
"""

import polars as pl

from connectors.base import IncompleteDeliveryError, SourceError
from connectors.bills.look import whose
from connectors.focus.fetch import latest_file, probe_location
from connectors.focus.read import read_batches
from connectors.focus.reading import Reading
from connectors.focus.settings import BillSettings

_CURRENCY = "billing_currency"


def probe_bill(settings: BillSettings, reading: Reading) -> str:
    """How many bill files there are, and of which months; and what the latest lacks that it need not have.

    Raises SourceError where there is no file, the latest lacks a column that charges need, or no line in its beginning
    is in the currency of the settings.
    """
    told, latest = probe_location(settings), latest_file(settings)
    if latest is None:
        return told
    first = next(read_batches(latest.name, latest.body, reading.shape))
    try:
        columns = reading.resolve(first, latest.name)
    except IncompleteDeliveryError as error:
        raise SourceError(f"{error}{whose(latest)}") from None
    values = reading.prepare(first, columns).values
    named = next(iter(columns.sources.get(_CURRENCY, ())), _CURRENCY)
    _require_currency(settings, f"{settings.location}: {latest.name}", named, values[_CURRENCY], first.rows)
    absent = f"; {latest.name} says nothing under {', '.join(columns.absent)}" if columns.absent else ""
    return f"{told}{absent}"


def _require_currency(settings: BillSettings, where: str, column: str, found: pl.Series, rows: pl.Series) -> None:
    others = found.drop_nulls()
    if others.is_empty() or (others == settings.currency).any():
        return
    row = rows[(found.is_not_null()).arg_max() or 0]
    raise SourceError(
        f"{where}, line {row} of its records: {column} is {others[0]!r}, and the setting `currency` of this source is "
        f"{settings.currency!r}, as is none of the first {len(others):,}: all would be refused. "
        "Set `currency` to the bill's own, or check that the location holds the bill that was meant"
    )
