"""Exchange rates of the configuration, locked by month: a rate in use changes only by a restatement that names it."""

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from contracts import contract
from pipelines.config.rates import ExchangeRate
from pipelines.house import House

TABLE, _USD = "fx_rates", "USD"
Month = tuple[str, str, date]
Row = dict[str, object]


class RateLockedError(Exception):
    """The configuration gives another rate than the one that costs of the month were converted with."""


def learned_rates(house: House) -> pa.Table:
    """All rates that were ever known, and what the configuration adds. A rate that it no longer names still holds.

    Raises RateLockedError, naming both rates and the remedy, when a known rate is another and is not restated.
    """
    rows: list[Row] = house.lake.read(TABLE).to_pylist()
    known_at = max([house.began_at, *(_known_from(row) for row in rows)])
    for entry in house.config.exchange_rates:
        latest = max((row for row in rows if _month(row) == _month_of(entry)), key=_known_from, default=None)
        if latest is not None and latest["rate"] == entry.rate:
            continue
        if latest is not None and latest["rate"] != entry.restates:
            raise RateLockedError(_complaint(entry, latest))
        rows = [row for row in rows if not (_month(row) == _month_of(entry) and row["known_from"] == known_at)]
        rows.append(_row(entry, known_at))
    return pa.Table.from_pylist(rows, schema=contract(TABLE).arrow_schema())


def usd_rates(house: House) -> dict[tuple[str, date], Decimal]:
    """Dollars for a unit of a currency, by currency and month, as known now.

    A company that states its costs in another currency gives rates to that one: what a dollar is in it says what its
    unit is in dollars, to 28 digits, and with it what every other currency's is.
    """
    stated, own = rates_to(house, _USD), house.config.currency
    if own == _USD:
        return stated
    to_own = rates_to(house, own)
    dollars = {month: rate for (currency, month), rate in to_own.items() if currency == _USD}
    turned = {(own, month): 1 / rate for month, rate in dollars.items()}
    crossed = {
        (currency, month): rate / dollars[month]
        for (currency, month), rate in to_own.items()
        if month in dollars and currency != _USD
    }
    return crossed | turned | stated


def rates_to(house: House, currency: str) -> dict[tuple[str, date], Decimal]:
    """What a unit of another currency is in `currency`, by that currency and month, as known now."""
    rows = house.lake.read(TABLE).to_pylist()
    latest = sorted((row for row in rows if row["to_currency"] == currency), key=lambda row: row["known_from"])
    return {(row["from_currency"], row["rate_month"]): row["rate"] for row in latest}


def _complaint(entry: ExchangeRate, latest: Row) -> str:
    pair = f"{entry.from_currency} to {entry.to_currency} for {entry.month}"
    locked = f"{latest['rate']:f}".rstrip("0").rstrip(".")
    return (
        f"exchange_rates: {pair} is locked at {locked} ({latest['rate_source']}, since {latest['known_from']}), and "
        f"the configuration says {entry.rate}. What was converted at {locked} stays: put that rate back, or restate it "
        f"by adding 'restates: {locked}' to the entry"
    )


def _row(entry: ExchangeRate, known_at: datetime) -> Row:
    from_currency, to_currency, rate_month = _month_of(entry)
    return {
        "from_currency": from_currency,
        "to_currency": to_currency,
        "rate_month": rate_month,
        "rate": entry.rate,
        "rate_source": entry.source,
        "known_from": known_at,
    }


def _month_of(entry: ExchangeRate) -> Month:
    return entry.from_currency, entry.to_currency, entry.first_day


def _month(row: Row) -> tuple[object, object, object]:
    return row["from_currency"], row["to_currency"], row["rate_month"]


def _known_from(row: Row) -> datetime:
    known_from = row["known_from"]
    assert isinstance(known_from, datetime)  # noqa: S101 - the contract says so: this is for the type checker
    return known_from
