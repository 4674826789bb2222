"""Fixed parts of a month that are known before they are billed: what was bought in each of the two months before.

A fee of a commitment, a support plan, a subscription: charges of category Purchase that the same provider and service
billed the same account in both months before, and that have not come yet (of several in a month the first, the second
and so on stand for one another); and those of this month that came on a day
which is not settled. No model is needed for them, and none would guess the day. What came in one month alone, or should
have come on a day that has passed without it, is not counted on.

Here belongs: which purchases are awaited. Here does not belong: usage, the amortised cost of commitments (it is usage).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

NAMES = ["account", "provider_name", "service_name", "model_id", "feature"]


@dataclass(frozen=True)
class Scheduled:
    """A purchase that is awaited: on which day, of whom, and how much (10**-12 of the currency).

    `business_unit`: where its account's team stands on that day; empty where that was not asked, or it stands in none.
    """

    day: date
    account: str
    provider_name: str
    service_name: str
    model_id: str
    feature: str
    units: int
    business_unit: str = ""


def scheduled_costs(purchases: pl.DataFrame, month: date, settled: date) -> list[Scheduled]:
    """The purchases of `month` after `settled`: as they are told, else as of the month before; by day and name.

    Args:
        purchases: effective cost bought by day: day, account, provider_name, service_name, model_id, feature, units.
        month: its first day.
        settled: the last day of which all is told.
    """
    before = _start(month - timedelta(days=1))
    earlier = _start(before - timedelta(days=1))
    known = {start: _of_month(purchases, start) for start in (earlier, before, month)}
    found = [Scheduled(day, *name, units) for day, name, units in _told_after(purchases, month, settled)]
    for name, bought in known[before].items():
        has_come = len(known[month].get(name, ()))
        for day_of_month, units in bought[has_come : len(known[earlier].get(name, ()))]:
            day = min(month + timedelta(days=day_of_month - 1), _end(month) - timedelta(days=1))
            if units and day > settled:
                found.append(Scheduled(day, *name, units))
    return sorted(found, key=lambda one: (one.day, one.account, one.provider_name, one.service_name))


def _told_after(
    purchases: pl.DataFrame, month: date, settled: date
) -> Iterator[tuple[date, tuple[str, str, str, str, str], int]]:
    rows = purchases.filter((pl.col("day") > settled) & pl.col("day").is_between(month, _end(month), closed="left"))
    for row in rows.group_by("day", *NAMES).agg(pl.col("units").sum()).iter_rows():
        yield row[0], tuple(row[1:-1]), row[-1]


def _of_month(purchases: pl.DataFrame, start: date) -> dict[tuple[str, str, str, str, str], list[tuple[int, int]]]:
    """By name: the days of the month on which something was bought, and what that came to; by day."""
    rows = purchases.filter(pl.col("day").is_between(start, _end(start), closed="left"))
    found: dict[tuple[str, str, str, str, str], list[tuple[int, int]]] = {}
    summed = rows.group_by(pl.col("day").dt.day(), *NAMES).agg(pl.col("units").sum()).sort("day", *NAMES)
    for day, *name, units in summed.iter_rows():
        found.setdefault(_named(name), []).append((day, units))
    return found


def _named(name: Sequence[str]) -> tuple[str, str, str, str, str]:
    account, provider, service, model, feature = name
    return account, provider, service, model, feature


def evidence_of(scheduled: Iterable[Scheduled]) -> Iterator[str]:
    """What is awaited, in words: who bills it, what it is, and when."""
    for one in scheduled:
        yield f"{one.provider_name} {one.service_name} on {one.day:%Y-%m-%d}"


def _start(day: date) -> date:
    return day.replace(day=1)


def _end(month: date) -> date:
    return _start(month.replace(day=28) + timedelta(days=4))
