"""What teams owe, split to their customers: every month that is stale, and the proof that every team foots.

A month's charges may start in another month (an adjustment corrects a locked one): the calls of these months count, so
they are part of what a slice is built from. The split of a locked month stays as it was locked; one that was locked
before this table was kept is split once.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from contracts import contract
from models.customers import CUSTOMER_RULES, chargeback_by_customer, not_chargeback
from models.customers import TABLE as BY_CUSTOMER
from models.frames import frame_of
from pipelines.calendar import month_start, next_month
from pipelines.house import House
from pipelines.night.build import Built, replace_slices, summary
from pipelines.night.closings import locked_months
from pipelines.night.stale import HALF, Target, reach

_CHARGED, _CALLED, _BILLED, _PLACES = "chargeback", "usage_by_user_daily", "charge_groups", "team_hierarchy"
_CALLS = (
    *("usage_date", "team_id", "feature", "is_self_hosted", "provider_id", "model_id"),
    *("customer_hash", "user_hash", "priced_cost_usd"),
)
_NOTHING = pa.scalar(Decimal(0), contract(_CALLED).arrow_schema().field("priced_cost_usd").type)
_NAMED = ("provider_name", "provider_id")


def build_chargeback_by_customer(house: House, first: date, last: date) -> Built:
    """Splits the months that a run of the days first..last must rebuild."""
    output = contract(BY_CUSTOMER)
    pieces: list[pa.Table] = []
    targets = _targets(house, first, last)
    for target in targets:
        charged = _charged(house, target.slice_date)
        months = _months(charged["charge_date"].to_list())
        rows = chargeback_by_customer(
            chargeback=charged,
            usage=_calls(house, months),
            hierarchy=frame_of(house.lake.read(_PLACES)),
            providers=_providers(house, [*months, target.slice_date]),
        )
        pieces += replace_slices(house, output, rows.to_arrow(), [target])
    return summary(output, [target.slice_date for target in targets], pieces)


def customer_breaks(house: House, first: date, last: date) -> list[str]:
    """Where a team's customers do not sum to its chargeback, in the months that such a run may rebuild."""
    found: list[str] = []
    for month in _in_reach(house, first, last):
        split = frame_of(house.lake.read(BY_CUSTOMER, month, next_month(month)))
        found += map(str, not_chargeback(_charged(house, month), split).to_dicts())
    return found


def _targets(house: House, first: date, last: date) -> list[Target]:
    built = {piece.slice_date: piece.fingerprint[:HALF] for piece in house.lake.slices(BY_CUSTOMER)}
    locked = locked_months(house)
    found: list[Target] = []
    for month in _in_reach(house, first, last):
        if month in locked and month in built:
            continue
        fingerprint = _fingerprint(house, month)
        if house.options.full_refresh or built.get(month) != fingerprint:
            found.append(Target(month, fingerprint))
    return found


def _in_reach(house: House, first: date, last: date) -> list[date]:
    earliest = reach(first)
    return [piece.slice_date for piece in house.lake.slices(_CHARGED) if earliest <= piece.slice_date <= last]


def _fingerprint(house: House, month: date) -> str:
    """Of what a month's split is made from: its chargeback, and the calls and bills of the months it has charges of."""
    digest = hashlib.sha256(f"{CUSTOMER_RULES} {contract(BY_CUSTOMER).arrow_schema()}".encode())
    days = house.lake.dataset(_CHARGED, month, next_month(month)).to_table(columns=["charge_date"])
    months = _months(days["charge_date"].to_pylist())
    for table in (_CHARGED, _CALLED, _BILLED, _PLACES):
        for piece in house.lake.slices(table):
            of_month = {_CHARGED: {month}, _BILLED: {*months, month}, _CALLED: set(months)}.get(table)
            if of_month is None or month_start(piece.slice_date) in of_month:
                digest.update(f"\n{table} {piece.slice_date} {piece.fingerprint[-HALF:]}".encode())
    return digest.hexdigest()[:HALF]


def _charged(house: House, month: date) -> pl.DataFrame:
    return frame_of(house.lake.read(_CHARGED, month, next_month(month)))


def _months(days: Iterable[date]) -> list[date]:
    return sorted({month_start(day) for day in set(days)})


def _calls(house: House, months: Sequence[date]) -> pl.DataFrame:
    read = [
        house.lake.dataset(_CALLED, month, next_month(month)).to_table(
            columns=list(_CALLS), filter=(pc.field("team_id") != "") & (pc.field("priced_cost_usd") > _NOTHING)
        )
        for month in months
    ]
    empty = contract(_CALLED).arrow_schema().empty_table().select(_CALLS)
    # a day from before models and users were kept apart, which no night builds again, tells nothing
    return frame_of(pa.concat_tables([empty, *read])).drop_nulls()


def _providers(house: House, months: Iterable[date]) -> pl.DataFrame:
    """Which provider of the price book a provider of the bill is."""
    empty = contract(_BILLED).arrow_schema().empty_table().select(_NAMED)
    read = [
        house.lake.dataset(_BILLED, month, next_month(month)).to_table(columns=list(_NAMED))
        for month in sorted(set(months))
    ]
    return frame_of(pa.concat_tables([empty, *read])).drop_nulls().unique().sort(_NAMED)
