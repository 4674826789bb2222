"""The cells of `savings`: a month's rows as costs with the levers that concern them, by account and currency.

Here belongs: which row is whose cost, which lever takes what of it, and of which cost nothing can be said. Here does
not belong: what several levers save together.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import polars as pl

from models.accounts import UNOWNED_USAGE, team_account
from models.unused import COMMITMENT_KIND
from models.waterfall import Cell

PRICES_IN = "USD"
RELEASABLE = ("on_demand", "spot")
"""Ways of buying of which nothing is paid any more once the machine is given back."""

LEVER_OF_LAYER = {"unallocated": "unallocated_gpus", "allocated_idle": "idle_gpus"}
_ONE = Fraction(1)
Account = tuple[str, str]


@dataclass
class Findings:
    """What was found of one account in one currency.

    Attributes:
        basis: cost of all that was looked at: the log at the price book, GPUs, unused commitments.
        cells: costs on which levers act.
        unproven: by lever and reason, cost that the lever concerns and of which nothing can be said.
        captured: by lever, what it already saves, where that is known.
        rows: by lever, how many rows its evidence has.
    """

    basis: Decimal = Decimal(0)
    cells: list[Cell] = field(default_factory=list[Cell])
    unproven: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Decimal)))
    captured: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    rows: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))


@dataclass(frozen=True)
class MonthRows:
    """A month's rows of the tables that `savings` is made of, in their contracts' shapes."""

    avoidable_requests: pl.DataFrame
    usage_by_team_daily: pl.DataFrame
    gpu_waste: pl.DataFrame
    chargeback: pl.DataFrame
    commitment_advice: pl.DataFrame


def findings(month: MonthRows) -> dict[Account, Findings]:
    """What a month has, by account and currency."""
    found: dict[Account, Findings] = defaultdict(Findings)
    _usage(found, month.usage_by_team_daily)
    _requests(found, month.avoidable_requests)
    _gpus(found, month.gpu_waste, commitment_rates(month.commitment_advice))
    _unused(found, month.chargeback)
    return dict(found)


def commitment_rates(advice: pl.DataFrame) -> dict[str, Fraction]:
    """By currency: the best advised saving of each machine over what all machines cost on demand in 730 mean hours."""
    machine = ["provider_name", "billing_account_id", "billing_currency", "region_id", "instance_type", "sku_id"]
    saved: dict[str, Fraction] = defaultdict(Fraction)
    spent: dict[str, Fraction] = defaultdict(Fraction)
    best = advice.group_by(machine).agg(pl.col("monthly_saving", "mean_machines", "on_demand_price").max())
    for row in best.sort(machine).iter_rows(named=True):
        spent[row["billing_currency"]] += Fraction(row["on_demand_price"]) * Fraction(row["mean_machines"]) * 730
        saved[row["billing_currency"]] += Fraction(row["monthly_saving"] or 0)
    return {currency: saving / spent[currency] for currency, saving in saved.items() if saving > 0 < spent[currency]}


def _usage(found: dict[Account, Findings], usage: pl.DataFrame) -> None:
    """The log's cost without copies, and what the gateway's cache already saves; own models cost GPUs instead."""
    named = usage.with_columns(account=team_account(pl.col("team_id"), UNOWNED_USAGE)).filter(~pl.col("is_self_hosted"))
    sums = named.group_by("account").agg(
        pl.col("priced_cost_usd", "duplicate_cost_usd", "avoided_cost_usd").drop_nulls()
    )
    for account, priced, copied, avoided in sums.sort("account").iter_rows():
        here = found[account, PRICES_IN]
        here.basis += sum(priced, Decimal(0)) - sum(copied, Decimal(0))
        if avoided:
            here.captured["exact_repeats"] = sum(avoided, Decimal(0))


def _requests(found: dict[Account, Findings], requests: pl.DataFrame) -> None:
    signs = ["is_failure", "is_night_test", "is_repeat", "is_job", "is_bunched_job", "has_batch_price"]
    keys = ["account", "feature", "week", *signs]
    named = requests.with_columns(
        account=team_account(pl.col("team_id"), UNOWNED_USAGE), week=_week(pl.col("usage_date"))
    )
    sums = named.group_by(keys).agg(pl.len().alias("rows"), pl.col("priced_cost_usd", "batch_cost_usd").sum())
    for row in sums.sort(keys).iter_rows(named=True):
        here, cost = found[row["account"], PRICES_IN], Fraction(row["priced_cost_usd"])
        levers = {"is_failure": "failed_attempts", "is_night_test": "night_tests", "is_repeat": "exact_repeats"}
        shares = {lever: _ONE for sign, lever in levers.items() if row[sign]}
        if row["is_job"]:
            levers = levers | {"is_job": "batch"}
            if not row["has_batch_price"]:
                here.unproven["batch"]["no_batch_price"] += row["priced_cost_usd"]
            elif not row["is_bunched_job"]:
                here.unproven["batch"]["spread_over_the_day"] += row["priced_cost_usd"]
            elif row["batch_cost_usd"] < row["priced_cost_usd"]:
                shares["batch"] = 1 - Fraction(row["batch_cost_usd"]) / cost
        for sign, lever in levers.items():
            here.rows[lever] += row["rows"] if row[sign] else 0
        if shares:
            here.cells.append(Cell(f"requests {row['feature']} {row['week']}", cost, shares))


def _gpus(found: dict[Account, Findings], gpus: pl.DataFrame, rates: dict[str, Fraction]) -> None:
    """GPU time: what is held against samples is a month's line, what comes and goes a week of a cluster."""
    line = ["account", "billing_currency", "cluster", "gpu_model_name", "purchase_option", "waste_layer", "is_assumed"]
    named = gpus.with_columns(is_assumed=pl.col("assumed_seconds") > 0, week=_week(pl.col("charge_date"))).with_columns(
        is_seen=pl.col("observed_seconds").sum().over(line) * 10 >= pl.col("gpu_seconds").sum().over(line) * 9
    )
    keys = [*line, "is_seen", "week"]
    sums = named.group_by(keys).agg(pl.len().alias("rows"), pl.col("effective_cost").sum())
    for row in sums.sort(keys).iter_rows(named=True):
        here, lever = found[row["account"], row["billing_currency"]], LEVER_OF_LAYER.get(row["waste_layer"])
        here.basis += row["effective_cost"]
        shares: dict[str, Fraction] = {}
        if lever:
            here.rows[lever] += row["rows"]
            reason = _unproven(row["purchase_option"], is_seen=row["is_seen"], is_assumed=row["is_assumed"])
            if reason:
                here.unproven[lever][reason] += row["effective_cost"]
            else:
                shares[lever] = _ONE
        if row["purchase_option"] == "on_demand":
            here.rows["commitments"] += row["rows"]
            if row["billing_currency"] in rates:
                shares["commitments"] = rates[row["billing_currency"]]
            else:
                here.unproven["commitments"]["no_advice"] += row["effective_cost"]
        if shares:
            here.cells.append(Cell(f"gpus {row['cluster']} {row['week']}", Fraction(row["effective_cost"]), shares))


