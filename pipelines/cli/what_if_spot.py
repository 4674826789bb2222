"""`farthing what-if spot`: a job on machines that may be taken away, at the prices that spot really had."""

import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.checkpointing import Interruptions

if TYPE_CHECKING:
    import duckdb

DAYS = 30


@dataclass(frozen=True)
class Job:
    """What the caller says of the job; prices in the currency of the lists."""

    instance_type: str
    work_hours: float
    machines: int
    interruptions: Interruptions


@dataclass(frozen=True)
class Offer:
    """A spot market's mean price and dearest day of a month, and the on-demand price of the same machine there."""

    region: str
    zone: str
    product: str
    currency: str
    mean: Decimal
    dearest: Decimal
    on_demand: Decimal | None


def what_if_spot(console: Console, file: Path, job: Job) -> int:
    """Prints each zone's expected cost against on demand, cheapest first. Returns the exit code."""
    import duckdb

    from pipelines.cli.commands import OK, WRONG, refused, stopped
    from pipelines.clock import utc_now
    from pipelines.config import ConfigError
    from pipelines.config.place import lake_place
    from pipelines.lake import Lake, LakeError

    try:
        with Lake.open(*lake_place(file), utc_now).published().database() as database:
            offers = read_offers(database, job.instance_type)
    except (ConfigError, LakeError, duckdb.Error) as error:
        return refused(console, error)
    if not offers:
        return stopped(
            console,
            f"No spot price of '{job.instance_type}' is known for the last {DAYS} days. A source of kind "
            "aws_spot_prices brings AWS's; machine_prices says what is there.",
            WRONG,
        )
    try:
        hours = job.interruptions.expected_hours(job.work_hours)
    except ValueError as error:
        return stopped(console, str(error), WRONG)
    _print(console, job, offers, hours)
    return OK


def read_offers(database: "duckdb.DuckDBPyConnection", instance_type: str) -> list[Offer]:
    """The spot markets of a machine type in the newest 30 days of prices, with the newest on-demand price there."""
    query = f"""
        with last_day as (select max(usage_date) as day from machine_prices where purchase_option = 'spot'),
        newest as (
            select region_id, product, sku_id, currency, max_by(price_per_hour, usage_date) as price_per_hour
            from machine_prices
            where instance_type = $type and purchase_option = 'on_demand' and price_per_hour > 0
            group by region_id, product, sku_id, currency
        ),
        listed as ( -- a list names products in words of its own: Linux costs least, as it has no licence
            select region_id, product, currency, min(price_per_hour) as price_per_hour from newest group by all
            union all by name
            select region_id, 'Linux/UNIX' as product, currency, min(price_per_hour) as price_per_hour from newest
            group by region_id, currency having count(*) filter (where product = 'Linux/UNIX') = 0
        )
        select region_id, availability_zone, product, currency, avg(spot.price_per_hour)::decimal(38, 12),
            max(spot.price_per_hour), any_value(listed.price_per_hour)
        from machine_prices as spot cross join last_day
        left join listed using (region_id, product, currency)
        where instance_type = $type and purchase_option = 'spot' and spot.price_per_hour is not null
            and usage_date > last_day.day - {DAYS}
        group by region_id, availability_zone, product, currency
        order by 5, 1, 2, 3
    """
    return [Offer(*row) for row in database.execute(query, {"type": instance_type}).fetchall()]


def _print(console: Console, job: Job, offers: list[Offer], hours: float) -> None:
    from models.money import nearest_double

    given = job.interruptions
    if math.isinf(hours):
        console.print(f"At one interruption in {given.mean_hours:g} hours the job cannot be expected to end.")
        return
    console.print(
        f"{job.work_hours:g} hours of work on {job.machines} x {escape(job.instance_type)}, saved every "
        f"{given.best_interval * 60:,.0f} minutes: {hours:,.1f} hours expected ({hours / job.work_hours - 1:.1%} more "
        "than without interruptions)."
    )
    table = Table("region", "zone", "product")
    for title in ("mean price", "dearest day", "spot", "on demand", "saving"):
        table.add_column(title, justify="right")
    for offer in offers:
        spot = nearest_double(offer.mean) * hours * job.machines
        paid = None if offer.on_demand is None else nearest_double(offer.on_demand) * job.work_hours * job.machines
        table.add_row(
            *(escape(text) for text in (offer.region, offer.zone, offer.product)),
            f"{offer.mean:.4f}",
            f"{offer.dearest:.4f}",
            f"{offer.currency} {spot:,.2f}",
            "not listed" if paid is None else f"{offer.currency} {paid:,.2f}",
            "" if not paid else f"{1 - spot / paid:.1%}",
        )
    console.print(table)
    console.print("Interruptions are taken to come at any time alike. Prices are means of the last 30 days' lists.")
