"""What to commit to: every machine type that runs on demand, against every commitment that its provider's list sells.

Use is that of the last 90 whole days that the account's bill reaches, hour by hour, what is covered already left out;
hours of commitments say how far the bill reaches where nothing runs on demand any more. The advice is cautious: the
lowest best level of the last 30, 60 and 90 days, nothing on less than 30 days, while use falls, or where the bill does
not tell the hours.

Here belongs: which hours meet which price, and the figures of the advice. Here does not belong: the level itself
(`commitment_level`), which price is for which use (`commitment_offers`), how lists are read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl

from models.commitment_comparison import Prices
from models.commitment_ladder import laddered
from models.commitment_level import USE_SCALE, Use, best_level, is_falling, level_cost, regret, use_of
from models.commitment_offers import Row, newest_prices, offers_for, start_and_hour
from models.frames import conform, require, schema_of
from models.mean_month import MONTH_HOURS
from models.money import SCALE, money, nearest_double, to_scaled

TABLE = "commitment_advice"
ADVICE_RULES = "4"
"""Changes when the same hours and prices would give other advice."""

LOOKBACK_DAYS = (30, 60, 90)
_SHIFTS = (70, 85, 115)
_FALLS = (70, 85)
_MACHINE = ["provider_name", "billing_account_id", "billing_currency", "region_id", "instance_type", "sku_id"]
_HOUR = timedelta(hours=1)
_LONGEST_LINE = timedelta(hours=2)
_MOST_COARSE = Fraction(1, 10)


@dataclass(frozen=True)
class Machines:
    """One machine type's hours in the window, oldest first, and what an hour cost on demand."""

    key: Row
    start: datetime
    use: Use
    price: Fraction
    list_unit_price: Decimal | None
    coarse: Fraction
    """Part of the machine-hours that lines of more than two hours tell of: when in them is not known."""

    @property
    def end(self) -> datetime:
        """First instant after the last hour."""
        return self.start + len(self.use) * _HOUR

    @property
    def days(self) -> int:
        """Whole days that are known."""
        return len(self.use) // 24

    @property
    def is_coarse(self) -> bool:
        """Whether more than a tenth of the use is told without its hours: nobody knows then how many ran at once."""
        return self.coarse > _MOST_COARSE


def commitment_advice(
    use: pl.DataFrame, commitment_hours: pl.DataFrame, prices: pl.DataFrame, billing_period: datetime
) -> pl.DataFrame:
    """Advice for every machine type used on demand, in the shape of `commitment_advice`.

    Args:
        use: frame in the shape of `machine_use`: the billing period's rows, and those of months before.
        commitment_hours: frame in the shape of `commitment_hours`, of the same months.
        prices: frame in the shape of `machine_prices`; the newest day of each provider counts.
        billing_period: first instant of the billing period that the advice is of.

    Raises:
        ValueError: a frame does not keep its contract.
    """
    newest = newest_prices(prices)
    rows = [
        {"billing_period": billing_period.date(), **machines.key, **advised}
        for machines in machines_in_use(require(use, "machine_use"), require(commitment_hours, "commitment_hours"))
        if machines.end > billing_period
        for advised in _advised(machines, list(offers_for(machines.key, machines.list_unit_price, newest)))
    ]
    return conform(pl.DataFrame(rows, schema=schema_of(TABLE)), TABLE)