def _unproven(purchase_option: str, *, is_seen: bool, is_assumed: bool) -> str:
    """Why idle time is no finding; empty where it is one."""
    if not is_seen:
        return "few_samples"
    if is_assumed:
        return "assumed_holder"
    if not purchase_option:
        return "unknown_purchase"
    return "" if purchase_option in RELEASABLE else "bound_by_commitment"


def _unused(found: dict[Account, Findings], charges: pl.DataFrame) -> None:
    """Unused commitments as the ledger has them; what corrects another month is none of this one's."""
    keys = ["account", "billing_currency", "week"]
    own = charges.filter((pl.col("cost_kind") == COMMITMENT_KIND) & pl.col("cause").is_null())
    named = own.with_columns(week=_week(pl.col("charge_date")))
    sums = named.group_by(keys).agg(pl.len().alias("rows"), pl.col("effective_cost").sum())
    for account, currency, week, rows, cost in sums.sort(keys).iter_rows():
        here = found[account, currency]
        here.basis += cost
        here.rows["unused_commitments"] += rows
        here.cells.append(Cell(f"unused {week}", Fraction(cost), {"unused_commitments": _ONE}))


def _week(day: pl.Expr) -> pl.Expr:
    """The week of the month: days 1 to 7 are the first."""
    return (day.dt.day() - 1) // 7
