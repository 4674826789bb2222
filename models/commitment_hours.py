"""Commitments by the hour: what each hour cost, what used it, what nobody used. Exact to the pico-unit.

Lines that cover more than an hour (a reservation's month, say) are spread evenly by largest remainder over those of
their hours that lie in the billing period, or within a day of it, as other zones begin their months then. A line may
say that it covers years: its amounts are the period's all the same, and lie wholly in its hours there. A line that
touches the period nowhere (a late correction, say) lies in its own hour that is nearest to it. Where a bill states what
was unused for a longer stretch than an hour, each hour's unused part is what its share of the purchase leaves over, so
that hours and stretch add up alike.

Here belongs: the arithmetic of one commitment's hours. Here does not belong: what a bill's line means (its connector
says that), advice on what to buy.
"""

import polars as pl

from models.frames import conform, require
from models.money import check_range, money_of, units_of

HOURS_RULES = "2"
"""Changes when the same lines would give other hours."""

_COMMITMENT = [
    "billing_period",
    "x_source",
    "provider_name",
    "billing_account_id",
    "billing_currency",
    "commitment_discount_id",
]
_HOUR = "hour_start"
_OTHER_ZONES = "1d"
_AMOUNTS = ["purchased", "used", "unused"]


def commitment_hours(lines: pl.DataFrame) -> pl.DataFrame:
    """Every hour of every commitment, in the shape of `commitment_hours`.

    In every hour used, unused and unexplained add up to purchased. Source: FOCUS 1.2, EffectiveCost of commitments
    (used plus unused effective cost is the purchase's billed cost), taken to the hour.

    Args:
        lines: frame in the shape of `commitment_lines`.

    Raises:
        ValueError: the frame does not keep its contract. OverflowError: the amounts do not fit DECIMAL(38,12).
    """
    hours = _by_hour(_spread(require(lines, "commitment_lines")))
    stated = hours.with_columns(
        is_stated=pl.col("purchased").is_not_null().any().over(_COMMITMENT),
        is_coarse=pl.col("is_coarse").any().over(_COMMITMENT),
        bought=pl.col("purchased").fill_null(0),
    ).with_columns(
        bought=pl.when("is_stated").then("bought").otherwise(pl.col("used") + pl.col("unused")),
    )
    gaps = stated.with_columns(gap=pl.col("bought") - pl.col("used") - pl.col("unused"))
    settled = gaps.with_columns(
        unexplained=pl.when("is_coarse").then(_even_share("gap", _COMMITMENT)).otherwise("gap"),
    ).with_columns(unused=pl.col("bought") - pl.col("used") - pl.col("unexplained"))
    return conform(
        settled.select(
            *_COMMITMENT,
            _HOUR,
            "is_stated",
            purchased_cost=money_of("bought"),
            used_cost=money_of("used"),
            unused_cost=money_of("unused"),
            unexplained_cost=money_of("unexplained"),
        ).sort(*_COMMITMENT, _HOUR),
        "commitment_hours",
    )


def _spread(lines: pl.DataFrame) -> pl.DataFrame:
    """A row for each hour of the period that a line touches, with its part of the line's amounts."""
    amounts = lines.select(
        *_COMMITMENT,
        first=pl.col("period_start").dt.truncate("1h"),
        last=(pl.col("period_end") - pl.duration(microseconds=1)).dt.truncate("1h"),
        opens=(opens := pl.col("billing_period").cast(pl.Datetime("us"))).dt.offset_by(f"-{_OTHER_ZONES}"),
        closes=opens.dt.offset_by("1mo").dt.offset_by(_OTHER_ZONES) - pl.duration(hours=1),
        **{name: units_of(f"{name}_cost") for name in _AMOUNTS},
    )
    for name in _AMOUNTS:
        check_range(amounts.drop_nulls(name), name)
    counted = (
        amounts.with_columns(
            is_coarse=(pl.col("last") > pl.col("first")) & (pl.col("unused") != 0),
            first=pl.col("opens").clip("first", "last"),
            last=pl.col("closes").clip("first", "last"),
        )
        .with_columns(
            hours=(pl.col("last") - pl.col("first")).dt.total_hours() + 1,
            hour_start=pl.datetime_ranges("first", "last", "1h", time_unit="us"),
        )
        .with_columns(position=pl.int_ranges(0, pl.col("hours")))
    )
    exploded = counted.explode(_HOUR, "position")
    return exploded.with_columns(_share(pl.col(name), pl.col("hours"), pl.col("position")) for name in _AMOUNTS)


def _share(units: pl.Expr, count: pl.Expr, position: pl.Expr) -> pl.Expr:
    """The part of `units` at a position of `count` equal ones: the first ones get what does not divide."""
    whole = units // count
    return whole + (position < units - whole * count).cast(pl.Int128)


def _even_share(column: str, within: list[str]) -> pl.Expr:
    """The sum of a column within its group, spread evenly over the group's rows."""
    total, count = pl.col(column).sum().over(within), pl.len().over(within).cast(pl.Int128)
    return _share(total, count, pl.int_range(pl.len()).over(within).cast(pl.Int128))


def _by_hour(parts: pl.DataFrame) -> pl.DataFrame:
    """The parts of each hour added up. An hour without a stated purchase keeps NULL."""
    purchased = pl.when(pl.col("purchased").is_not_null().any()).then(pl.col("purchased").sum()).alias("purchased")
    return (
        parts.group_by(*_COMMITMENT, _HOUR)
        .agg(purchased, pl.col("used").sum(), pl.col("unused").sum(), pl.col("is_coarse").any())
        .sort(*_COMMITMENT, _HOUR)
    )
