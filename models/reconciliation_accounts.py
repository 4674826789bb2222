"""The four sides put together by account: which account the log speaks of, and the cells of every account.

A log names no account. Those whose keys it knows by what they used (`gateway_accounts`) are compared with it as one;
each other one is compared with nothing but the price book. Where bill and usage API name no common account, each side
is one account without a name.

Here belongs: cells, and what is known of an account over the period. Here does not belong: causes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from models.day_offset import Midnights, midnights
from models.gateway_accounts import in_the_log, most_alike
from models.price_index import PriceIndex
from models.reconciliation_cells import Cell
from models.reconciliation_estimate import fill
from models.reconciliation_log import Log
from models.reconciliation_sides import UNKNOWN, ZERO, Billed, Counted, Key, Model, Unit
from models.reconciliation_volume import Account

_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Sides:
    """What is compared in a billing period, by its first day."""

    period: date
    bill: Mapping[Key, Billed]
    log: Log
    counted: Counted
    prices: PriceIndex


class _Provider(NamedTuple):
    """One provider's bill and usage API, and which of its units the log speaks of."""

    provider: str
    bill: Mapping[Key, Billed]
    counted: Counted
    logged_units: frozenset[Unit]
    has_log: bool

    @property
    def account(self) -> str:
        """The accounts that the log speaks of, as one."""
        return "+".join(sorted({unit.account for unit in self.logged_units}))

    def name(self, account: str) -> str:
        """The account under which an account is compared."""
        return self.account if account in {unit.account for unit in self.logged_units} else account


def accounts(sides: Sides) -> Iterator[tuple[list[Cell], Account]]:
    """Every provider's accounts: the cells of each, in order, with what is known of the account."""
    for name in _providers(sides):
        provider = _provider(sides, name)
        cells = sorted(_cells(sides, provider), key=lambda cell: (cell.key.account, cell.key))
        for account_name, group in groupby(cells, key=lambda cell: cell.key.account):
            of_account = list(group)
            account = _account(sides, provider, account_name, of_account)
            for cell in of_account:
                fill(cell, sides.log, sides.prices, account)
            yield of_account, _with_confirmation(account, of_account)


def _providers(sides: Sides) -> list[str]:
    named = {key.provider for key in sides.bill} | {model.provider for model in sides.log.hours}
    counted = {model.provider for unit in sides.counted.tokens.values() for model, _, _ in unit}
    return sorted(named | counted)


def _provider(sides: Sides, name: str) -> _Provider:
    bill, counted = _common_accounts(sides, name)
    used: dict[Unit, Counter[tuple[str, date]]] = defaultdict(Counter)
    for unit, tokens in counted.tokens.items():
        for (model, _, day), count in tokens.items():
            used[unit][model.model, day] += count if model.model != UNKNOWN else 0
    by_bill: dict[Unit, Counter[tuple[str, date]]] = defaultdict(Counter)
    for key, billed in bill.items():
        by_bill[Unit(key.account, "")][key.model, key.day] += int(billed.tokens or 0)
    used = used or by_bill
    logged = _logged(sides.log, name)
    units = in_the_log(used, logged) if len(used) > 1 or not logged else set(used)
    units = units or most_alike(used, logged) or most_alike(by_bill, logged)
    return _Provider(name, bill, counted, frozenset(units), bool(logged))


def _logged(log: Log, provider: str) -> Counter[tuple[str, date]]:
    found: Counter[tuple[str, date]] = Counter()
    for entry in log.entries(provider):
        found[entry.model.model, entry.at.date()] += entry.logged.unique
    return found


def _common_accounts(sides: Sides, provider: str) -> tuple[dict[Key, Billed], Counted]:
    """Bill and usage API of a provider; without any account that both name, each as one account without a name."""
    bill = {key: billed for key, billed in sides.bill.items() if key.provider == provider}
    counted = Counted()
    for unit, tokens in sides.counted.tokens.items():
        of_provider = {cell: count for cell, count in tokens.items() if cell[0].provider == provider}
        if of_provider:
            counted.tokens[unit].update(of_provider)
            counted.requests[unit].update(sides.counted.requests[unit])
    named = {unit.account for unit in counted.tokens}
    if not bill or not named or named & {key.account for key in bill}:
        return bill, counted
    whole: dict[Key, Billed] = {}
    for key, billed in bill.items():
        nameless = key._replace(account="")
        whole[nameless] = whole.get(nameless, Billed()).plus(billed)
    merged = Counted()
    for unit, tokens in counted.tokens.items():
        nameless = Unit("", f"{unit.account}/{unit.key}")
        merged.tokens[nameless] = tokens
        merged.requests[nameless] = counted.requests[unit]
    return whole, merged


