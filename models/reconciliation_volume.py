"""Why bill and log count other tokens: the difference of tokens split into causes that have evidence.

The order is fixed, and each cause takes only what the ones before it left: what was logged again, the hours that belong
to the bill's other days, keys that bypass the gateway, tokens that the bill takes back, classes that were confused
within the same input, and then what the provider's own count says was used and the log lacks: streams without usage,
requests that it has under a name that nobody bills, and rows that are missing. What nothing proves is unexplained.

Here belongs: tokens. Here does not belong: prices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from models.day_offset import Midnights
from models.reconciliation_cells import Cell
from models.reconciliation_classes import confused_classes
from models.reconciliation_log import Counts
from models.reconciliation_sides import ALL, INPUT_CLASSES, LEFT_OUT, PROVISIONED, ZERO, Key


class Part(NamedTuple):
    """A share of a cell's difference of tokens."""

    cause: str
    tokens: Decimal
    evidence: str


@dataclass(frozen=True)
class Account:
    """What is known of an account over the whole period.

    `has_log` says whether the log speaks of it, `is_counted` whether the usage API does, `days` when its days begin,
    `period` the billing period's first day, `billed_models` what it bills, `has_bill` whether a provider's bill
    has come; `confirmed` holds by model and class the share of what the log lacks that the usage API has, where days
    cannot be compared; `counts` and `requests` are attempts in the log and at the provider by model and day,
    `apart` tokens that the usage API says no bill has by tokens, by cause, and by model, class and day.
    """

    has_log: bool
    is_counted: bool
    days: Midnights
    period: date
    billed_models: frozenset[str]
    has_bill: bool = True
    confirmed: Mapping[tuple[str, str], Decimal] = field(default_factory=dict[tuple[str, str], Decimal])
    counts: Mapping[tuple[str, date], Counts] = field(default_factory=dict[tuple[str, date], Counts])
    requests: Mapping[tuple[str, date], int] = field(default_factory=dict[tuple[str, date], int])
    apart: Mapping[str, Mapping[tuple[str, str, date], int]] = field(
        default_factory=dict[str, Mapping[tuple[str, str, date], int]]
    )


_APART: Mapping[str, str] = {
    PROVISIONED: "the usage API has them as provisioned, which is paid by the hour",
    LEFT_OUT: "the usage API has them in a tier that the provider's report of costs leaves out",
}
"""The evidence for each cause of what no bill has by tokens."""


def split_tokens(cells: Sequence[Cell], account: Account) -> dict[Key, list[Part]]:
    """The causes of every cell's difference of tokens, for the classes of one model on one day.

    The tokens of a cell's parts sum to billed less logged. Cells whose bill does not count tokens have no parts.
    """
    known = [cell for cell in cells if cell.billed_tokens is not None]
    found = {cell.key: _plain_parts(cell, account) for cell in known}
    rest = {cell.key: _difference(cell) - _sum(found[cell.key]) for cell in known}
    confused = confused_classes(rest, {cell.key: cell.billed_tokens or ZERO for cell in known})
    for key, tokens in confused.tokens.items():
        found[key].append(Part("cache_class", tokens, confused.evidence))
        rest[key] -= tokens
    names = {(cell.key.model, name, cell.key.day): name for cell in known for name in (cell.key.token_class, ALL)}
    apart = {cause: {name: account.apart.get(cause, {}).get(key, 0) for key, name in names.items()} for cause in _APART}
    for cell in known:
        if rest[cell.key] > 0:
            found[cell.key] += _lacking(cell, account, rest[cell.key])
        elif rest[cell.key] < 0:
            for cause in _APART:
                found[cell.key].append(_taken(cause, cell.key.token_class, -rest[cell.key], apart[cause]))
                rest[cell.key] -= found[cell.key][-1].tokens
            found[cell.key] += _exceeding(cell, account, rest[cell.key])
    # as many tokens can enter a day as leave it, at another price
    return {key: [one for one in parts if one.tokens or one.cause == "day_boundary"] for key, parts in found.items()}


def _difference(cell: Cell) -> Decimal:
    return (cell.billed_tokens or ZERO) - cell.logged


def _sum(parts: Sequence[Part]) -> Decimal:
    return sum((part.tokens for part in parts), ZERO)


