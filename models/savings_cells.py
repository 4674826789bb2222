"""The cells of `savings`: a month's rows as costs with the levers that concern them, by account and currency.

Here belongs: which row is whose cost, which lever takes what of it, and of which cost nothing can be said. Here does
not belong: what several levers save together.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from models.mean_month import MONTH_HOURS
from models.savings_findings import Account, Findings, week_of
from models.savings_usage import find_usage
from models.unused import COMMITMENT_KIND
from models.waterfall import Cell

RELEASABLE = ("on_demand", "spot")
"""Ways of buying of which nothing is paid any more once the machine is given back."""

IN_USE = ("none", "under_used")
"""Layers of waste of GPU time in which something ran."""
HALF_THE_BITS = Fraction(1, 2)
"""8 bits for 16: half the memory, so half the GPUs of what memory holds to them."""

LEVER_OF_LAYER = {"unallocated": "unallocated_gpus", "allocated_idle": "idle_gpus"}
_ONE = Fraction(1)


@dataclass(frozen=True)
class MonthRows:
    """A month's rows of the tables that `savings` is made of, in their contracts' shapes."""

    avoidable_requests: pl.DataFrame
    request_shapes: pl.DataFrame
    usage_by_team_daily: pl.DataFrame
    usage_hourly: pl.DataFrame
    gpu_waste: pl.DataFrame
    chargeback: pl.DataFrame
    commitment_advice: pl.DataFrame


def findings(month: MonthRows) -> dict[Account, Findings]:
    """What a month has, by account and currency."""
    found: dict[Account, Findings] = defaultdict(Findings)
    find_usage(found, month.usage_by_team_daily, month.usage_hourly, month.avoidable_requests, month.request_shapes)
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
        machine_hours = Fraction(row["mean_machines"]) * MONTH_HOURS
        spent[row["billing_currency"]] += Fraction(row["on_demand_price"]) * machine_hours
        saved[row["billing_currency"]] += Fraction(row["monthly_saving"] or 0)
    return {currency: saving / spent[currency] for currency, saving in saved.items() if saving > 0 < spent[currency]}


def _gpus(found: dict[Account, Findings], gpus: pl.DataFrame, rates: dict[str, Fraction]) -> None:
    """GPU time: what is held against samples is a month's line, what comes and goes a week of a cluster."""
    line = ["account", "billing_currency", "cluster", "gpu_model_name", "purchase_option", "waste_layer", "is_assumed"]
    named = gpus.with_columns(
        is_assumed=pl.col("assumed_seconds") > 0,
        is_serving=pl.col("model_id") != "",
        week=week_of(pl.col("charge_date")),
    ).with_columns(
        is_seen=pl.col("observed_seconds").sum().over(line) * 10 >= pl.col("gpu_seconds").sum().over(line) * 9
    )
    keys = [*line, "is_seen", "is_serving", "week"]
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
        if row["is_serving"] and row["waste_layer"] in IN_USE:
            here.rows["quantisation"] += row["rows"]
            if reason := _bound(row["purchase_option"]):
                here.unproven["quantisation"][reason] += row["effective_cost"]
            else:
                shares["quantisation"] = HALF_THE_BITS
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
    return _bound(purchase_option)


def _bound(purchase_option: str) -> str:
    """Why GPUs that are not needed would be paid anyway, for all that is known; empty where they need not be."""
    if not purchase_option:
        return "unknown_purchase"
    return "" if purchase_option in RELEASABLE else "bound_by_commitment"


def _unused(found: dict[Account, Findings], charges: pl.DataFrame) -> None:
    """Unused commitments as the ledger has them; what corrects another month is none of this one's."""
    keys = ["account", "billing_currency", "week"]
    own = charges.filter((pl.col("cost_kind") == COMMITMENT_KIND) & pl.col("cause").is_null())
    named = own.with_columns(week=week_of(pl.col("charge_date")))
    sums = named.group_by(keys).agg(pl.len().alias("rows"), pl.col("effective_cost").sum())
    for account, currency, week, rows, cost in sums.sort(keys).iter_rows():
        here = found[account, currency]
        here.basis += cost
        here.rows["unused_commitments"] += rows
        here.cells.append(Cell(f"unused {week}", Fraction(cost), {"unused_commitments": _ONE}))
