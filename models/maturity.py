"""How many of a day's outcomes have come, by age: the share of what will come in the end.

Here belongs: the estimate from cohorts that are older. Here does not belong: what is told below which share
(`models.unit_costs`).

Method: chain ladder (Mack, Distribution-free calculation of the standard error of chain ladder reserve estimates, ASTIN
Bulletin 23, 1993). The factor from age k to k+1 is the outcomes seen by age k+1 over those seen by age k, of all
cohorts that are old enough. It is the Kaplan-Meier estimate of delays in reversed time, for data cut off on the right.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

PUBLISHED_FROM = Decimal("0.95")
"""From which share on a figure is told as it stands; below it is a nowcast."""


class Age(NamedTuple):
    """Outcomes of the requests of one day that came at one age in days."""

    cohort_date: date
    age_days: int


def maturity_by_age(outcomes: Mapping[Age, Decimal], as_of: date, last_age: int) -> list[Decimal | None]:
    """The share of the eventual outcomes that is seen by the end of age 0, 1, ... `last_age` days.

    `outcomes` holds counts of cohorts in whose days everything up to the end of `as_of` was told. What comes before its
    requests counts at age 0, what comes after `last_age` at that: by then all have come, the share is 1. None where no
    cohort is old enough to tell.
    """
    seen: dict[date, list[Decimal]] = {}
    for (cohort, age), count in outcomes.items():
        row = seen.setdefault(cohort, [Decimal(0)] * (last_age + 1))
        row[min(max(age, 0), last_age)] += count
    shares: list[Decimal | None] = [Decimal(1)]
    for age in range(last_age - 1, -1, -1):
        later = shares[-1]
        shares.append(None if later is None else _earlier(later, seen, age, as_of))
    return shares[::-1]


def _earlier(later: Decimal, seen: Mapping[date, list[Decimal]], age: int, as_of: date) -> Decimal | None:
    old = [row for cohort, row in seen.items() if (as_of - cohort).days > age]
    by_age, by_next = sum(sum(row[: age + 1]) for row in old), sum(sum(row[: age + 2]) for row in old)
    if not by_next:
        return None if later else Decimal(0)
    return later * by_age / by_next
