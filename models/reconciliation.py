"""Bill, usage API, gateway log and price book side by side, and every difference split into named causes.

`billed - estimated = volume + rate`: volume is what the billed tokens cost at the price book, less the estimate; rate
is the rest. `reconciliation_volume` splits volume in tokens, `reconciliation_rate` splits rate in money; what a product
of price and tokens has beyond twelve decimals is rounding, so that the causes sum to the difference to the last digit.

Here belongs: the two tables that come out. Here does not belong: putting the sides together, evidence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, localcontext
from itertools import groupby
from typing import Any, NamedTuple

import polars as pl

from models.frames import conform, schema_of
from models.price_index import PriceIndex, regions_of
from models.reconciliation_accounts import Sides, accounts
from models.reconciliation_aliases import under_other_names
from models.reconciliation_bill import Bill, read_bill
from models.reconciliation_cells import Cell
from models.reconciliation_log import read_log
from models.reconciliation_rate import rate_difference, split_rates, volume_difference
from models.reconciliation_sides import Key, Model, provider_of, read_usage
from models.reconciliation_spans import Known, by_day
from models.reconciliation_volume import Account, Part, split_tokens
from models.reconciliation_worth import worth_of

RECONCILIATION_RULES = "31"
"""Changes when the same rows would be reconciled otherwise."""

LINES, CAUSES = "reconciliation_lines", "reconciliation_causes"
_PRECISION = 76
Row = dict[str, Any]


class Reconciled(NamedTuple):
    """Frames in the shape of `reconciliation_lines` and `reconciliation_causes`."""

    lines: pl.DataFrame
    causes: pl.DataFrame


def reconcile(
    period: date,
    charge_groups: pl.DataFrame,
    usage_hourly: pl.DataFrame,
    provider_usage: pl.DataFrame,
    price_book: pl.DataFrame,
    identities: Mapping[tuple[str, str], tuple[str, str]],
    usd_rates: Mapping[str, Decimal],
) -> Reconciled:
    """Reconciles one billing period.

    Args:
        period: first day of the month.
        charge_groups: the period's bill.
        usage_hourly: the log of the month and of the days around it.
        provider_usage: what the usage APIs counted in the month.
        price_book: every price, as it is known now.
        identities: provider and model by the names that bills and usage APIs give them.
        usd_rates: dollars for a unit of a currency in the month.

    Raises:
        ValueError: as `models.frames.conform`.
    """
    with localcontext() as context:
        context.prec = _PRECISION
        models = {names: Model(*found) for names, found in identities.items()}
        counted = {provider_of(name, models) for name in provider_usage["provider_name"].unique()}
        compared = frozenset({*usage_hourly["provider_id"], *counted})
        on_days, spans, names = read_bill(Bill(charge_groups, models, usd_rates, compared))
        tiers = set(charge_groups.select("provider_name", "service_tier").unique().iter_rows())
        log, usage = read_log(usage_hourly, names), read_usage(provider_usage, models, names, tiers)
        prices = PriceIndex(price_book, regions_of(usage_hourly))
        bill = by_day(on_days, spans, Known(period, log, usage, prices))
        sides = Sides(period, bill, log, usage, prices)
        explained = [row for cells, account in accounts(sides) for row in _explained(sides, cells, account)]
    lines = [_line(cell, account) for cell, account, _ in explained]
    causes = [_named(cell, account) | cause for cell, account, found in explained for cause in found]
    return Reconciled(_frame(lines, LINES), _frame(causes, CAUSES))


def _frame(rows: Sequence[Row], table: str) -> pl.DataFrame:
    return conform(pl.DataFrame(rows, schema=schema_of(table), orient="row"), table)


def _explained(sides: Sides, cells: Sequence[Cell], account: Account) -> Iterator[tuple[Cell, Account, list[Row]]]:
    rates = split_rates(cells, sides.prices.others)
    of_model = sorted(cells, key=lambda cell: (cell.key.model, cell.key.day, cell.key.token_class))
    parts: dict[Key, list[Part]] = {}
    for _, of_day in groupby(of_model, key=lambda cell: (cell.key.model, cell.key.day)):
        parts |= split_tokens([cell for cell in of_day if not cell.unconverted], account)
    volumes = under_other_names(parts, _strangers(cells, account))
    for cell in of_model:
        of_parts = {"volume": worth_of(cell, volumes.get(cell.key, ())), "rate": rates[cell.key]}
        causes = [{"part": part} | one._asdict() for part, amounts in of_parts.items() for one in amounts]
        yield cell, account, causes


def _strangers(cells: Sequence[Cell], account: Account) -> dict[str, Counter[tuple[date, str]]]:
    """Tokens of each model that nobody bills or prices, by day and class, each logged once."""
    found: dict[str, Counter[tuple[date, str]]] = defaultdict(Counter)
    for cell in cells:
        if cell.estimated is None and cell.key.model not in account.billed_models and cell.moved:
            found[cell.key.model][cell.key.day, cell.key.token_class] += cell.moved
    return found


def _named(cell: Cell, account: Account) -> Row:
    key = cell.key
    return {
        "usage_date": key.day,
        "billing_period": account.period,
        "provider_id": key.provider,
        "account_id": key.account,
        "model_id": key.model,
        "token_class": key.token_class,
    }


def _line(cell: Cell, account: Account) -> Row:
    return _named(cell, account) | {
        "has_log": account.has_log,
        "day_offset_minutes": account.days.minutes_on(cell.key.day),
        # a line for hours of throughput, or a credit, says nothing of tokens: not that there were none
        "billed_tokens": cell.billed.tokens if cell.billed and cell.billed.is_for_tokens else None,
        "counted_tokens": cell.used,
        "logged_tokens": cell.logged,
        "duplicate_tokens": cell.duplicates,
        "unpriced_tokens": cell.unpriced,
        "usd_per_token": cell.price,
        "billed_cost": cell.billed.known_total if cell.billed else None,
        "estimated_cost": cell.estimated if cell.logged else None,
        "volume_difference": volume_difference(cell),
        "rate_difference": rate_difference(cell),
        "difference": cell.difference,
    }
