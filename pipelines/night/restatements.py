"""Restated bills of a period as a statement tells them: which of them, and each bill and month once."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from connectors.wording import called
from pipelines.calendar import next_month
from reports.given import Restatement
from reports.money import exact_sum


def restatements(rows: pl.DataFrame) -> Iterator[Restatement]:
    """One line for each bill and month: the sum of what it changed by."""
    keys = ["x_source", "x_account", "slice_date"]
    for (source, account, month), found in rows.sort([*keys, "restated_at"]).group_by(keys, maintain_order=True):
        currencies = {*found["currency"].drop_nulls().to_list()}
        yield Restatement(
            source=called(source, account),
            month=month,
            last_at=found["restated_at"].to_list()[-1],
            times=found.height,
            billed=exact_sum(found["difference"]),
            effective=exact_sum(found["effective_difference"].drop_nulls()),
            currency=currencies.pop() if len(currencies) == 1 else None,
        )


def restated(restatements: pl.DataFrame, period: date) -> pl.DataFrame:
    """Restatements of bills of a whole period, made of this one or in it, that changed what it cost."""
    changed = restatements.filter(
        (pl.col("fact") == "charges")
        & pl.col("was_whole_period")
        & ((pl.col("difference") != 0) | (pl.col("effective_difference") != 0))
    )
    ends = next_month(period)
    return changed.filter(
        pl.col("slice_date").is_between(period, ends, closed="left")
        | (pl.col("restated_at").dt.date().is_between(period, ends, closed="left") & (pl.col("slice_date") < ends))
    )
