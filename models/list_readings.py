"""What clouds' lists said of tokens, reading after reading, kept as the runs of readings that say the same.

A list is read every night and hardly ever changes: what is kept grows with its changes and not with the nights, and a
night looks at its own reading alone.

Here belongs: joining a reading to the runs before it. Here does not belong: what a statement means, or costs.
"""

from collections.abc import Iterable
from datetime import date

import polars as pl

from models.frames import conform, schema_of

STATED = (
    "provider_name",
    "x_model_id",
    "x_service_tier",
    "region_id",
    "x_token_class",
    "purchase_option",
    "quantity_from",
    "pricing_unit",
    "unit_price",
    "currency",
    "valid_from",
)
"""What a reading of a list says of one price."""


def after_readings(listed: pl.DataFrame, read: Iterable[tuple[str, date, pl.DataFrame]]) -> pl.DataFrame:
    """The runs after further readings.

    Args:
        listed: the runs so far, in the shape of `listed_prices`.
        read: source, day and the rows of `sku_prices` that name a model, at least `STATED`, of each reading; days of a
            source go up, and lie after all that were read of it before.

    Returns:
        Frame in the shape of `listed_prices`.
    """
    is_open = pl.col("missed_on").is_null()
    ended = [listed.filter(~is_open)]
    current = listed.filter(is_open)
    for source, day, rows in read:
        stated = rows.select(pl.col(name).cast(schema_of("listed_prices")[name]) for name in STATED).unique()
        own, others = current.filter(pl.col("x_source") == source), current.filter(pl.col("x_source") != source)
        missed = own.join(stated, on=STATED, how="anti", nulls_equal=True)
        begun = stated.join(own, on=STATED, how="anti", nulls_equal=True).with_columns(
            x_source=pl.lit(source), first_read_on=pl.lit(day), missed_on=pl.lit(None, pl.Date)
        )
        ended.append(missed.with_columns(missed_on=pl.lit(day)))
        kept = own.join(stated, on=STATED, how="semi", nulls_equal=True)
        current = pl.concat([others, kept, begun.select(current.columns)])
    return conform(pl.concat([*ended, current]).sort("x_source", "first_read_on", *STATED), "listed_prices")