def machines_in_use(use: pl.DataFrame, commitment_hours: pl.DataFrame) -> Iterator[Machines]:
    """The hours of each machine type; an account's known days end where its bill does.

    `use` and `commitment_hours` are frames in the shape of the tables of their names.
    """
    if use.is_empty():
        return
    account = ["provider_name", "billing_account_id"]
    reached = (
        pl.concat(
            [
                use.select(*account, reached="charge_period_end"),
                commitment_hours.select(*account, reached=pl.col("hour_start") + _HOUR),
            ]
        )
        .group_by(account)
        .agg(pl.col("reached").max())
    )
    known = (
        use.join(reached, on=account, how="left", maintain_order="left")
        .with_columns(
            end=pl.col("reached").dt.truncate("1d"),
            begin=pl.col("charge_period_start").min().over("provider_name", "billing_account_id").dt.truncate("1d"),
        )
        .with_columns(start=pl.max_horizontal("begin", pl.col("end").dt.offset_by(f"-{max(LOOKBACK_DAYS)}d")))
    )
    for key, group in known.sort("charge_period_start", "charge_period_end").group_by(_MACHINE, maintain_order=True):
        lines = group.rows(named=True)
        start, end = lines[0]["start"], lines[0]["end"]
        hours = [0] * ((end - start) // _HOUR)
        inside = [line for line in lines if line["charge_period_start"] < end and line["charge_period_end"] > start]
        for line in inside:
            _spread(line, start, hours)
        quantity = sum((Fraction(line["machine_hours"]) for line in inside), Fraction(0))
        if hours and quantity > 0:
            cost = sum((Fraction(line["effective_cost"]) for line in inside), Fraction(0))
            listed = inside[-1]["list_unit_price"]
            coarse = sum((Fraction(line["machine_hours"]) for line in inside if _is_coarse(line)), Fraction(0))
            about = dict(zip(_MACHINE, key, strict=True))
            yield Machines(about, start, use_of(hours), cost / quantity, listed, coarse / quantity)


def _is_coarse(line: Row) -> bool:
    return line["charge_period_end"] - line["charge_period_start"] > _LONGEST_LINE


def _spread(line: Row, start: datetime, hours: list[int]) -> None:
    """Adds a line's machine-hours to the hours it lies in, evenly, what does not divide to the first ones."""
    first = (line["charge_period_start"] - start) // _HOUR
    count = max(-((start - line["charge_period_end"]) // _HOUR) - first, 1)
    whole, rest = divmod(to_scaled(line["machine_hours"], digits=38, scale=SCALE) * USE_SCALE // 10**SCALE, count)
    for position in range(max(0, -first), min(count, len(hours) - first)):
        hours[first + position] += whole + (1 if position < rest else 0)


def _advised(machines: Machines, offers: Sequence[Row]) -> Iterator[dict[str, object]]:
    """One row for each offer, or one that says that there is none."""
    facts: dict[str, object] = {
        "first_day": machines.start.date(),
        "last_day": (machines.start + timedelta(days=machines.days - 1)).date(),
        "mean_machines": int(machines.use.sum()) / USE_SCALE / len(machines.use),
        "peak_machines": int(machines.use.max()) / USE_SCALE,
        "on_demand_price": money(machines.price),
    }
    blank = {"purchase_option": "", "term_months": 0, "payment_option": "", **dict.fromkeys(_FIGURES)}
    if not offers:
        yield {**facts, **blank, "reason": "no_price"}
    for offer in offers:
        chosen = {name: offer[name] for name in ("purchase_option", "term_months", "payment_option")}
        yield {**facts, **blank, **chosen, **_figures(machines, offer)}


def _figures(machines: Machines, offer: Row) -> dict[str, object]:
    """The level and what it saves, or the reason why none is advised."""
    committed, use = Fraction(offer["price_per_hour"]), machines.use
    found: dict[str, object] = {"committed_price": offer["price_per_hour"]}
    if machines.price <= 0:
        return found | {"reason": "no_saving"}
    found["best_machines"] = best_level(use, committed, machines.price)
    if machines.days < min(LOOKBACK_DAYS):
        return found | {"reason": "short_history"}
    if machines.is_coarse:
        return found | {"reason": "coarse_bill"}
    if is_falling(use.reshape(-1, 24).sum(axis=1).tolist()):
        return found | {"reason": "falling_use"}
    level = min(best_level(use[-24 * days :], committed, machines.price) for days in LOOKBACK_DAYS)
    without = level_cost(use, 0, committed, machines.price)
    saved = without - level_cost(use, level, committed, machines.price)
    if level == 0 or saved <= 0:
        return found | {"reason": "no_saving"}
    month = Fraction(MONTH_HOURS, len(use))
    covered = Fraction(int(use.clip(max=level * USE_SCALE).sum()), USE_SCALE)
    upfront_price, recurring = start_and_hour(offer)
    upfront = upfront_price * level
    avoided = (covered * machines.price - recurring * level * len(use)) * month
    regrets = {
        f"regret_at_{percent}_percent": money(regret(use, level, percent, committed, machines.price) * month)
        for percent in _SHIFTS
    }
    prices, term = Prices(committed, machines.price), offer["term_months"]
    ladders = laddered(use, level, prices, term, _FALLS) if term else []  # a list may tell no term
    steps = {f"steps_save_at_{one.demand_percent}_percent": money(one.at_once_cost - one.cost) for one in ladders}
    return (
        found
        | regrets
        | steps
        | {
            "advised_machines": level,
            "first_step_machines": -(-level // 4),
            "monthly_saving": money(saved * month),
            "upfront_cost": money(upfront),
            "payback_months": nearest_double(upfront / avoided) if upfront > 0 and avoided > 0 else None,
            "effective_savings_rate": nearest_double(saved / without),
            "utilisation_ratio": nearest_double(covered / (level * len(use))),
            "coverage_ratio": nearest_double(covered / Fraction(int(use.sum()), USE_SCALE)),
        }
    )


_FIGURES = (
    *("committed_price", "best_machines", "advised_machines", "first_step_machines", "monthly_saving", "upfront_cost"),
    *("payback_months", "effective_savings_rate", "utilisation_ratio", "coverage_ratio", "reason"),
    *(f"regret_at_{percent}_percent" for percent in _SHIFTS),
    *(f"steps_save_at_{percent}_percent" for percent in _FALLS),
)
