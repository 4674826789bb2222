"""What a story's days came to beside the same weekdays of the four weeks before them, by whatever names the money.

Here belongs: that comparison, as frames, sums and figures. Here does not belong: what a difference is called.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import polars as pl

from models.anomaly_series import LEVELS
from models.anomaly_stories import Told
from models.root_cause import Line, adtributor

WEEKS_BEFORE = 4
NONE = "(none)"
"""What has no name."""
MEASURES = (
    *("request_count", "failure_count", "tokens", "cache_read_tokens", "output_tokens"),
    "cost_units",
)
_PICO = Decimal(1).scaleb(-12)


def compared(told: Told, rows: pl.DataFrame, measures: Sequence[str]) -> pl.DataFrame:
    """What stands in the story's series, each measure `_before` and `_after`, summed by all that names it.

    Before is four times what was usual, so that it stays whole: each earlier day counts as often as its weekday is in
    the story. After is four times what was.
    """
    onset, end = told.day(told.event.first_day), told.day(told.event.end_day)
    keys = LEVELS[told.level]
    wanted = [
        pl.col(key) == value for key, value in (("account", told.account), ("model_id", told.model_id)) if key in keys
    ]
    weekdays = pl.DataFrame({"day": pl.date_range(onset, end, eager=True)}).select(weekday=pl.col("day").dt.weekday())
    weights = weekdays.group_by("weekday").agg(weight=pl.len().cast(pl.Int64))
    found = rows.filter(pl.col("day").is_between(onset - timedelta(weeks=WEEKS_BEFORE), end), *wanted)
    weighed = (
        found.with_columns(weekday=pl.col("day").dt.weekday(), is_after=pl.col("day") >= onset)
        .join(weights, on="weekday", how="left")
        .with_columns(pl.when("is_after").then(WEEKS_BEFORE).otherwise(pl.col("weight").fill_null(0)).alias("weight"))
    )
    names = [name for name in rows.columns if name not in ("day", "x_source", *MEASURES, "priced_request_count")]
    return weighed.group_by(names).agg(
        (pl.col(name).cast(pl.Int128) * pl.col("weight"))
        .filter(pl.col("is_after") == is_after)
        .sum()
        .alias(f"{name}_{when}")
        for name in measures
        for when, is_after in (("before", False), ("after", True))
    )


def sums_of(rows: pl.DataFrame, by: Sequence[str], measure: str) -> dict[str, tuple[Decimal, Decimal]]:
    """By name of what they are summed by: a measure before and after."""
    sums = rows.group_by(by).agg(pl.col(f"{measure}_before").sum(), pl.col(f"{measure}_after").sum())
    scale = _PICO / WEEKS_BEFORE if measure == "cost_units" else Decimal(1) / WEEKS_BEFORE
    return {
        " ".join(str(part) for part in row[:-2] if part) or "(none)": (
            Decimal(row[-2]) * scale,
            Decimal(row[-1]) * scale,
        )
        for row in sums.sort(by).iter_rows()
    }


def contributors_of(rows: pl.DataFrame, dimensions: Sequence[str]) -> str:
    """Adtributor's explanations as JSON: dimension, element, what it cost more, its share, its surprise."""
    found = adtributor({dimension: sums_of(rows, [dimension], "cost_units") for dimension in dimensions if rows.height})
    return json.dumps(
        [
            {
                "dimension": element.dimension,
                "element": element.name,
                "change_cost": f"{element.change_cost:.2f}",
                "explained_ratio": f"{element.explained_ratio:.2f}",
                "surprise": f"{element.surprise:.4f}",
            }
            for explanation in found
            for element in explanation.elements
        ]
    )


def lines_of(rows: pl.DataFrame, when: str) -> dict[str, Line]:
    """What every model came to."""
    index = 0 if when == "before" else 1
    tokens, costs = (sums_of(rows, ["provider_id", "model_id"], name) for name in ("tokens", "cost_units"))
    return {name: Line(tokens[name][index], costs[name][index]) for name in tokens if tokens[name][index]}
