"""What a locked month would cost today, posted as a difference in the first open month after it.

A locked month keeps its postings. When its bill is restated, or is allocated otherwise, the month is posted anew beside
them; what that differs by, less what was posted for it before, is an adjustment, to the last unit:

    locked postings + every adjustment of that month = the month as it would be posted today.

1. `book`: bill:<provider> to pool:adjustments. 2. pool:adjustments to the account that carries it.

Here belongs: the difference and its cause. Here does not belong: which month is locked, or open.
"""

import hashlib
from datetime import date

import polars as pl

from models.accounts import is_final
from models.features import TOLD, with_told_features
from models.frames import conform, require
from models.money import check_range, money_of, units_of

ADJUSTMENT_RULES = "2"
"""Version of the rules below."""

ADJUSTMENTS = "pool:adjustments"
CORRECTION = "correction"
_UNITS = ["billed_units", "effective_units"]
_KIND = ["corrected_period", "charge_date", "provider_name", "service_name", "cost_kind", "billing_currency", "cause"]
_KEY = [*_KIND, "to_account", "team_id", "model_id", "feature"]
_PROOF = ["corrected_period", "to_account", "provider_name", "billing_currency"]


def adjust(*, posted_in: date, locked: pl.DataFrame, restated: pl.DataFrame, posted: pl.DataFrame) -> pl.DataFrame:
    """The adjustments of locked months that one open month carries, in the shape of `adjustments`.

    The cause of a difference is the bill where a charge group costs another sum than it did, a data correction where
    one was made, and else the allocation: the token log, the owner rules, the pools or their weights.

    Args:
        posted_in: first day of the open month.
        locked: `postings` of the months that it corrects, as they were locked.
        restated: the same months as they would be posted today, likewise in the shape of `postings`.
        posted: `adjustments` of these months that stand in months that are locked themselves.

    Raises:
        ValueError: a frame does not keep its contract. OverflowError: the amounts do not fit DECIMAL(38,12).
    """
    moved = pl.concat([_resting(locked, sign=-1), _resting(restated, sign=1)])
    groups = moved.group_by("charge_group_id").agg(pl.col(name).sum().alias(f"group_{name}") for name in _UNITS)
    is_restated = pl.any_horizontal(pl.col(f"group_{name}") != 0 for name in _UNITS)
    caused = moved.join(groups, on="charge_group_id", how="left").with_columns(
        cause=pl.when(pl.col("rule_kind") == CORRECTION)
        .then(pl.lit(CORRECTION))
        .when(is_restated)
        .then(pl.lit("bill_restated"))
        .otherwise(pl.lit("reallocated"))
    )
    before = _posted(posted).with_columns(pl.col(name) * -1 for name in _UNITS)
    due = _due(caused, before)
    none = [pl.lit(None, pl.String).alias(name) for name in ("team_id", "model_id", "feature")]
    booked = _summed(due, _KIND).with_columns(
        none, step=pl.lit(1), from_account="bill:" + pl.col("provider_name"), to_account=pl.lit(ADJUSTMENTS)
    )
    carried = due.with_columns(step=pl.lit(2), from_account=pl.lit(ADJUSTMENTS))
    return _complete(pl.concat([booked, carried], how="diagonal"), posted_in)


def unadjusted(locked: pl.DataFrame, restated: pl.DataFrame, adjustments: pl.DataFrame) -> pl.DataFrame:
    """Where a locked month and all its adjustments are not what it would be posted as today. Empty: they are.

    Args:
        locked: as for `adjust`.
        restated: likewise.
        adjustments: every adjustment of these months, in whatever month it stands.

    Returns:
        Columns corrected_period, to_account, provider_name, billing_currency, billed_difference, effective_difference.
    """
    columns = [*_PROOF, *_UNITS]
    parts = [_resting(locked, sign=1), _posted(adjustments), _resting(restated, sign=-1)]
    found = _summed(pl.concat([part.select(columns) for part in parts]), _PROOF)
    money = [money_of(name).alias(f"{name.removesuffix('_units')}_difference") for name in _UNITS]
    return found.select(*_PROOF, *money).sort(_PROOF)


def _due(caused: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """The differences by what they are about, less what was posted before.

    Their feature is told where it is of every charge group that differs: one that costs what it did says nothing.
    """
    differing = _summed(caused, [*_KEY, "charge_group_id"], pl.col(TOLD).all())
    columns = [*_KEY, TOLD, *_UNITS]
    # what was posted before this column was kept does not know
    is_told = pl.when(pl.col(TOLD).is_not_null().any()).then(pl.col(TOLD).all()).alias(TOLD)
    return _summed(pl.concat([differing.select(columns), before.select(columns)]), _KEY, is_told)


def _resting(postings: pl.DataFrame, sign: int) -> pl.DataFrame:
    """What rests where, in units, times `sign`."""
    resting = _with_units(with_told_features(require(postings, "postings")).filter(is_final(pl.col("to_account"))))
    return resting.with_columns(pl.col(name) * sign for name in _UNITS).rename({"billing_period": "corrected_period"})


def _posted(adjustments: pl.DataFrame) -> pl.DataFrame:
    return _with_units(require(adjustments, "adjustments").filter(is_final(pl.col("to_account"))))


def _with_units(frame: pl.DataFrame) -> pl.DataFrame:
    found = frame.with_columns(billed_units=units_of("billed_cost"), effective_units=units_of("effective_cost"))
    for name in _UNITS:
        check_range(found, name)
    return found


def _summed(rows: pl.DataFrame, key: list[str], *beside: pl.Expr) -> pl.DataFrame:
    sums = rows.group_by(key).agg(*(pl.col(name).sum() for name in _UNITS), *beside)
    return sums.filter(pl.any_horizontal(pl.col(name) != 0 for name in _UNITS))


def _complete(rows: pl.DataFrame, posted_in: date) -> pl.DataFrame:
    identity = ["billing_period", "step", *_KEY]
    dated = rows.with_columns(billing_period=pl.lit(posted_in)).sort(identity)
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in identity], separator="\x1f")
    ids = [hashlib.md5(line.encode(), usedforsecurity=False).hexdigest() for line in dated.select(text).to_series()]
    complete = dated.with_columns(
        pl.Series("adjustment_id", ids, dtype=pl.String),
        money_of("billed_units").alias("billed_cost"),
        money_of("effective_units").alias("effective_cost"),
        is_final(pl.col("to_account")).alias("is_final_account"),
    )
    return conform(complete, "adjustments")
