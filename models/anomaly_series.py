"""The daily series that are watched: five metrics at three levels, made of what was billed and of what was logged.

Here belongs: which series there are, how settled a day is, what a unit of a series costs. Here does not belong: scores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.anomaly_scores import Floats

BILL_LAG_DAYS = 2
"""Bills of clouds go on growing for a day or two after a day: younger days are not judged. AWS and Azure say 24 to 48
hours of usage data."""
LOG_LAG_DAYS = 0
"""A night reads whole days of the log."""
SILENT_DAYS = 7
"""Who was not heard of for longer than that before the newest day is silent, not late."""

LEVELS: Mapping[str, tuple[str, ...]] = {
    "organisation": (),
    "team": ("account",),
    "team_model": ("account", "model_id"),
}
COST = "cost"
METRICS = (COST, "cost_per_request", "tokens", "tokens_per_request", "output_tokens_per_request")
"""Each explains those after it, rather than the other way round."""

_UNITS = 10**12
_LOGGED = ("request_count", "priced_request_count", "tokens", "output_tokens", "cost_units")


@dataclass(frozen=True)
class Panel:
    """All series of one metric at one level: series by days, NaN where a day is not known.

    `keys` names account and model of each series, empty where the level has none. `unit_costs` is what a unit of the
    series costs on each day, NaN where that is not known, `owner_costs` what the account (of the organisation:
    everybody) pays for on each.
    """

    level: str
    metric: str
    keys: tuple[tuple[str, str], ...]
    first_day: date
    values: Floats
    unit_costs: Floats
    owner_costs: Floats
    pools: NDArray[np.int64]


def settled_through(days: pl.DataFrame, told_by: str, lag_days: int) -> date | None:
    """The last day that will hardly change any more: of those who are still heard of the slowest, less the lag.

    Args:
        days: a row for everything that was told, with its `day` and who told of it.
        told_by: column that says who did.
        lag_days: how long a day goes on growing.

    Returns:
        None where nothing was told.
    """
    newest = days.group_by(told_by).agg(pl.col("day").max(), days=pl.col("day").n_unique())
    if newest.is_empty():
        return None
    last = newest.select(pl.col("day").max()).item()
    heard = newest.filter(pl.col("day") >= last - timedelta(days=SILENT_DAYS))
    return heard.select(pl.col("day").min()).item() - timedelta(days=lag_days)


def bill_panels(costs: pl.DataFrame) -> Iterator[Panel]:
    """The series of what was billed: cost, in the reporting currency a day.

    A day on which nothing at all was billed is not known; of others, a series that has begun and has nothing cost 0.

    Args:
        costs: settled days alone: day, account, model_id (empty where no model is), cost_units (10**-12 of currency).
    """
    if costs.is_empty():
        return
    grid = _Grid.of(costs)
    for level, keys in LEVELS.items():
        rows = costs.filter(pl.col("model_id") != "") if "model_id" in keys else costs
        named, sums = grid.sums(rows, keys, ("cost_units",))
        cost = sums["cost_units"] / _UNITS
        yield Panel(level, COST, named, grid.first, cost, np.ones_like(cost), grid.owners(named, costs), _pools(named))


def log_panels(usage: pl.DataFrame, owner_costs: pl.DataFrame) -> Iterator[Panel]:
    """The series of what was logged: tokens, and what a request comes to.

    With n attempts, T tokens, O of them output, C known cost of m priced attempts:

        tokens = T                                      a token costs C / T
        tokens_per_request = T / n                      one more in each costs n * C / T
        output_tokens_per_request = O / n               likewise, at the mean price of a token
        cost_per_request = C / m                        one more in each costs m

    Ratios of a day without attempts are not known; what a token costs is not on a day with tokens of which no attempt
    has a price. A day without tokens has the price of the day before. Units: tokens a day, tokens, tokens, reporting
    currency.

    Args:
        usage: settled days alone: day, account, model_id, request_count, priced_request_count, tokens, output_tokens,
            cost_units.
        owner_costs: what everybody pays for, in the shape that `bill_panels` takes.
    """
    if usage.is_empty():
        return
    grid = _Grid.of(usage)
    for level, keys in LEVELS.items():
        named, sums = grid.sums(usage, keys, _LOGGED)
        requests, priced, tokens, output = (sums[name] for name in _LOGGED[:-1])
        cost = sums["cost_units"] / _UNITS
        token_cost = _token_costs(cost, tokens, priced)
        owners, pools = grid.owners(named, owner_costs), _pools(named)
        values_and_costs = (
            (_ratio(cost, priced), priced),
            (tokens, token_cost),
            (_ratio(tokens, requests), requests * token_cost),
            (_ratio(output, requests), requests * token_cost),
        )
        for metric, (values, unit_costs) in zip(METRICS[1:], values_and_costs, strict=True):
            yield Panel(level, metric, named, grid.first, values, unit_costs, owners, pools)


@dataclass(frozen=True)
class _Grid:
    """The days of a table, from its first to its last, and which of them are known."""

    first: date
    is_known: NDArray[np.bool_]

    @staticmethod
    def of(rows: pl.DataFrame) -> "_Grid":
        first, last = rows.select(first=pl.col("day").min(), last=pl.col("day").max()).row(0)
        is_known = np.zeros((last - first).days + 1, dtype=np.bool_)
        is_known[rows["day"].unique().to_physical().to_numpy() - (first - date(1970, 1, 1)).days] = True
        return _Grid(first, is_known)

    def sums(
        self, rows: pl.DataFrame, keys: tuple[str, ...], columns: tuple[str, ...]
    ) -> tuple[tuple[tuple[str, str], ...], dict[str, Floats]]:
        """Sums by series and day: 0 from a series' first day on, before it and on days that are not known NaN."""
        daily = (
            rows.filter(pl.col("day").is_between(self.first, self.first + timedelta(days=self.is_known.size - 1)))
            .group_by(*keys, "day")
            .agg(pl.col(name).sum() for name in columns)
            .with_columns(
                account=pl.col("account") if "account" in keys else pl.lit(""),
                model_id=pl.col("model_id") if "model_id" in keys else pl.lit(""),
            )
        )
        named = daily.select("account", "model_id").unique().sort("account", "model_id").with_row_index("series")
        placed = daily.join(named, on=["account", "model_id"])
        where = (placed["series"].to_numpy(), (placed["day"] - self.first).dt.total_days().to_numpy())
        is_seen = np.zeros((named.height, self.is_known.size), dtype=np.bool_)
        is_seen[where] = True
        is_there = np.logical_or.accumulate(is_seen, axis=1) & self.is_known
        sums: dict[str, Floats] = {}
        for name in columns:
            found = np.zeros(is_seen.shape)
            found[where] = placed[name].cast(pl.Float64).fill_null(0).to_numpy()
            sums[name] = np.where(is_there, found, np.nan)
        return tuple(named.select("account", "model_id").iter_rows()), sums

    def owners(self, named: tuple[tuple[str, str], ...], costs: pl.DataFrame) -> Floats:
        """What each series' owner pays for on each day."""
        keys = ("account",) if any(account for account, _ in named) else ()
        owners, sums = self.sums(costs, keys, ("cost_units",))
        row_of = {account: row for row, (account, _) in enumerate(owners)}
        paid = np.vstack([sums["cost_units"] / _UNITS, np.zeros((1, self.is_known.size))])
        return np.nan_to_num(paid[[row_of.get(account, len(owners)) for account, _ in named]])


def _token_costs(cost: Floats, tokens: Floats, priced: Floats) -> Floats:
    known = np.where(priced > 0, _ratio(cost, tokens), np.nan)
    newest = np.maximum.accumulate(np.where(tokens > 0, np.arange(tokens.shape[1]), 0), axis=1)
    return np.take_along_axis(known, newest, axis=1)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _pools(named: tuple[tuple[str, str], ...]) -> NDArray[np.int64]:
    """Series of one model vary alike."""
    models = {model: number for number, model in enumerate(sorted({model for _, model in named}))}
    return np.array([models[model] for _, model in named], dtype=np.int64)
