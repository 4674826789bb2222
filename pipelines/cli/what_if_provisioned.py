"""`farthing what-if provisioned`: a model's minutes of a month on units of provisioned throughput, with spill."""

from calendar import monthrange
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.provisioned_units import SCOPES, unit_terms

if TYPE_CHECKING:
    from models.provisioned import Demand, UnitTerms
    from pipelines.house import House

_VIEW = "usage_by_minute"


@dataclass(frozen=True)
class Asked:
    """What the caller says; prices in US dollars a unit and hour, the second one that of a reservation."""

    model: str
    month: date
    scope: str
    unit_hour_cost: float
    reserved_unit_hour_cost: float | None
    demand_percent: int


@dataclass(frozen=True)
class Minutes:
    """A model's minutes of some whole days: input, cached and output tokens, and what those with a price cost.

    `hours` holds the sums by hour, to say what means would hide. `days` counts those that the log told of, the ones
    on which it told of no request among them: units are paid on those too. `served_by` names the providers and regions
    whose minutes these are, `unmetered_attempts` counts those of whose tokens the log tells nothing.
    """

    counts: list[tuple[int, int, int]]
    hours: list[tuple[int, int, int]]
    priced: tuple[int, int, int]
    cost: Decimal
    days: int
    served_by: tuple[str, ...]
    unmetered_attempts: int


def what_if_provisioned(console: Console, file: Path, asked: Asked) -> int:
    """Prints what each number of units would cost. Returns the exit code."""
    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.run import new_run_id

    scope = next((name for name in SCOPES if name == asked.scope), None)
    if scope is None:
        return stopped(console, f"--scope is one of {', '.join(SCOPES)}; found '{asked.scope}'", WRONG)
    terms = unit_terms(scope).get(asked.model)
    if terms is None:
        known = ", ".join(unit_terms(scope))
        return stopped(console, f"What a unit serves of '{asked.model}' is not known. Known are: {known}.", WRONG)
    try:
        with open_house(file, new_run_id(), writing=False) as house:
            minutes = read_minutes(house, asked.model, asked.month)
    except (ConfigError, LakeError) as error:
        return refused(console, error)
    if told := _lacking(asked, terms, minutes):
        return stopped(console, told, WRONG)
    _print(console, asked, terms, minutes)
    return OK


def _lacking(asked: Asked, terms: "UnitTerms", minutes: Minutes) -> str:
    """What is missing to compare by, or nothing."""
    from models.provisioned import demand_of
    from models.provisioned_minutes import DAY_MINUTES

    month = f"{asked.month:%Y-%m}"
    if not minutes.days:
        return f"The log has no day of {month}: nothing can be said of its minutes."
    if not any(minutes.priced):
        return f"The log of {month} has no priced tokens of '{asked.model}'."
    if not demand_of(terms, [minutes.priced], 1).tokens:
        return (
            f"All priced tokens of '{asked.model}' in {month} were read from the provider's cache, which takes no "
            "capacity: there is no price of a token to hold units against."
        )
    if not _scaled(demand_of(terms, minutes.counts, minutes.days * DAY_MINUTES), asked.demand_percent).tokens:
        return f"At {asked.demand_percent} % of the traffic of {month} no minute has a whole token: ask for more."
    return ""


def read_minutes(house: "House", model: str, month: date) -> Minutes:
    """The model's minutes of the month's days that the log has, on the standard tier or provisioned already."""
    from contracts import contract
    from models.provisioned_minutes import TIERS
    from pipelines.calendar import next_month
    from pipelines.night.build import read_view

    told = Counter[date]()
    for piece in house.lake.slices("gateway_requests"):
        told[piece.slice_date] += piece.row_count
    days = sorted(day for day in told if month <= day < next_month(month))
    by_minute: dict[object, list[int]] = {}
    by_hour: dict[object, list[int]] = {}
    priced, cost = [0, 0, 0], Decimal(0)
    served_by: set[str] = set()
    unmetered = 0
    for day in days:
        if not told[day]:
            continue  # a day without requests, as it was told: it has minutes, and none of them a token
        for row in read_view(house, contract(_VIEW), day).to_pylist():
            if row["model_id"] != model or row["service_tier"] not in TIERS:
                continue
            unmetered += row["unmetered_attempts"]
            if row["input_tokens"] is None:
                continue
            served_by.add(f"{row['provider_id']} {row['region_id']}".rstrip())
            tokens = (row["input_tokens"], row["cached_tokens"], row["output_tokens"])
            at = row["minute_start"]
            sums = [by_minute.setdefault(at, [0, 0, 0]), by_hour.setdefault(at.replace(minute=0), [0, 0, 0])]
            if row["priced_cost_usd"] is not None and row["service_tier"] == "default":
                sums.append(priced)
                cost += row["priced_cost_usd"]
            for total in sums:
                total[:] = [old + new for old, new in zip(total, tokens, strict=True)]
    found = [[(a, b, c) for a, b, c in sums.values()] for sums in (by_minute, by_hour)]
    return Minutes(
        found[0], found[1], (priced[0], priced[1], priced[2]), cost, len(days), tuple(sorted(served_by)), unmetered
    )


