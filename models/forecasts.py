"""What a month will have cost when it is over: what is settled, what is scheduled, and usage as it goes on.

    month end = settled days (exact) + purchases that are awaited (exact) + usage of the days that are left (estimate)

Days that were told of but may still grow are estimated as the ones that are to come; what they show so far is not used.
Intervals are quantiles of sums over simulated paths, widened (or narrowed) about their middle by the factor of
`forecast_calibration`; quantiles of days, or of series, are never added. Usage that was never negative will not be:
where paths or widths go below zero, the quantile of such a sum is zero, so that no month ends below what is settled and
awaited, and no days that are left are taken to come to less than nothing. Truths are not negative either, so that
intervals hold the same ones with that bound as without it, and what is measured of their past stays true. Teams are
forecast each by itself, and so is the organisation: the teams' middles need not sum to the organisation's.

Here belongs: a row of `forecasts`. Here does not belong: how a series goes on, what a budget is.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

from models.ets_paths import Floats
from models.forecast_calibration import FEWEST_ORIGINS, Calibration, calibrated
from models.forecast_choice import Choice, choose
from models.forecast_origins import HIGH, LOW, MIDDLE, Record, Target
from models.forecast_series import History, histories, within
from models.frames import conform, schema_of
from models.open_months import month_after, open_months
from models.scheduled_costs import Scheduled, evidence_of
from models.scopes import COST, Scope

TABLE = "forecasts"
QUANTILES = tuple(round(0.01 * step, 2) for step in range(1, 100))
_UNITS = Decimal(10) ** 12
_PLACES = Decimal("0.000001")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """All that is known of one metric when a forecast is made.

    Args:
        metric: cost, tokens or outcome_cost.
        unit: currency, or tokens.
        daily: usage by day and dimension, as `histories` takes it.
        charged: everything that months came to so far: billing_period, day, the dimensions, and units (10**-12).
        settled: the last day that hardly changes any more.
        newest: the last day of which anything is told.
        scheduled: purchases that are awaited, by month.
    """

    metric: str
    unit: str
    daily: pl.DataFrame
    charged: pl.DataFrame
    settled: date
    newest: date
    scheduled: dict[date, list[Scheduled]]


@dataclass(frozen=True)
class _Series:
    history: History
    choice: Choice


def forecasts(told: Told, scopes: Iterable[Scope]) -> pl.DataFrame:
    """Every scope's forecast of every open month, in the shape of `forecasts`."""
    found = list(histories(told.daily, sorted(set(scopes)), told.settled))
    rows: list[tuple[object, ...]] = []
    for month in open_months(told.settled, told.newest):
        target = Target(
            max(0, (month - told.settled - _DAY).days),
            (month_after(month) - told.settled - _DAY).days,
        )
        series = [_Series(history, choose(history, target, month)) for history in found]
        needed = _calibrations(series)
        charged = told.charged.filter(pl.col("billing_period") == month)
        for one, calibration in zip(series, needed, strict=True):
            rows.append(_row(told, month, target, one, calibration, charged))
    return conform(pl.DataFrame(rows, schema=schema_of(TABLE), orient="row"), TABLE)


def _calibrations(series: Sequence[_Series]) -> list[Calibration | None]:
    """Series that are forecast by one method are one pool."""
    found: list[Calibration | None] = [None] * len(series)
    for method in sorted({one.choice.method for one in series}):
        pool = [(place, one.choice.record) for place, one in enumerate(series) if one.choice.method == method]
        records = [(place, record) for place, record in pool if record is not None]
        for (place, _), calibration in zip(records, calibrated([record for _, record in records]), strict=True):
            found[place] = calibration
    return found


def _row(
    told: Told, month: date, target: Target, one: _Series, calibration: Calibration | None, charged: pl.DataFrame
) -> tuple[object, ...]:
    scope, choice = one.history.scope, one.choice
    settled = _amount(charged.filter(within(scope) & (pl.col("day") <= told.settled))["units"].to_list())
    awaited = [part for part in told.scheduled.get(month, []) if _is_of(scope, part)]
    fixed = _amount(part.units for part in awaited)
    unsettled_days = max(0, (min(told.newest, month_after(month) - _DAY) - max(told.settled, month - _DAY)).days)
    estimates = _Estimates.of(choice, target, unsettled_days, calibration, one.history.least)
    return (
        *(month, scope.level, scope.metric, scope.account, scope.team_id, scope.provider_name, scope.model_id),
        *(scope.feature, scope.outcome_kind, scope.business_unit, told.unit, told.settled, len(one.history.values)),
        *(settled, fixed, "; ".join(evidence_of(awaited)) or None),
        *(unsettled_days, estimates.unsettled, target.end - target.start - unsettled_days, estimates.remaining),
        *(_plus(quantile, settled, fixed) for quantile in (estimates.low, estimates.middle, estimates.high)),
        _json(estimates.quantiles, settled + fixed),
        *(choice.method, choice.reason or None, _no_interval(choice, calibration)),
        *_measured(choice, calibration),
        *(_recent(one.history, days) for days in (1, 7)),
    )


