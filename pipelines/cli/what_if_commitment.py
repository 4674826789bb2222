"""`farthing what-if commitment`: a machine type's last hours under another level, term, price or demand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.mean_month import MONTH_HOURS

if TYPE_CHECKING:
    from models.commitment_advice import Machines
    from models.commitment_comparison import Compared
    from models.commitment_ladder import Laddered
    from pipelines.house import House

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
    """A way of committing and its price an hour, upfront part spread over the term; 0 months where nobody told."""

    name: str
    term_months: int
    price: Fraction


@dataclass(frozen=True)
class Held:
    """What a provider's account holds of a machine type, with a known end, soonest first."""

    provider: str
    account: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Found:
    """What the lake has of a machine type: its hours by account and region, the lists, and what is held of it."""

    machines: list["Machines"]
    offers: list[list[Offer]]
    held: list[Held]


def what_if_commitment(console: Console, file: Path, asked: Asked) -> int:
    """Prints each offer at each demand, in steps and at once, and what is held already. Returns the exit code."""
    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.run import new_run_id

    try:
        with open_house(file, new_run_id(), writing=False) as house:
            found = read_found(house, asked)
    except (ConfigError, LakeError) as error:
        return refused(console, error)
    if not found.machines:
        told = f"No bill of the last 90 days has '{asked.instance_type}' on demand: there is nothing to commit to."
        return stopped(console, told, WRONG)
    for machines, offers in zip(found.machines, found.offers, strict=True):
        _print(console, asked, machines, offers)
    for held in found.held:
        _print_held(console, held)
    return WRONG if all(map(_unfit, found.machines)) else OK


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
    return Found(machines, offers, list(_held(house, asked.instance_type, machines)))


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


def _held(house: "House", instance_type: str, machines: "Sequence[Machines]") -> Iterator[Held]:
    """By account that uses the type, its commitments of the newest month that cover it or any, and end some day."""
    months = [piece.slice_date for piece in house.lake.slices("commitments") if piece.row_count]
    rows: list[dict[str, Any]] = []
    if months:
        rows = house.lake.read("commitments", max(months), max(months) + timedelta(days=1)).to_pylist()
    accounts = {_account(one): one.end for one in machines}
    for (provider, account), end in accounts.items():
        regions = {one.key["region_id"] for one in machines if _account(one) == (provider, account)}
        mine = [
            row
            for row in rows
            if row["provider_name"] == provider
            and row["billing_account_id"] in (account, "")  # a list may tell of one that no bill has mentioned yet
            and (row["term_end"] is not None and row["term_end"] > end)
            and (row["region_id"] is None or row["region_id"] in regions or "" in regions)
            and (row["instance_type"] is None or _is_of(row["instance_type"], instance_type))
        ]
        yield Held(provider, account, sorted(mine, key=lambda row: (row["term_end"], row["commitment_discount_id"])))


def _account(machines: "Machines") -> tuple[str, str]:
    return machines.key["provider_name"], machines.key["billing_account_id"]


def _is_of(covered: str, instance_type: str) -> bool:
    """Whether what a commitment covers is the machine type or its family."""
    return covered in (instance_type, instance_type.split(".", maxsplit=1)[0])


def _unfit(machines: "Machines") -> str:
    """Why nothing can be said of a machine type's hours, or nothing."""
    if machines.is_coarse:
        return (
            "Its bill tells days and not hours: ten machines for eight hours look there like three all day, and a "
            "commitment would seem to save more than it does. An hourly export of the bill would tell."
        )
    if machines.price <= 0:
        return "On demand it costs nothing, all discounts taken off: there is nothing that a commitment could save."
    return ""


def _print(console: Console, asked: Asked, machines: "Machines", offers: list[Offer]) -> None:
    from models.commitment_comparison import Prices, compared
    from models.commitment_ladder import laddered
    from models.commitment_level import best_level
    from models.money import nearest_double

    key, use = machines.key, machines.use[-24 * asked.days :]
    last = machines.end.date() - timedelta(days=1)
    unit = f", unit {key['sku_id']}" if key["sku_id"] else ""
    console.print(
        f"{escape(asked.instance_type)} in {escape(key['region_id'] or 'any region')}, {escape(key['provider_name'])} "
        f"account {escape(key['billing_account_id'])}{escape(unit)}: {len(use) // 24} days to {last}, on demand at "
        f"{key['billing_currency']} {nearest_double(machines.price):,.4f} an hour. "
        f"Amounts are a month of {MONTH_HOURS} hours."
    )
    if unfit := _unfit(machines):
        console.print(f"{unfit}\n")
        return
    if not offers:
        term = f" for {asked.term_months} months" if asked.term_months else ""
        console.print(f"No list sells a commitment for it{term}: give --committed-price.\n")
    for offer in offers:
        prices = Prices(offer.price, machines.price)
        level = best_level(use, prices.committed, prices.on_demand) if asked.machines is None else asked.machines
        term = f", {offer.term_months} months" if offer.term_months else ""
        price = nearest_double(offer.price)
        console.print(f"\n{offer.name}{term}, at {price:,.4f} an hour: {level:,} machines")
        console.print(_table(compared(use, level, prices, asked.demand_percents)))
        if not offer.term_months:
            console.print("With --term-months, what buying it in steps changes is told too.")
        elif level:
            _print_steps(console, offer, laddered(use, level, prices, offer.term_months, asked.demand_percents))


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


def _print_steps(console: Console, offer: Offer, rows: "Sequence[Laddered]") -> None:
    """The level bought in monthly steps, so that terms do not end on one day, against all at once."""
    table = Table()
    titles = ("demand from month 2", "bought", "in steps", "at once", "hindsight", "regret", "at once")
    for title in titles:
        table.add_column(title, justify="right")
    for row in rows:
        amounts = (row.cost, row.at_once_cost, row.best_cost, row.regret, row.at_once_regret)
        bought = " + ".join(f"{count:,}" for count in row.steps)
        table.add_row(f"{row.demand_percent} %", bought, *map(_amount, amounts))
    months = rows[0].months if rows else 0
    console.print(f"In monthly steps, each for {offer.term_months} months; amounts are all {months} months together:")
    console.print(table)


def _print_held(console: Console, held: Held) -> None:
    whose = f"{escape(held.provider)} account {escape(held.account)}"
    if not held.rows:
        console.print(f"\n{whose}: no commitment that is held, with a known end, covers it.")
        return
    console.print(f"\n{whose} holds already (its use is not in the above); at its end what it covered is on demand:")
    for row in held.rows:
        quantity = "" if row["quantity"] is None else f", {row['quantity'].normalize():f} {row['quantity_unit'] or ''}"
        console.print(f"  {row['term_end']:%Y-%m-%d}  {escape(row['commitment_discount_id'])}{escape(quantity)}")


def _amount(amount: Fraction) -> str:
    from models.money import nearest_double

    return f"{nearest_double(amount):,.2f}"


def _share(ratio: Fraction | None) -> str:
    from models.money import nearest_double

    return "unknown" if ratio is None else f"{nearest_double(ratio):.1%}"
