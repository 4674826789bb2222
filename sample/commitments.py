"""The true hours of every commitment: what an hour was bought for, what of it was used, what nobody used.

Here belongs: adding up what the bills' lines say. Here does not belong: which lines there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from sample.lines import ONE_HOUR, Line


class Amounts(NamedTuple):
    """USD of the amortised purchase; used and unused make it up."""

    purchased: Decimal = Decimal(0)
    used: Decimal = Decimal(0)
    unused: Decimal = Decimal(0)

    def plus(self, other: "Amounts") -> "Amounts":
        """The sum."""
        return Amounts(*(one + two for one, two in zip(self, other, strict=True)))


class Run(NamedTuple):
    """Hours on end that are alike, and the amounts of each of them."""

    start: datetime
    hours: int
    amounts: Amounts


class Held(NamedTuple):
    """A commitment over the month: who sold it, what its invoice asks for, all of it, and its hours in runs."""

    provider_name: str
    billed: Decimal
    total: Amounts
    runs: tuple[Run, ...]


def held_commitments(lines: Iterable[Line]) -> Mapping[str, Held]:
    """Every commitment by its id. A line of more than an hour is the same in each of its hours."""
    hours: dict[str, dict[datetime, Amounts]] = defaultdict(lambda: defaultdict(Amounts))
    sellers: dict[str, str] = {}
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.commitment is None:
            continue
        name, *amounts = line.commitment
        sellers[name] = line.provider_name
        billed[name] += line.cost if line.charge_category == "Purchase" else 0
        count = int((line.end - line.start) / ONE_HOUR)
        share = Amounts(*(amount / count for amount in amounts))
        for hour in range(count):
            at = line.start + hour * ONE_HOUR
            hours[name][at] = hours[name][at].plus(share)
    return {name: Held(sellers[name], billed[name], _total(found), _runs(found)) for name, found in hours.items()}


def _total(hours: Mapping[datetime, Amounts]) -> Amounts:
    total = Amounts()
    for amounts in hours.values():
        total = total.plus(amounts)
    return total


def _runs(hours: Mapping[datetime, Amounts]) -> tuple[Run, ...]:
    numbered = [(at - number * ONE_HOUR, at, hours[at]) for number, at in enumerate(sorted(hours))]
    runs = [list(group) for _, group in groupby(numbered, key=lambda entry: (entry[0], entry[2]))]
    return tuple(Run(run[0][1], len(run), run[0][2]) for run in runs)
