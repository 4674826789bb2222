"""Errata that were taken out of the file while a month that no night rebuilds still has what they moved."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from models.errata import AWAITED
from models.frames import frame_of
from pipelines.calendar import next_month
from pipelines.house import House
from pipelines.night.adjustments import RESTATED, carried
from pipelines.night.ledger import POSTINGS
from pipelines.night.stale import is_out_of_reach

ERRATA, REMOVED = "bill_errata", "removed"


def removed_rows(house: House) -> list[dict[str, Any]]:
    """Rows of `bill_errata` that stay although their erratum is not in the file: as told before, standing removed.

    Known is what the table of the night before has. What was taken back since, by a run of its month, is gone.
    """
    named = {(entry.id, entry.first_day) for entry in house.config.errata}
    stored = frame_of(house.lake.read(ERRATA)).filter(pl.col("posted_in").is_not_null()).to_dicts()
    left = [row for row in stored if (row["erratum_id"], row["billing_period"]) not in named]
    posted = {key: _posted(house, *key) for key in {(row["erratum_id"], row["billing_period"]) for row in left}}
    return [row | {"standing": REMOVED} for row in left if posted[row["erratum_id"], row["billing_period"]]]


def removed_told(house: House, first: date) -> Iterator[str]:
    """What is told of them, each with the run that takes back what is still posted.

    Nothing is told of a month that a run from `first` on rebuilds: the run itself takes it back.
    """
    left = [row for row in removed_rows(house) if is_out_of_reach(row["billing_period"], first)]
    found = {(row["erratum_id"], row["billing_period"]): row["billing_currency"] for row in left}
    for (erratum_id, month), currency in sorted(found.items()):
        amount = _posted(house, erratum_id, month)
        yield (
            f"{house.file.name}: erratum '{erratum_id}' is in the file no more, and {currency} {amount:,.2f} of it is "
            f"still posted: {month:%Y-%m} is further back than a night rebuilds. Take it back: farthing run "
            f"{next_month(month) - timedelta(days=1)}; or put it into the file again."
        )


def _posted(house: House, erratum_id: str, month: date) -> Decimal:
    """What waits for a credit because of it, by the journal that stands for the month today."""
    is_carried = any(month in corrected for corrected in carried(house).values())
    wanted = ["rule_id", "to_account", "billed_cost"]
    table = house.lake.dataset(RESTATED if is_carried else POSTINGS, month, next_month(month)).to_table(columns=wanted)
    waiting = frame_of(table).filter(pl.col("rule_id") == erratum_id, pl.col("to_account") == AWAITED)
    return sum((-amount for amount in waiting["billed_cost"]), Decimal(0))
