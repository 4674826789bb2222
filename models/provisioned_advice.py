"""How many units of provisioned throughput to hold: a month's minutes of each model and region, at the lists' prices.

The number is the one at which the minutes would have cost least (`provisioned`), for every way in which lists sell a
unit: how far its deployment reaches, by the hour or reserved. It is held against the units that are deployed, bought in
the same way, so that what is saved is saved by the number alone. How sure that is, days tell: months are drawn from the
month's days, and what is saved in all but a tenth of them is the figure to go by.

Here belongs: which minutes meet which price, what is saved, why nothing is advised. Here does not belong: the number
itself (`provisioned`), what a unit serves, reading the log.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import polars as pl

from models.commitment_level import is_falling
from models.dollar_rates import UsdRates
from models.frames import conform, require, schema_of
from models.mean_month import MONTH_HOURS
from models.money import money, nearest_double
from models.provisioned import Demand, UnitTerms, best_units, demand_of, units_cost
from models.provisioned_minutes import DAY_MINUTES, DayMinutes, Model
from models.provisioned_offers import UnitOffer, unit_offers, unrated

TABLE = "provisioned_advice"
PROVISIONED_RULES = "5"
"""Changes when the same minutes, prices and deployments would give other advice."""

PROVIDER_ID, PROVIDER_NAME = "azure", "Microsoft"  # what units of other providers serve is not known
FEWEST_DAYS = 7
FEWEST_DAYS_OF_TERM = 30  # all of a shorter month: for what is bound, as what is paid by the hour can be given back
WHOLE_MONTH_DAYS = 28
_DRAWS, _SEED = 1_000, 20261101

_BOUGHT = ("scope", "purchase_option", "term_months")

Days = Mapping[date, Mapping[Model, DayMinutes]]
Terms = Mapping[str, Mapping[str, UnitTerms]]
Row = dict[str, object]


@dataclass(frozen=True)
class _Month:
    """A model's month in a region: minutes by day, one for each day that the log told of; units that are deployed."""

    days: Sequence[DayMinutes | None]
    units: int | None
    length: int

    @property
    def found(self) -> list[DayMinutes]:
        return [day for day in self.days if day is not None]

    def demands(self, terms: UnitTerms) -> list[Demand]:
        none = np.empty((0, 3), dtype=np.int64)
        return [demand_of(terms, none if day is None else day.counts, DAY_MINUTES) for day in self.days]

    def token_cost(self, terms: UnitTerms) -> Fraction | None:
        """What a weighted token cost on the standard tier; None where none has a price, or all were cached."""
        tokens = demand_of(terms, [day.priced for day in self.found], len(self.found)).tokens
        return sum((Fraction(day.cost) for day in self.found), Fraction(0)) / tokens if tokens else None


def provisioned_advice(
    days: Days,
    deployments: pl.DataFrame,
    prices: pl.DataFrame,
    billing_period: date,
    terms: Terms,
    usd_rates: UsdRates = MappingProxyType({}),
) -> pl.DataFrame:
    """Advice for every model and region of a month, in the shape of `provisioned_advice`.

    Args:
        days: the month's days that the log told of, each with its minutes (`day_minutes`), those without any included.
        deployments: the month's rows of `provisioned_deployments`.
        prices: rows of `provisioned_prices`; the newest day counts.
        billing_period: first day of the month.
        terms: what a unit serves, by reach of the deployment and model.
        usd_rates: dollars for a unit of other currencies, for lists that are in one.

    Raises:
        ValueError: a frame does not keep its contract.
    """
    listed = require(prices, "provisioned_prices")
    offers = unit_offers(listed, PROVIDER_NAME, usd_rates)
    unsold = "no_exchange_rate" if unrated(listed, PROVIDER_NAME, usd_rates) else "no_unit_price"
    logged = {model for day in days.values() for model in day}
    held = _held(require(deployments, "provisioned_deployments"), logged)
    blank = {**dict.fromkeys(schema_of(TABLE)), "scope": "", "purchase_option": "", "term_months": 0}
    known = sorted(days)
    length = monthrange(billing_period.year, billing_period.month)[1]
    rows: list[Row] = []
    for model in sorted(logged | held.keys()):
        month = _Month([days[day].get(model) for day in known], _units(model, held, days), length)
        about = {
            "billing_period": billing_period,
            "provider_id": PROVIDER_ID,
            "model_id": model[0],
            "region_id": model[1],
            "first_day": known[0] if known else None,
            "last_day": known[-1] if known else None,
            "day_count": len(known),
            "unpriced_tokens": sum(day.unpriced_tokens for day in month.found),
            "unmetered_attempts": sum(day.unmetered_attempts for day in month.found),
            "current_units": month.units,
        }
        rows += ({**blank, **about, **advised} for advised in _advised(model, month, offers, terms, unsold))
    return conform(pl.DataFrame(rows, schema=schema_of(TABLE)), TABLE)


