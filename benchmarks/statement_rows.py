"""One team's rows for a statement, out of a company's months: its lines, its GPUs, its requests, its customers.

The rows are those of the board's company; customers and users have the mart's shape and add up to the team's lines to
the last unit, as the mart's do.
"""

import hashlib

import polars as pl

from benchmarks.board_frames import frame
from models.money import money_of, units_of
from reports.board import BoardRows
from reports.given import CUSTOMERS, TeamRows

_AMOUNTS = ("effective_cost", "billed_cost", "reporting_effective_cost", "reporting_billed_cost")
_SAME = (
    *("billing_period", "account", "team_id", "organisation", "business_unit", "cost_centre", "product", "feature"),
    *("billing_currency", "reporting_currency", "corrected_period"),
)
"""What a line and its customers' parts of it have alike."""


def team_rows(company: BoardRows, team: str, customers: int) -> TeamRows:
    """The last month's rows of a team, each of its lines split evenly to so many customers and to calls of nobody."""
    before, now = company.months
    mine = pl.col("team_id") == team
    lines = now.chargeback.filter(mine)
    requests = company.tables["request_costs"].filter(mine, billing_period=now.period.start)
    return TeamRows(
        lines,
        now.gpu.filter(pl.col("account") == f"team:{team}").with_columns(team_id=pl.lit(team)),
        before.chargeback.filter(mine),
        requests=tuple(requests.to_dicts()),
        customers=by_customer(lines, customers),
    )


def by_customer(lines: pl.DataFrame, customers: int) -> pl.DataFrame:
    """Lines in the shape of `chargeback_by_customer`: even parts, of which the first ones have the units left over."""
    whole = lines.group_by(_SAME, maintain_order=True).agg(
        pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).cast(pl.Decimal(38, 12)) for name in _AMOUNTS
    )
    count = customers + 1
    names = ["", *(hashlib.sha256(str(number).encode()).hexdigest() for number in range(customers))]
    who = pl.DataFrame({"number": range(count), "customer_hash": names})
    parts = whole.with_columns(units_of(name) for name in _AMOUNTS).join(who, how="cross")
    even = [_part(name, count) for name in _AMOUNTS]
    naming = pl.when(pl.col("customer_hash") == "").then(pl.lit("unnamed_calls")).otherwise(pl.lit("customer"))
    told = parts.with_columns(*even, naming=naming, user_hash=pl.lit(""))
    shown = told.with_columns(money_of(name) for name in _AMOUNTS)
    return frame(CUSTOMERS, {name: shown[name] for name in shown.columns if name != "number"})


def _part(name: str, count: int) -> pl.Expr:
    """Of whole units, whatever their sign."""
    floor = pl.col(name) // count
    return (floor + (pl.col(name) - floor * count > pl.col("number")).cast(pl.Int128)).alias(name)
