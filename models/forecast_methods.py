"""How a daily series goes on: three methods, each of which makes paths, because quantiles of days do not add up.

AutoETS (season 7, damped trend) is statsforecast's (Hyndman and Khandakar, 2008); it is imported where it is first
needed: that takes some seconds, and a young house does not need it. The two plain rules are what it is held against and
what takes its place: the same weekday of the week before (seasonal naive), and the mean of the same weekday of four
weeks (seasonal window average), for series that are zero on many of their days.

Here belongs: methods. Here does not belong: which one is taken, how well it did.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.random import Generator

from models.ets_paths import Floats, ets_paths, state_of

SEASON_DAYS = 7
WINDOW_WEEKS = 4
MEMORY_DAYS = 56
"""Days whose surprises are those of the future: paths draw from them."""
INTERMITTENT_SHARE = 0.3
"""So many of the days on which a series can have something, it has nothing."""

AUTO_ETS, NAIVE, WINDOW_AVERAGE = "auto_ets", "seasonal_naive", "seasonal_window_average"

Paths = Callable[[Floats, int, int, Generator], Floats]
"""Continues a history by so many days in so many paths: paths by days. The history begins where the fitted one did."""


class CannotFitError(Exception):
    """A method has nothing to say of a history."""


def seasonal_naive(_history: Floats) -> Paths:
    """Each day as its weekday a week before, and what was unlike it so far: errors add up from week to week."""

    def paths(history: Floats, horizon: int, count: int, random: Generator) -> Floats:
        changes = (history[SEASON_DAYS:] - history[:-SEASON_DAYS])[-MEMORY_DAYS:]
        changes = changes - (changes.mean() if len(changes) else 0)  # naive is without a trend
        drawn = random.choice(changes, (count, horizon)) if len(changes) else np.zeros((count, horizon))
        last = history[-SEASON_DAYS:]
        found = np.empty((count, horizon))
        for day in range(horizon):
            before = found[:, day - SEASON_DAYS] if day >= SEASON_DAYS else last[day % len(last)]
            found[:, day] = before + drawn[:, day]
        return found

    return paths


def seasonal_window_average(_history: Floats) -> Paths:
    """Each day as the mean of its weekday in the last four weeks, and what was unlike that so far."""

    def paths(history: Floats, horizon: int, count: int, random: Generator) -> Floats:
        means = _weekday_means(history)
        weeks = -(-horizon // SEASON_DAYS)
        expected = np.tile(means[-SEASON_DAYS:], weeks)[:horizon]
        before = np.concatenate([np.full(SEASON_DAYS, np.nan), means[:-SEASON_DAYS]])
        surprises = (history - before)[-MEMORY_DAYS:]
        surprises = surprises[np.isfinite(surprises)]
        surprises = surprises - (surprises.mean() if len(surprises) else 0)
        drawn = random.choice(surprises, (count, horizon)) if len(surprises) else np.zeros((count, horizon))
        return expected + drawn

    return paths


def auto_ets(history: Floats) -> Paths:
    """AutoETS, fitted to this history; a longer one that begins with it is followed with the same parameters.

    Raises:
        CannotFitError: no model of the family fits.
    """
    from statsforecast.models import AutoETS

    model = AutoETS(season_length=SEASON_DAYS, damped=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tries models that do not converge, and takes another
            model.fit(history)
    except Exception as error:  # its own classes and numpy's: whatever it was, there is no model
        raise CannotFitError(str(error)) from error
    fitted = model.model_

    def paths(longer: Floats, horizon: int, count: int, random: Generator) -> Floats:
        from statsforecast.ets import forward_ets

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            state = state_of(forward_ets(fitted, longer))
            found = ets_paths(state, random.choice(state.residuals[-MEMORY_DAYS:], (count, horizon)))
        if not np.isfinite(found).all():
            raise CannotFitError("its paths leave all bounds")
        return found

    return paths


METHODS: Mapping[str, Callable[[Floats], Paths]] = {
    AUTO_ETS: auto_ets,
    NAIVE: seasonal_naive,
    WINDOW_AVERAGE: seasonal_window_average,
}


def is_intermittent(history: Floats) -> bool:
    """Whether a series has nothing on many days, other than on weekdays on which it never has anything."""
    recent = history[-MEMORY_DAYS:]
    by_weekday = [recent[day::SEASON_DAYS] == 0 for day in range(min(SEASON_DAYS, len(recent)))]
    active = [is_zero for is_zero in by_weekday if not is_zero.all()]
    return bool(active) and np.concatenate(active).mean() > INTERMITTENT_SHARE


def _weekday_means(history: Floats) -> Floats:
    """Of every day the mean of its weekday in the four weeks that end with it, of as many as there are."""
    found = np.empty_like(history)
    for day in range(len(history)):
        found[day] = history[day % SEASON_DAYS : day + 1 : SEASON_DAYS][-WINDOW_WEEKS:].mean()
    return found
