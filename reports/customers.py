"""Whom a team's month was for: what each customer and user of its calls caused, and what no call names.

Here belongs: rows of `chargeback_by_customer` as a table that adds up to the statement. Here does not belong: the
split, which the mart has; who a customer is: nothing is known of one but the keyed hash that the log has.
"""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from reports.breakdown import LINE_LIMIT, Sum, as_listed
from reports.currencies import converted
from reports.money import EXACT, exact_sum
from reports.tables import Table, cost_table
from reports.wording import clean

_HASH_SHOWN = 12  # hexadecimal digits: among a million customers two look alike in one of five hundred companies
_NAMED = ("customer", "user")
_UNNAMED: Mapping[str, tuple[str, str]] = {
    "unnamed_calls": ("Calls that name nobody", ""),
    "no_priced_calls": ("No call to split it by", "Billed, and the team has no call of it with a known cost"),
    "not_by_call": ("Not bought by the call", "Machines that serve no model, purchases, what nobody used"),
}
_LEAD = (
    "Customers and users are the keyed hashes of the request log, here by their first digits. What the bill asks is "
    "split by what their calls cost at the price book."
)


def customers_table(rows: pl.DataFrame | None, chargeback: pl.DataFrame, total: Decimal, currency: str) -> Table | None:
    """The largest customers and users, the others together, and what no call names; they add up to the total.

    Args:
        rows: the team's of `chargeback_by_customer`; None where the snapshot has none.
        chargeback: the team's rows of the month, converted. What the split leaves of them has a line of its own.
        total: the month's, as printed.
        currency: of the statement.

    Returns:
        None where no call of the month names anybody.
    """
    if rows is None or rows.filter(pl.col("naming").is_in(_NAMED)).is_empty():
        return None
    known = converted(rows)
    named = sorted(_named(known), key=lambda one: (-abs(one[2]), one[0]))
    lines = [*_largest(named), *_unnamed(known)]
    rest = EXACT.subtract(exact_sum(chargeback["effective_cost"]), exact_sum(known["effective_cost"]))
    if rest:
        lines.append(("Not split", "", rest))
    listed = as_listed([line for line in lines if line[2]], total, currency)
    return cost_table("customers", "Whom it was for", "Customer or user", listed, currency, lead=_LEAD)


def _named(rows: pl.DataFrame) -> list[Sum]:
    """A line for each customer, with how many users it has, and for each user of whom no customer is told."""
    who = pl.when(pl.col("naming") == "customer").then(pl.col("customer_hash")).otherwise(pl.col("user_hash"))
    users = pl.col("user_hash").filter(pl.col("user_hash") != "").n_unique()
    told = rows.filter(pl.col("naming").is_in(_NAMED)).group_by("naming", who.alias("who"))
    sums = told.agg(pl.col("effective_cost").sum(), users.alias("users"))
    return [_line(*row) for row in sums.iter_rows()]


def _line(naming: str, who: str, cost: Decimal, users: int) -> Sum:
    shown = clean(who if len(who) <= _HASH_SHOWN else f"{who[:_HASH_SHOWN]}…")
    if naming == "user":
        return f"User {shown}", "No customer told", cost
    return f"Customer {shown}", f"{users:,} user{'' if users == 1 else 's'}" if users else "", cost


def _largest(named: list[Sum]) -> list[Sum]:
    if len(named) <= LINE_LIMIT + 1:
        return named
    others = named[LINE_LIMIT:]
    return [*named[:LINE_LIMIT], (f"{len(others):,} other customers and users", "", exact_sum(x[2] for x in others))]


def _unnamed(rows: pl.DataFrame) -> list[Sum]:
    """What has no name keeps lines of its own, however small."""
    sums = dict(rows.group_by("naming").agg(pl.col("effective_cost").sum()).iter_rows())
    return [(*words, sums[naming]) for naming, words in _UNNAMED.items() if naming in sums]