def _plain_parts(cell: Cell, account: Account) -> list[Part]:
    """Causes that a cell shows by itself."""
    if cell.key.day.replace(day=1) != account.period:
        return [Part("other_period", _difference(cell), f"billed in {account.period:%Y-%m}, used on {cell.key.day}")]
    if not account.has_log:
        taken_back = _refund(cell, _difference(cell))
        return [
            Part("bypass", _difference(cell) - taken_back.tokens, "the log knows nothing of this account"),
            taken_back,
        ]
    moved = cell.moved - (cell.logged - cell.duplicates)
    hours = _hours(account.days, cell.key.day)
    parts = [
        Part("duplicate", Decimal(-cell.duplicates), "logged again within a second"),
        Part("day_boundary", Decimal(moved), f"the bill's day begins {hours} h from UTC's"),
    ]
    lacking = _difference(cell) - _sum(parts)
    if cell.direct and lacking > 0:
        tokens = min(lacking, Decimal(cell.direct))
        parts.append(Part("bypass", tokens, "keys of the account that the log does not know"))
    return [*parts, _refund(cell, lacking)]


def _refund(cell: Cell, lacking: Decimal) -> Part:
    """What the bill takes back of tokens that were used: as many as it has too few of, where its lines do."""
    tokens = min(cell.refunded, max(ZERO, -lacking))
    return Part("refund", -tokens, "the bill takes them back on a line of its own, of a negative quantity")


def _lacking(cell: Cell, account: Account, tokens: Decimal) -> list[Part]:
    """What was billed and not logged: proven as far as the provider's own count has it, too."""
    proven = _proven(cell, account, tokens)
    aborted = _of_aborted_streams(cell, account, proven)
    return [
        Part("aborted_stream", aborted, "streams in the log without usage; the usage API has the tokens"),
        Part("missing_log", proven - aborted, "the usage API has the tokens, too"),
        Part("unexplained", tokens - proven, "billed; neither log nor usage API has it"),
    ]


def _proven(cell: Cell, account: Account, tokens: Decimal) -> Decimal:
    if not account.is_counted:
        return ZERO
    if account.days.are_moved:
        share = account.confirmed.get((cell.key.model, cell.key.token_class), ZERO)
        return tokens if share == 1 else (tokens * share).to_integral_value()
    used = Decimal(cell.used or 0)
    return min(tokens, max(ZERO, tokens + used - (cell.billed_tokens or ZERO)))


def _of_aborted_streams(cell: Cell, account: Account, tokens: Decimal) -> Decimal:
    """The share of the streams without usage: by the number of requests that the log lacks, else by usual lengths."""
    counts = account.counts.get((cell.key.model, cell.key.day), Counts())
    if not counts.aborted or not tokens:
        return ZERO
    requests = account.requests.get((cell.key.model, cell.key.day), 0)
    unique = counts.answered - counts.duplicates
    if requests:
        missing = max(0, requests - unique - counts.aborted)
        return (tokens * counts.aborted / (counts.aborted + missing)).to_integral_value()
    usual = Decimal(cell.logged - cell.duplicates) / unique if unique else ZERO
    return min(tokens, (usual * counts.aborted).to_integral_value())


def _taken(cause: str, token_class: str, tokens: Decimal, apart: dict[str, int]) -> Part:
    """What of logged and unbilled tokens no bill has, by class or by an input that is not divided; taken from it."""
    taken = ZERO
    for name in (token_class, ALL) if token_class in INPUT_CLASSES else (token_class,):
        share = min(tokens - taken, Decimal(apart[name]))
        apart[name] -= int(share)
        taken += share
    return Part(cause, -taken, _APART[cause])


def _exceeding(cell: Cell, account: Account, tokens: Decimal) -> list[Part]:
    """What was logged and not billed (negative): proven as far as the provider counted it, too."""
    key = cell.key
    if key.model not in account.billed_models:
        if not account.has_bill:
            return [Part("no_bill", tokens, "no line of the provider's bill has come for the month")]
        return [Part("not_billed", tokens, "no line of the bill is for this model")]
    counted = Decimal(cell.used or 0) - (cell.billed_tokens or ZERO) if account.is_counted else ZERO
    proven = -min(-tokens, max(ZERO, counted))
    return [
        Part("not_billed", proven, "logged and counted by the usage API, not billed"),
        Part("unexplained", tokens - proven, "logged; neither bill nor usage API has it"),
    ]


def _hours(days: Midnights, day: date) -> str:
    return f"{Decimal(days.minutes_on(day)) / 60:+f}"
