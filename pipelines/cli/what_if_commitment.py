"""`farthing what-if commitment`: a machine type's last hours under another level, term, price or demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from models.commitment_advice import Machines
    from models.commitment_comparison import Compared, Prices
    from pipelines.house import House

MONTH_HOURS = 730
_LOOKED_BACK = timedelta(days=125)  # 90 days, and the month that they begin in


@dataclass(frozen=True)
class Asked:
    """What the caller says; prices in the bill's currency, demand in per cent of what it was."""

    instance_type: str
    machines: int | None
    term_months: int | None
    committed_price: float | None
    demand_percents: tuple[int, ...]
    days: int


@dataclass(frozen=True)
class Offer:
    """A way of committing and its price an hour, upfront part spread over the term."""

    name: str
    term_months: int
    price: Fraction


@dataclass(frozen=True)
class Found:
    """What the lake has of a machine type: its hours by account and region, the lists, and what is held of it."""

    machines: list["Machines"]
    offers: list[list[Offer]]
    held: list[dict[str, Any]]


def what_if_commitment(console: Console, file: Path, asked: Asked) -> int:
    """Prints each offer at each demand, the ladder, and what is held already. Returns the exit code."""
    from pipelines.cli.commands import FAILED, OK, WRONG, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.run import new_run_id

    try:
        with open_house(file, new_run_id(), writing=False) as house:
            found = read_found(house, asked)
    except ConfigError as error:
        return stopped(console, str(error), WRONG)
    except LakeError as error:
        return stopped(console, str(error), FAILED)
    if not found.machines:
        told = f"No bill of the last 90 days has '{asked.instance_type}' on demand: there is nothing to commit to."
        return stopped(console, told, WRONG)
    for machines, offers in zip(found.machines, found.offers, strict=True):
        _print(console, asked, machines, offers)
    _print_held(console, found.held)
    return OK


def read_found(house: "House", asked: Asked) -> Found:
    """The machine type's use of the last 90 days that bills reach, what lists sell for it, and what is held of it."""
    from models.commitment_advice import machines_in_use
    from models.commitment_offers import newest_prices, offers_for
    from models.frames import frame_of

    months = [piece.slice_date for piece in house.lake.slices("machine_use") if piece.row_count]
    since = max(months, default=date.max - _LOOKED_BACK) - _LOOKED_BACK
    use, hours = (frame_of(house.lake.read(name, since, date.max)) for name in ("machine_use", "commitment_hours"))
    machines = [one for one in machines_in_use(use, hours) if one.key["instance_type"] == asked.instance_type]
    days = [piece.slice_date for piece in house.lake.slices("machine_prices") if piece.row_count]
    listed = newest_prices(frame_of(house.lake.read("machine_prices", max(days, default=date.max) - _LOOKED_BACK)))
    offers = [list(_offers(asked, [*offers_for(one.key, one.list_unit_price, listed)])) for one in machines]
    return Found(machines, offers, _held(house, asked.instance_type))


def _offers(asked: Asked, rows: list[Any]) -> Iterator[Offer]:
    """The caller's own price, or those of the list, longest terms last."""
    if asked.committed_price is not None:
        yield Offer("own offer", asked.term_months or 0, Fraction(str(asked.committed_price)))
        return
    for row in sorted(rows, key=lambda row: (row["term_months"], row["purchase_option"], row["payment_option"])):
        if asked.term_months in (None, row["term_months"]):
            words = (row["purchase_option"], row["payment_option"])
            name = " ".join(word.replace("_", " ") for word in words if word)
            yield Offer(name, row["term_months"], Fraction(row["price_per_hour"]))


def _held(house: "House", instance_type: str) -> list[dict[str, Any]]:
    """Commitments of the newest month whose term has an end, soonest first: of this machine type or of any."""
    months = [piece.slice_date for piece in house.lake.slices("commitments") if piece.row_count]
    if not months:
        return []
    rows = house.lake.read("commitments", max(months), max(months) + timedelta(days=1)).to_pylist()
    ending = [
        row for row in rows if row["term_end"] and row["term_end"] > datetime.combine(max(months), datetime.min.time())
    ]
    fitting = [row for row in ending if row["instance_type"] is None or _is_of(row["instance_type"], instance_type)]
    return sorted(fitting, key=lambda row: (row["term_end"], row["commitment_discount_id"]))


def _is_of(covered: str, instance_type: str) -> bool:
    """Whether what a commitment covers is the machine type or its family."""
    return covered in (instance_type, instance_type.split(".", maxsplit=1)[0])


def _print(console: Console, asked: Asked, machines: "Machines", offers: list[Offer]) -> None:
    from models.commitment_comparison import Prices, compared
    from models.commitment_level import best_level
    from models.money import nearest_double

    key, use = machines.key, machines.use[-24 * asked.days :]
    last = machines.end.date() - timedelta(days=1)
    console.print(
        f"{escape(asked.instance_type)} in {escape(key['region_id'] or 'any region')}, account "
        f"{escape(key['billing_account_id'])}: {len(use) // 24} days to {last}, on demand at "
        f"{key['billing_currency']} {nearest_double(machines.price):,.4f} an hour. Amounts are a month of 730 hours."
    )
    if not offers:
        console.print("No list sells a commitment for it: give --committed-price.")
    for offer in offers:
        prices = Prices(offer.price, machines.price)
        level = best_level(use, *_both(prices)) if asked.machines is None else asked.machines
        term = f", {offer.term_months} months" if offer.term_months else ""
        price = nearest_double(offer.price)
        console.print(f"\n{offer.name}{term}, at {price:,.4f} an hour: {level:,} machines")
        console.print(_table(compared(use, level, prices, asked.demand_percents)))
        console.print(_ladder_words(level))


def _both(prices: "Prices") -> tuple[Fraction, Fraction]:
    return prices.committed, prices.on_demand


def _table(rows: "list[Compared]") -> Table:
    table = Table()
    for title in ("demand", "on demand", "with it", "saving", "rate", "used", "covers", "best level", "regret"):
        table.add_column(title, justify="right")
    for row in rows:
        month = Fraction(MONTH_HOURS, row.hours)
        table.add_row(
            f"{row.demand_percent} %",
            *(_amount(amount * month) for amount in (row.on_demand_cost, row.cost, row.saving)),
            *(_share(ratio) for ratio in (row.savings_rate, row.utilisation, row.coverage)),
            f"{row.best:,}",
            _amount(row.regret * month),
        )
    return table


def _ladder_words(level: int) -> str:
    """The level bought in four months, so that terms do not end on one day."""
    from models.commitment_comparison import ladder

    return (
        f"In steps: {', '.join(f'{count:,}' for count in ladder(level))} machines after one, two, three, four months."
    )


def _print_held(console: Console, held: list[dict[str, Any]]) -> None:
    if not held:
        console.print("\nNo commitment that is held, with a known end, covers it.")
        return
    console.print("\nHeld already (its use is not in the above); when it ends, what it covered is on demand again:")
    for row in held:
        quantity = "" if row["quantity"] is None else f", {row['quantity'].normalize():f} {row['quantity_unit'] or ''}"
        console.print(f"  {row['term_end']:%Y-%m-%d}  {escape(row['commitment_discount_id'])}{escape(quantity)}")


def _amount(amount: Fraction) -> str:
    from models.money import nearest_double

    return f"{nearest_double(amount):,.2f}"


def _share(ratio: Fraction | None) -> str:
    from models.money import nearest_double

    return "unknown" if ratio is None else f"{nearest_double(ratio):.1%}"