def _held(deployments: pl.DataFrame, logged: set[Model]) -> dict[Model, int | None]:
    """Units that are deployed, by the minutes that they may serve: None where one does not say its units."""
    found: dict[Model, int | None] = {}
    mine = deployments.filter(pl.col("provider_name") == PROVIDER_NAME, pl.col("model").is_not_null())
    # units that several accounts pay for stand once for each
    for row in mine.sort("deployment_id").unique("deployment_id", maintain_order=True).iter_rows(named=True):
        name, region = row["model"].lower(), row["region_id"] or ""
        model = (name, "") if (name, region) not in logged and (name, "") in logged else (name, region)
        units, before = row["provisioned_units"], found.get(model, 0)
        found[model] = None if units is None or before is None or units % 1 else before + int(units)
    return found


def _units(model: Model, held: Mapping[Model, int | None], days: Days) -> int | None:
    """Units of a model in a region; None where traffic was served by some that nobody describes."""
    if model in held:
        return held[model]
    return None if any(day[model].has_units for day in days.values() if model in day) else 0


def _advised(model: Model, month: _Month, offers: Sequence[UnitOffer], terms: Terms, unsold: str) -> Iterator[Row]:
    """A row for each way of buying, or one that says why there is none; `unsold` where no list sells a unit."""
    name, region = model
    served = next((of_scope[name] for of_scope in terms.values() if name in of_scope), None)
    if served is None:
        yield {"reason": "no_terms"}
        return
    parts = np.concatenate([np.empty(0, dtype=np.int64), *(demand.parts for demand in month.demands(served))])
    if not parts.size:
        yield {"reason": "no_traffic"}
        return
    demand = Demand(served, parts, len(month.days) * DAY_MINUTES)
    token_cost = month.token_cost(served)
    facts: Row = {
        "mean_tokens_per_minute": nearest_double(demand.tokens / demand.minutes),
        "peak_tokens_per_minute": nearest_double(Fraction(int(parts.max()), served.scale)),
        "weighted_usd_per_mtok": None if token_cost is None else money(token_cost * 10**6),
    }
    sold = [offer for offer in offers if name in terms[offer.scope] and offer.is_sold_in(region)]
    if len(month.days) < FEWEST_DAYS:
        yield facts | {"reason": "short_log"}
    elif token_cost is None:
        is_by_token = any(day.is_by_token for day in month.found)
        yield facts | {"reason": "no_token_price" if is_by_token else "only_on_units"}
    elif not sold:
        yield facts | {"reason": unsold}
    else:
        for offer in sold:
            price = offer.price_in(region)
            figures: Row = {"reason": "unknown_region"}
            if price is not None:
                figures = _figures(month, terms[offer.scope][name], price, token_cost, offer.term_months)
            bought = (offer.scope, offer.purchase_option, offer.term_months)
            yield facts | dict(zip(_BOUGHT, bought, strict=True)) | figures


def _figures(month: _Month, terms: UnitTerms, unit_price: Fraction, token_cost: Fraction, term_months: int) -> Row:
    """The number at which the minutes cost least, what it saves, and why it is not advised, if it is not."""
    days = month.demands(terms)
    demand = Demand(terms, np.concatenate([day.parts for day in days]), len(days) * DAY_MINUTES)
    best = best_units(demand, unit_price, token_cost)
    of_month = Fraction(MONTH_HOURS, len(days) * 24)

    def cost(units: int) -> Decimal:
        return money(units_cost(demand, units, unit_price, token_cost) * of_month)

    found: Row = {
        "unit_price": money(unit_price),
        "best_units": best,
        "token_monthly_cost": cost(0),
        "best_monthly_cost": cost(best),
        "best_spill_ratio": nearest_double(demand.spill(best) / demand.tokens),
    }
    held = month.units
    if held is None:
        return found | {"reason": "unknown_units"}
    saved = [
        units_cost(day, held, unit_price, token_cost) - units_cost(day, best, unit_price, token_cost) for day in days
    ]
    surely = _tenth([nearest_double(saving * of_month) for saving in saved])
    is_whole = len(days) >= WHOLE_MONTH_DAYS and not any(
        day.unpriced_tokens or day.unmetered_attempts for day in month.found
    )
    found |= {
        "current_monthly_cost": cost(held),
        "current_spill_ratio": nearest_double(demand.spill(held) / demand.tokens),
        "monthly_saving": money(sum(saved, Fraction(0)) * of_month),
        "saving_p10": surely,
        "confidence": "B" if is_whole else "C",
    }
    if best == held or surely <= 0 or sum(saved) <= 0:
        return found | {"reason": "no_saving"}
    if term_months and len(days) < min(FEWEST_DAYS_OF_TERM, month.length):
        return found | {"reason": "short_history"}
    if term_months and is_falling([int(day.parts.sum()) for day in days]):
        return found | {"reason": "falling_use"}
    return found | {"advised_units": best}


def _tenth(saved: Sequence[float]) -> Decimal:
    """What is saved in all but a tenth of the months drawn from these days, each with its saving in US dollars."""
    days = np.array(saved)
    drawn = np.random.default_rng(_SEED).choice(days, (_DRAWS, days.size)).sum(axis=1)
    return Decimal(f"{np.quantile(drawn, 0.1):.6f}")
