"""`farthing what-if savings`: what a month could have cost less, levers switched off or otherwise shared."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from models.savings_comparison import Bounds, Compared
    from models.waterfall import Lever


@dataclass(frozen=True)
class Asked:
    """What the caller says: the month, one account or all, levers that are off, and shares of success by lever."""

    month: date
    account: str | None
    without: tuple[str, ...]
    shares: dict[str, "Bounds"]


def read_shares(texts: list[str]) -> dict[str, "Bounds"]:
    """Shares as they are written: `batch=0.5` or `batch=0.25..0.75`.

    Raises:
        ValueError: one is not written so, or a lever is given twice.
    """
    found: dict[str, Bounds] = {}
    for text in texts:
        name, separator, share = text.partition("=")
        low, _, high = share.partition("..")
        try:
            bounds = Fraction(low), Fraction(high or low)
        except (ValueError, ZeroDivisionError):
            separator = ""
            bounds = Fraction(0), Fraction(0)
        if not separator:
            raise ValueError(f"'{text}' is no share: write LEVER=0.5 or LEVER=0.25..0.75")
        if name in found:
            raise ValueError(f"the share of '{name}' is given twice")
        found[name] = bounds
    return found


def what_if_savings(console: Console, file: Path, asked: Asked) -> int:
    """Prints the comparison of each currency. Returns the exit code."""
    from models.savings_cells import findings
    from models.savings_comparison import asked_levers, compare
    from pipelines.cli.commands import FAILED, OK, WRONG, stopped
    from pipelines.config import ConfigError
    from pipelines.house import open_house
    from pipelines.lake import LakeError
    from pipelines.night.run import new_run_id
    from pipelines.night.savings import month_rows

    try:
        levers = asked_levers(asked.without, asked.shares)
        with open_house(file, new_run_id(), writing=False) as house:
            found = findings(month_rows(house, asked.month))
    except (ConfigError, ValueError) as error:
        return stopped(console, str(error), WRONG)
    except LakeError as error:
        return stopped(console, str(error), FAILED)
    accounts = sorted({account for account, _ in found})
    if asked.account is not None:
        found = {key: here for key, here in found.items() if key[0] == asked.account}
    compared = compare(found, levers)
    if not compared:
        known = f" The month has: {', '.join(accounts)}." if accounts else ""
        return stopped(console, f"Nothing of {asked.month:%Y-%m} could be saved.{known}", WRONG)
    for one in compared:
        _print(console, asked, one)
    console.print(
        "Each lever acts on what those above it leave: savings add up, their P10 do not. P10 is what nine of ten draws "
        "reach. Grade C needs a test of quality. docs/savings.md says what each lever takes."
    )
    return OK


def _print(console: Console, asked: Asked, compared: "Compared") -> None:
    of = escape(asked.account or "all accounts")
    console.print(
        f"\nWhat {asked.month:%Y-%m} could have cost less, {of}: of {compared.currency} {_amount(compared.basis)}"
    )
    table = Table()
    for title in ("lever", "grade"):
        table.add_column(title)
    for title in ("assumed", "saving", "P10", "asked", "saving", "P10", "difference"):
        table.add_column(title, justify="right")
    for row in compared.levers:
        assumed, other = row.assumed_outcome, row.asked_outcome
        table.add_row(
            *(row.kind.name, row.kind.confidence, _share(row.kind.lever), _amount(assumed.saving)),
            *(_amount(assumed.p10), _share(row.asked), _amount(other.saving), _amount(other.p10)),
            _amount(other.saving - assumed.saving),
        )
    table.add_section()
    difference = compared.asked_total - compared.assumed_total
    table.add_row(
        *("together", "", "", _amount(compared.assumed_total), "", "", _amount(compared.asked_total), ""),
        _amount(difference),
    )
    console.print(table)


def _share(lever: "Lever") -> str:
    if not lever.high:
        return "off"
    return _ratio(lever.low) if lever.low == lever.high else f"{_ratio(lever.low)} to {_ratio(lever.high)}"


def _ratio(share: Fraction) -> str:
    return f"{round(share * 100)} %"


def _amount(amount: Decimal) -> str:
    return f"{amount:,.2f}"