def _print(console: Console, asked: Asked, terms: "UnitTerms", minutes: Minutes) -> None:
    from models.money import nearest_double
    from models.provisioned import best_units, demand_of
    from models.provisioned_minutes import DAY_MINUTES

    percent = Fraction(asked.demand_percent, 100)
    demand = _scaled(demand_of(terms, minutes.counts, minutes.days * DAY_MINUTES), asked.demand_percent)
    token_cost = Fraction(minutes.cost) / demand_of(terms, [minutes.priced], 1).tokens
    hourly = demand_of(terms, minutes.hours, minutes.days * DAY_MINUTES)
    million = nearest_double(token_cost * 10**6)
    of_days = monthrange(asked.month.year, asked.month.month)[1]
    console.print(
        f"{escape(asked.model)}, {minutes.days} of the {of_days} days of {asked.month:%Y-%m} at "
        f"{asked.demand_percent} %: {nearest_double(demand.tokens / 10**6):,.1f} million weighted input tokens, "
        f"${million:,.3f} a million. Amounts are of these days."
    )
    console.print(f"Counted together: what {escape(', '.join(minutes.served_by))} served.")
    if minutes.unmetered_attempts:
        console.print(
            f"Attempts not counted, for the log tells nothing of their tokens: {minutes.unmetered_attempts:,}."
        )
    prices = [("by the hour", asked.unit_hour_cost), ("reserved", asked.reserved_unit_hour_cost)]
    for name, price in prices:
        if price is None:
            continue
        unit = Fraction(str(price))
        best = best_units(demand, unit, token_cost)
        console.print(f"\nUnits {name} at ${price:,.4f} an hour: {best:,} would have cost least.")
        console.print(_table(demand, unit, token_cost, best))
        hour_capacity = best * terms.tokens_per_minute * 60 * terms.scale
        hidden = sum(max(int(parts * percent) - hour_capacity, 0) for parts in hourly.parts.tolist())
        share = nearest_double(Fraction(hidden, terms.scale) / demand.tokens)
        console.print(f"By hours instead of minutes {share:.1%} would seem to spill.")
    console.print("What spills is paid by the token, at what a weighted token of the month cost on the standard tier.")


def _scaled(demand: "Demand", percent: int) -> "Demand":
    from models.provisioned import Demand

    return Demand(demand.terms, demand.parts * percent // 100, demand.minutes)


def _table(demand: "Demand", unit: Fraction, token_cost: Fraction, best: int) -> Table:
    """The best number, its neighbours, and none: what each costs in these days and what of the tokens spills."""
    from models.money import nearest_double
    from models.provisioned import units_cost

    terms = demand.terms
    at = 0 if best == 0 else (best - terms.fewest) // terms.step + 1
    table = Table()
    for title in ("units", "units cost", "spill", "spill costs", "together", "against none"):
        table.add_column(title, justify="right")
    none = units_cost(demand, 0, unit, token_cost)
    for position in sorted({0, *(max(at + step, 0) for step in (-2, -1, 0, 1, 2))}):
        units = terms.units_at(position)
        together, spilled = units_cost(demand, units, unit, token_cost), demand.spill(units)
        table.add_row(
            f"{units:,}{' *' if units == best else ''}",
            _usd(together - token_cost * spilled),
            f"{nearest_double(spilled / demand.tokens):.1%}",
            _usd(token_cost * spilled),
            _usd(together),
            _usd(together - none),
        )
    return table


def _usd(amount: Fraction) -> str:
    from models.money import nearest_double

    sign = "-" if amount < 0 else ""
    return f"{sign}${nearest_double(abs(amount)):,.2f}"