@dataclass(frozen=True)
class _Estimates:
    """What usage of the days that are left comes to; None where nothing is forecast, or how sure it is not known."""

    unsettled: Decimal | None = None
    remaining: Decimal | None = None
    low: Decimal | None = None
    middle: Decimal | None = None
    high: Decimal | None = None
    quantiles: tuple[Decimal, ...] = ()

    @staticmethod
    def of(
        choice: Choice, target: Target, unsettled_days: int, calibration: Calibration | None, least: float
    ) -> "_Estimates":
        if choice.paths is None:
            return _Estimates()
        paths = choice.paths[:, target.start :]
        sums = paths.sum(axis=1)
        all_left = max(least, np.quantile(sums, MIDDLE))
        middle, unsettled = _rounded(all_left), _rounded(_of_unsettled(paths, unsettled_days, all_left, least))
        if calibration is None:
            return _Estimates(unsettled, middle - unsettled, middle=middle)
        low, high, *quantiles = (
            _rounded(max(least, value)) for value in _widened(sums, calibration.factor, (LOW, HIGH, *QUANTILES))
        )
        return _Estimates(unsettled, middle - unsettled, low, middle, high, tuple(quantiles))


def _of_unsettled(paths: Floats, days: int, middle: float, least: float) -> float:
    """What the unsettled days have of all that is left, `middle`; the other days have the rest.

    Usage that was never negative is none of more than the whole: where the middle of these days alone lies above that
    of all days together, nothing is left for the others.
    """
    alone = max(least, np.median(paths[:, :days].sum(axis=1)))
    return min(alone, middle) if least >= 0 else alone


def _widened(sums: Floats, factor: float, quantiles: Sequence[float]) -> list[float]:
    middle = np.quantile(sums, MIDDLE)
    return (middle + factor * (np.quantile(sums, quantiles) - middle)).tolist()


def _measured(choice: Choice, calibration: Calibration | None) -> tuple[object, ...]:
    """Origins, factor, coverage of the series and of its pool, and how wrong its past was, beside the naive one's."""
    record, naive = choice.record, choice.naive
    width = (
        (None,) * 3 if calibration is None else (calibration.factor, calibration.coverage, calibration.pool_coverage)
    )
    return (0 if record is None else len(record.days), *width, *_errors(record), None if naive is None else naive.wape)


def _errors(record: Record | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if record is None else (record.wape, record.bias, record.mase)


def _no_interval(choice: Choice, calibration: Calibration | None) -> str | None:
    if calibration is not None:
        return None
    if choice.record is None or choice.paths is None:
        return choice.reason
    count = len(choice.record.days)
    if count < FEWEST_ORIGINS:
        return f"its past holds {count} forecasts to learn from, and {FEWEST_ORIGINS} are the least"
    return "no width would have held four of five of its past forecasts"


def _recent(history: History, days: int) -> Decimal | None:
    """Usage of the last settled days; None where one of them is not known, or it has no history."""
    is_told = len(history.values) >= 1 and bool(history.is_known[-days:].all())
    return _rounded(history.values[-days:].sum()) if is_told else None


def _is_of(scope: Scope, part: Scheduled) -> bool:
    return scope.metric == COST and all(getattr(scope, name) == getattr(part, name) for name in scope.fixed)


def _json(quantiles: Sequence[Decimal], known: Decimal) -> str | None:
    told = {f"{share:.2f}": str(known + value) for share, value in zip(QUANTILES, quantiles, strict=bool(quantiles))}
    return json.dumps(told, sort_keys=True) if told else None


def _plus(estimate: Decimal | None, *known: Decimal) -> Decimal | None:
    return None if estimate is None else sum(known, estimate)


def _amount(units: Iterable[int]) -> Decimal:
    return (Decimal(sum(units)) / _UNITS).quantize(Decimal(1) / _UNITS)


def _rounded(estimate: float) -> Decimal:
    return Decimal(str(estimate)).quantize(_PLACES)
