"""`farthing what-if provisioned`: a model's minutes of a month on units of provisioned throughput, with spill."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.provisioned_units import SCOPES, unit_terms

if TYPE_CHECKING:
    from models.provisioned import Demand, UnitTerms
    from pipelines.model_minutes import Minutes


@dataclass(frozen=True)
class Asked:
    """What the caller says; prices in US dollars a unit and hour, the second one that of a reservation."""

    model: str
    month: date
    scope: str
    unit_hour_cost: float
    reserved_unit_hour_cost: float | None
    demand_percent: int


def what_if_provisioned(console: Console, file: Path, asked: Asked) -> int:
    """Prints what each number of units would cost. Returns the exit code."""
    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.model_minutes import read_minutes
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


def _lacking(asked: Asked, terms: "UnitTerms", minutes: "Minutes") -> str:
    """What is missing to compare by, or nothing."""
    from models.provisioned import demand_of

    month, found = f"{asked.month:%Y-%m}", minutes.found
    if not minutes.days:
        return _unkept(minutes) or f"The log has no day of {month}: nothing can be said of its minutes."
    if not any(found.priced):
        return f"The log of {month} has no priced tokens of '{asked.model}'."
    if not demand_of(terms, [found.priced], 1).tokens:
        return (
            f"All priced tokens of '{asked.model}' in {month} were read from the provider's cache, which takes no "
            "capacity: there is no price of a token to hold units against."
        )
    if not _demand(asked, terms, minutes).tokens:
        return f"At {asked.demand_percent} % of the traffic of {month} no minute has a whole token: ask for more."
    return ""


def _unkept(minutes: "Minutes") -> str:
    """That some days are not counted, and what keeps their minutes; or nothing."""
    days = minutes.unkept_days
    if not days:
        return ""
    count = "1 day of the log is" if len(days) == 1 else f"{len(days)} days of the log are"
    return f"{count} not counted, for no night has kept the minutes: farthing run {days[0]}..{days[-1]}"


def _print(console: Console, asked: Asked, terms: "UnitTerms", minutes: "Minutes") -> None:
    from models.money import nearest_double
    from models.provisioned import best_units, demand_of

    demand = _demand(asked, terms, minutes)
    token_cost = Fraction(minutes.found.cost) / demand_of(terms, [minutes.found.priced], 1).tokens
    million = nearest_double(token_cost * 10**6)
    of_days = monthrange(asked.month.year, asked.month.month)[1]
    console.print(
        f"{escape(asked.model)}, {minutes.days} of the {of_days} days of {asked.month:%Y-%m} at "
        f"{asked.demand_percent} %: {nearest_double(demand.tokens / 10**6):,.1f} million weighted input tokens, "
        f"${million:,.3f} a million. Amounts are of these days."
    )
    console.print(f"Counted together: what {escape(', '.join(minutes.served_by))} served.")
    if unmetered := minutes.found.unmetered_attempts:
        console.print(f"Attempts not counted, for the log tells nothing of their tokens: {unmetered:,}.")
    if told := _unkept(minutes):
        console.print(told)
    prices = [("by the hour", asked.unit_hour_cost), ("reserved", asked.reserved_unit_hour_cost)]
    for name, price in prices:
        if price is None:
            continue
        unit = Fraction(str(price))
        best = best_units(demand, unit, token_cost)
        console.print(f"\nUnits {name} at ${price:,.4f} an hour: {best:,} would have cost least.")
        console.print(_table(demand, unit, token_cost, best))
        if best:
            spilled = _hourly_spill(asked, terms, minutes, best)
            console.print(f"By hours instead of minutes {spilled:.1%} would seem to spill.")
        else:
            console.print("With none, all is paid as you go: there is nothing to spill over.")
    console.print("What spills is paid by the token, at what a weighted token of the month cost on the standard tier.")


def _demand(asked: Asked, terms: "UnitTerms", minutes: "Minutes") -> "Demand":
    """Of the traffic that is asked about, minute by minute."""
    from models.provisioned import demand_of
    from models.provisioned_minutes import DAY_MINUTES

    return _scaled(demand_of(terms, minutes.found.counts, minutes.days * DAY_MINUTES), asked.demand_percent)


def _scaled(demand: "Demand", percent: int) -> "Demand":
    from models.provisioned import Demand

    return Demand(demand.terms, demand.parts * percent // 100, demand.minutes)


def _hourly_spill(asked: Asked, terms: "UnitTerms", minutes: "Minutes", units: int) -> float:
    """The part of the tokens that so many units would not carry if an hour's tokens came evenly."""
    from models.money import nearest_double
    from models.provisioned import HOUR_MINUTES, demand_of

    hours = _scaled(demand_of(terms, minutes.hours, minutes.days * 24), asked.demand_percent)
    return nearest_double(hours.spill(units * HOUR_MINUTES) / _demand(asked, terms, minutes).tokens)


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
        share = f"{nearest_double(spilled / demand.tokens):.1%}" if units else "pay as you go"
        table.add_row(
            f"{units:,}{' *' if units == best else ''}",
            _usd(together - token_cost * spilled),
            share,
            _usd(token_cost * spilled),
            _usd(together),
            _usd(together - none),
        )
    return table


def _usd(amount: Fraction) -> str:
    from models.money import nearest_double

    sign = "-" if amount < 0 else ""
    return f"{sign}${nearest_double(abs(amount)):,.2f}"
