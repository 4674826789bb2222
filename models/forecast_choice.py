"""Which method forecasts a series: the better one where its own past shows that it is better, else the naive one.

Here belongs: the choice and why. Here does not belong: how wide the interval is, money.
"""

import zlib
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.random import Generator

from models.ets_paths import Floats
from models.forecast_methods import (
    AUTO_ETS,
    METHODS,
    NAIVE,
    SEASON_DAYS,
    WINDOW_AVERAGE,
    CannotFitError,
    is_intermittent,
)
from models.forecast_origins import FEWEST_TRAINING_DAYS, TRAINING_DAYS, Record, Target, record_of
from models.forecast_series import History

PATHS = 1000
FEWEST_COMPARED = 2  # origins
NO_METHOD = "none"


@dataclass(frozen=True)
class Choice:
    """How a series is forecast: `reason` says why it is not otherwise; `paths` are of every day of the horizon.

    `naive` is the record of seasonal naive, which every method has to beat. Without paths nothing is forecast.
    """

    method: str
    reason: str
    record: Record | None
    naive: Record | None
    paths: Floats | None


def choose(history: History, target: Target, month: date) -> Choice:
    """The method of a series for the days of a target after the last one of its history."""
    values = history.values
    if len(values) < SEASON_DAYS:
        return Choice(NO_METHOD, f"{len(values)} days of history, and a week is the least", None, None, None)
    naive = _tried(NAIVE, history, target, month)
    preferred, reason = _preferred(values)
    if preferred != NAIVE:
        try:
            record = _tried(preferred, history, target, month)
            if len(record.days) < FEWEST_COMPARED:
                reason = f"{len(values)} days of history are too few to show that {preferred} is better"
            elif record.median_error < naive.median_error:
                paths = _paths(preferred, history, target, month)
                return Choice(preferred, reason, record, naive, paths)
            else:
                reason = f"{preferred} was no better on its past"
        except CannotFitError as error:
            reason = f"{preferred} does not fit: {error}"
    return Choice(NAIVE, reason, naive, naive, _paths(NAIVE, history, target, month))


def _preferred(values: Floats) -> tuple[str, str]:
    if len(values) < FEWEST_TRAINING_DAYS:
        return NAIVE, f"{len(values)} days of history: from {FEWEST_TRAINING_DAYS} on others are tried"
    if is_intermittent(values):
        return WINDOW_AVERAGE, "nothing on many days"
    return AUTO_ETS, ""


def _tried(method: str, history: History, target: Target, month: date) -> Record:
    random = _random(history, month, f"past of {method}")
    return record_of(history.values, target, METHODS[method], random, history.is_known.tolist())


def _paths(method: str, history: History, target: Target, month: date) -> Floats:
    recent = history.values[-TRAINING_DAYS:]
    return METHODS[method](recent)(recent, target.end, PATHS, _random(history, month, method))


def _random(history: History, month: date, purpose: str) -> Generator:
    """The same series in the same month draws the same numbers, whatever else is forecast."""
    return np.random.default_rng(zlib.crc32(f"{history.scope}|{month}|{purpose}".encode()))