def _cells(sides: Sides, provider: _Provider) -> list[Cell]:
    """A cell for whatever any side has in the period: bill and usage API filled in."""
    cells: dict[Key, Cell] = {}
    for key, billed in provider.bill.items():
        named = key._replace(account=provider.name(key.account))
        cell = cells.setdefault(named, Cell(named))
        cell.billed = (cell.billed or Billed()).plus(billed)
    for unit, tokens in provider.counted.tokens.items():
        for (model, token_class, day), count in tokens.items():
            key = Key(day, provider.provider, provider.name(unit.account), model.model, token_class)
            cell = cells.setdefault(key, Cell(key))
            cell.used = (cell.used or 0) + count
            cell.direct += count if unit not in provider.logged_units else 0
    for model, token_class, day in _logged_days(sides, provider.provider):
        key = Key(day, provider.provider, provider.account, model, token_class)
        cells.setdefault(key, Cell(key))
    return list(cells.values())


def _logged_days(sides: Sides, provider: str) -> Iterator[tuple[str, str, date]]:
    found = {(entry.model.model, entry.token_class, entry.at.date()) for entry in sides.log.entries(provider)}
    yield from (named for named in found if named[2].replace(day=1) == sides.period)


def _account(sides: Sides, provider: _Provider, name: str, cells: Sequence[Cell]) -> Account:
    has_log = provider.has_log and name == provider.account
    requests: Counter[tuple[str, date]] = Counter()
    for unit in provider.logged_units:
        for (model, day), count in provider.counted.requests.get(unit, {}).items():
            requests[model.model, day] += count if model.provider == provider.provider else 0
    logged = {
        (model.model, day): counts
        for model, days in sides.log.counts.items()
        if has_log and model.provider == provider.provider
        for day, counts in days.items()
    }
    return Account(
        has_log=has_log,
        is_counted=bool(provider.counted.tokens),
        days=_days(sides, provider.provider, cells) if has_log else Midnights(),
        period=sides.period,
        billed_models=frozenset(cell.key.model for cell in cells if cell.billed and cell.billed.is_for_tokens),
        has_bill=bool(provider.bill),
        counts=logged,
        requests=requests,
        apart={
            cause: {
                (model.model, token_class, day): tokens
                for (model, token_class, day), tokens in of_cause.items()
                if has_log and model.provider == provider.provider
            }
            for cause, of_cause in sides.counted.apart.items()
        },
    )


def _days(sides: Sides, provider: str, cells: Sequence[Cell]) -> Midnights:
    """When the bill's days begin, by the models that bill and log both have: others say nothing of days.

    Tokens count at one price on both sides: what was billed at another price for some days is no matter of days. So do
    those that the usage API has of a UTC day and the log has not.
    """
    by_day: dict[date, Decimal] = defaultdict(Decimal)
    by_hour: dict[datetime, Decimal] = defaultdict(Decimal)
    lacking: dict[date, Decimal] = defaultdict(Decimal)
    billed = {Model(provider, cell.key.model) for cell in cells if cell.billed} & sides.log.at_usual.keys()
    for cell in cells:
        model = Model(provider, cell.key.model)
        if model not in billed or cell.key.day.replace(day=1) != sides.period:
            continue
        price = sides.log.usual[model].get(cell.key.token_class)
        if cell.billed:
            tokens = cell.billed.tokens
            by_day[cell.key.day] += cell.billed.cost if price is None or tokens is None else price * tokens
        if cell.used is not None:
            each = sides.log.average(model) if price is None else price
            lacking[cell.key.day] += each * (cell.used - sides.log.on(model, cell.key.token_class, cell.key.day).unique)
    for model in billed:
        for hour, usd in sides.log.at_usual[model].items():
            by_hour[hour] += usd
    return midnights(by_day, by_hour, lacking)


def _with_confirmation(account: Account, cells: Sequence[Cell]) -> Account:
    """How much of what the log lacks the usage API has, by model and class over the period, for days that are moved."""
    if not account.days.are_moved or not account.is_counted:
        return account
    of_class: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        of_class[cell.key.model, cell.key.token_class].append(cell)
    confirmed = {name: _confirmed(of_name, account.days) for name, of_name in of_class.items()}
    return replace(account, confirmed=confirmed)


def _confirmed(cells: Sequence[Cell], days: Midnights) -> Decimal:
    billed = [cell.billed_tokens or ZERO for cell in cells]
    lacking = sum((max(ZERO, tokens - cell.moved) for tokens, cell in zip(billed, cells, strict=True)), ZERO)
    # the hours at both ends of the period are on one side only
    ends = 2 * max(billed) * days.most_minutes / _MINUTES_A_DAY
    short = sum(billed, ZERO) - sum(cell.used or 0 for cell in cells) - ends
    return Decimal(1) if short <= 0 or not lacking else max(ZERO, 1 - short / lacking)
