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
Names = tuple[str, ...]
NONE = "(none)"
"""What has no name."""
MEASURES = (
    *("request_count", "failure_count", "tokens", "cache_read_tokens", "output_tokens"),
    "cost_units",
)
_PICO = Decimal(1).scaleb(-12)
_WHOLE = 12
"""A twelfth of it is shared by one to four days without a rest."""


def compared(told: Told, rows: pl.DataFrame, measures: Sequence[str]) -> pl.DataFrame:
    """What stands in the story's series, each measure `_before` and `_after`, summed by all that names it.

    Both are twelve times what they are, so that they stay whole. Before is what was usual: for each day of the story
    the mean of its weekday, of as many of the four days before as are known. A day is known where `rows` holds anything
    at all of it; of the story, too, only days that are known count. Where a weekday is not known from before there is
    nothing to compare with, and nothing is returned.
    """
    onset, end = told.day(told.event.first_day), told.day(told.event.end_day)
    keys = LEVELS[told.level]
    wanted = [
        pl.col(key) == value for key, value in (("account", told.account), ("model_id", told.model_id)) if key in keys
    ]
    is_near = pl.col("day").is_between(onset - timedelta(weeks=WEEKS_BEFORE), end)
    weekday, is_after = pl.col("day").dt.weekday(), pl.col("day") >= onset
    weekdays = (
        rows.filter(is_near)
        .select(pl.col("day").unique())
        .group_by(weekday=weekday)
        .agg(in_story=is_after.sum().cast(pl.Int64), known=(~is_after).sum().cast(pl.Int64))
        .filter(pl.col("in_story") > 0)
    )
    found = rows.filter(is_near, *wanted) if (weekdays["known"] > 0).all() else rows.clear()
    weighed = (
        found.with_columns(weekday=weekday, is_after=is_after)
        .join(weekdays, on="weekday", how="left")
        .with_columns(
            weight=pl.when("is_after")
            .then(_WHOLE)
            .otherwise((pl.col("in_story") * _WHOLE // pl.col("known")).fill_null(0))
        )
    )
    names = [name for name in rows.columns if name not in ("day", "x_source", *MEASURES, "priced_request_count")]
    return weighed.group_by(names).agg(
        (pl.col(name).cast(pl.Int128) * pl.col("weight"))
        .filter(pl.col("is_after") == later)
        .sum()
        .alias(f"{name}_{when}")
        for name in measures
        for when, later in (("before", False), ("after", True))
    )


def sums_of(rows: pl.DataFrame, by: Sequence[str], measure: str) -> dict[Names, tuple[Decimal, Decimal]]:
    """By the names of what they are summed by, empty where there is none: a measure before and after."""
    sums = rows.group_by(pl.col(name).fill_null("") for name in by).agg(
        pl.col(f"{measure}_before").sum(), pl.col(f"{measure}_after").sum()
    )
    scale = _PICO / _WHOLE if measure == "cost_units" else Decimal(1) / _WHOLE
    return {row[:-2]: (Decimal(row[-2]) * scale, Decimal(row[-1]) * scale) for row in sums.sort(by).iter_rows()}


def contributors_of(rows: pl.DataFrame, dimensions: Sequence[str]) -> str:
    """Adtributor's explanations as JSON: dimension, element, what it cost more, its share, its surprise."""
    found = adtributor(
        {
            dimension: {name or NONE: costs for (name,), costs in sums_of(rows, [dimension], "cost_units").items()}
            for dimension in dimensions
            if rows.height
        }
    )
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


def lines_of(rows: pl.DataFrame, when: str) -> dict[Names, Line]:
    """What every model came to."""
    index = 0 if when == "before" else 1
    tokens, costs = (sums_of(rows, ["provider_id", "model_id"], name) for name in ("tokens", "cost_units"))
    return {name: Line(tokens[name][index], costs[name][index]) for name in tokens if tokens[name][index]}
