"""What a bill's own purchase lines say of a commitment's hours.

FOCUS has no column for the amortised purchase of an hour. Where a commitment is paid as it goes, hour by hour, the
recurring purchase line of the hour is just that.
"""

from collections.abc import Mapping

import polars as pl

_HOUR = pl.duration(hours=1)
_PAID_BEFORE = ("all_upfront", "partial_upfront")


def hourly_purchases(values: Mapping[str, pl.Series]) -> pl.Series:
    """`x_commitment_cost`: as delivered, else the billed cost of a recurring purchase that covers at most an hour.

    Longer lines state nothing: some bills give a month's payment the day on which it was due. Nor does a line of a
    commitment that is known to be paid upfront, in part or in whole: its hours cost more than they are billed.
    """
    read = (
        "x_commitment_cost", "x_commitment_payment", "commitment_discount_id", "charge_category", "charge_frequency",
        "charge_period_start", "charge_period_end", "billed_cost",
    )  # fmt: skip
    states_it = (
        (pl.col("charge_category") == "Purchase")
        & (pl.col("charge_frequency") == "Recurring")
        & pl.col("commitment_discount_id").is_not_null()
        & (pl.col("charge_period_end") - pl.col("charge_period_start") <= _HOUR)
        & ~pl.col("x_commitment_payment").is_in(_PAID_BEFORE).fill_null(value=False)
    )
    stated = pl.coalesce("x_commitment_cost", pl.when(states_it).then("billed_cost"))
    return pl.DataFrame([values[name].alias(name) for name in read]).select(x_commitment_cost=stated).to_series()
