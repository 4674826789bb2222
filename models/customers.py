"""The last level of the hierarchy: what each team owes, split to the customers and users whom its calls served.

What `chargeback` has of a team for a model is split in proportion to the priced cost of the team's calls of that model,
for that feature, in the charge's month and while the team stood where the charge has it: by largest remainder, first
between customers, then between a customer's users. Nothing is known of a customer but the keyed hash that the log has.
Where nothing was called at that level the next wider one is asked:

1. feature, model and place in the company, 2. feature and model,
3. the model alone, where the charge tells no feature, 4. the feature alone, where it tells no model,
5. everything of that provider, where it tells neither; each of these first in the charge's place, then anywhere.

What is named by no call keeps a line of its own with the reason (`naming`), so every team's rows sum to its chargeback.

Here belongs: that split, and the proof. Here does not belong: whose team a call is (`usage_by_team_daily`), the ledger.
"""

from collections.abc import Sequence

import polars as pl

from models.allocation_frame import split_tree
from models.frames import conform, require
from models.money import check_range, money_of, units_of

TABLE = "chargeback_by_customer"
CUSTOMER_RULES = "3"
"""Version of the rules below: another version may split the same chargeback differently."""

CALLS_AT_ONCE = 250_000
"""Rows of calls that are weighed at once: what they need beside the calls themselves stays below a GiB."""
_PLACE = ["organisation", "business_unit", "cost_centre"]
_LINE = [
    *("billing_period", "account", "team_id", *_PLACE, "product", "feature"),
    *("billing_currency", "reporting_currency", "corrected_period"),
]
_WHO = ["naming", "customer_hash", "user_hash"]
_BOUGHT = ["provider_name", "model_id", "route", "month", "is_of_all"]
_MONEY = {
    name: f"{name}_units"
    for name in ("effective_cost", "billed_cost", "reporting_effective_cost", "reporting_billed_cost")
}
_UNITS = list(_MONEY.values())
_ASKED = ["month", "team_id", "served_by"]
_API, _OWN = "api", "self_hosted"
_ROUTES = {"api": _API, "gpu": _OWN}


def chargeback_by_customer(
    *, chargeback: pl.DataFrame, usage: pl.DataFrame, hierarchy: pl.DataFrame, providers: pl.DataFrame
) -> pl.DataFrame:
    """One or several months' rows of `chargeback_by_customer`, ordered by its key.

    Args:
        chargeback: frame in the shape of `chargeback`; only what teams carry is split.
        usage: columns of `usage_by_user_daily`: usage_date, team_id, feature, is_self_hosted, provider_id, model_id,
            customer_hash, user_hash, priced_cost_usd. Every month in which a charge starts should be there.
        hierarchy: frame in the shape of `team_hierarchy`.
        providers: columns provider_name (as billed), provider_id (as in usage), without repetition.

    Raises:
        ValueError: a frame does not keep its contract.
        OverflowError: the amounts sum to more than DECIMAL(38,12) holds.
    """
    owed = _owed(require(chargeback, "chargeback"))
    placed = require(hierarchy, "team_hierarchy")
    # nobody's calls weigh in another team's split, and a month may have ten million of them
    pieces = [
        _split_and_rest(own, _shares(own, providers, _weights(usage.join(teams, on="team_id", how="semi"), placed)))
        for teams in _batches(owed, usage)
        if not (own := owed.join(teams, on="team_id", how="semi", maintain_order="left")).is_empty()
    ]
    none = owed.clear().with_columns(pl.lit("").alias(name) for name in _WHO).select(*_LINE, *_WHO, *_UNITS)
    rows = pl.concat([none, *pieces])
    money = [money_of(units).alias(name) for name, units in _MONEY.items()]
    return conform(rows.sort(*_LINE, *_WHO).with_columns(money), TABLE)


def _batches(owed: pl.DataFrame, usage: pl.DataFrame) -> list[pl.DataFrame]:
    """Teams with as many rows of calls together as are held at once; one that has more is a batch by itself."""
    counted = usage.group_by("team_id").agg(calls=pl.len().cast(pl.Int64))
    teams = owed.select("team_id").unique().join(counted, on="team_id", how="left").sort("team_id")
    batches, together = list[int](), 0
    for calls in teams["calls"].fill_null(0):
        is_full = bool(batches) and together + calls > CALLS_AT_ONCE
        batches.append(batches[-1] + is_full if batches else 0)
        together = calls if is_full else together + calls
    return teams.with_columns(batch=pl.Series(batches, dtype=pl.Int64)).partition_by("batch", maintain_order=True)


def _split_and_rest(owed: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """A team's lines by whom its calls served, and what no call names."""
    rest = owed.join(shares.select("_owed").unique(), on="_owed", how="anti")
    is_by_call = pl.col("route").is_not_null()
    unnamed = rest.with_columns(
        naming=pl.when(is_by_call).then(pl.lit("no_priced_calls")).otherwise(pl.lit("not_by_call")),
        customer_hash=pl.lit(""),
        user_hash=pl.lit(""),
    )
    rows = pl.concat([frame.select(*_LINE, *_WHO, *_UNITS) for frame in (_split(owed, shares), unnamed)])
    return rows.group_by(*_LINE, *_WHO).agg(_sum(name) for name in _UNITS)


def not_chargeback(chargeback: pl.DataFrame, by_customer: pl.DataFrame) -> pl.DataFrame:
    """Where the split and the chargeback of teams differ, in any pico-unit. Empty: every team foots.

    Args:
        chargeback: frame in the shape of `chargeback`, of the months that `by_customer` has.
        by_customer: frame in the shape of `chargeback_by_customer`.

    Returns:
        The columns of a line (month, team, place, product, feature, currencies, month corrected), and by how much the
        split is above: effective_difference, billed_difference and both in the statements' currency.
    """
    owed = _lines(require(chargeback, "chargeback").filter(pl.col("team_id").is_not_null()), sign=-1)
    split = _lines(require(by_customer, TABLE), sign=1)
    is_unknown = [f"_no_{name}" for name in _UNITS]
    # what has no rate is unknown on both sides, or on neither
    both = (
        pl.concat([owed, split])
        .group_by(_LINE)
        .agg(pl.col(_UNITS).sum(), _is_odd=pl.any_horizontal(pl.col(name).n_unique() > 1 for name in is_unknown))
    )
    broken = both.filter(pl.any_horizontal(pl.col(_UNITS) != 0) | pl.col("_is_odd"))
    money = [money_of(units).alias(name.replace("cost", "difference")) for name, units in _MONEY.items()]
    return broken.select(*_LINE, *money).sort(_LINE)


def _lines(rows: pl.DataFrame, sign: int) -> pl.DataFrame:
    """Each line's amounts, times `sign`, and whether some of it is unknown."""
    unknown = [pl.col(name).is_null().any().alias(f"_no_{name}") for name in _UNITS]
    return _in_units(rows).group_by(_LINE).agg(*(pl.col(name).sum() * sign for name in _UNITS), *unknown)


def _owed(chargeback: pl.DataFrame) -> pl.DataFrame:
    """What teams owe, by line and by what was bought, in units: one row for each split. `route` NULL: not by call."""
    teams = _in_units(chargeback.filter(pl.col("team_id").is_not_null()))
    serves = (pl.col("cost_kind") == "api") | ((pl.col("cost_kind") == "gpu") & (pl.col("model_id") != ""))
    route = pl.when(serves).then(pl.col("cost_kind").replace_strict(_ROUTES, default=None, return_dtype=pl.String))
    named = teams.with_columns(
        route=route,
        month=pl.col("charge_date").dt.month_start(),
        # empty is a feature of the log's where the log told it; elsewhere it is whatever the team does
        is_of_all=(pl.col("feature") == "") & ~_is_told(),
    )
    sums = named.group_by(*_LINE, *_BOUGHT).agg(_sum(name) for name in _UNITS)
    return sums.sort(*_LINE, *_BOUGHT).with_row_index("_owed")


def _is_told() -> pl.Expr:
    """Whether the log told the feature; a month that was locked before chargeback knew it tells by its rules."""
    return pl.col("is_feature_told").fill_null(pl.col("rule_kind") == "priced_tokens")


def _in_units(rows: pl.DataFrame) -> pl.DataFrame:
    found = rows.with_columns(units_of(name).alias(units) for name, units in _MONEY.items())
    for units in _UNITS:
        check_range(found.with_columns(pl.col(units).fill_null(0)), units)
    return found


def _sum(name: str) -> pl.Expr:
    """A sum that is unknown where one of its parts is."""
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)


def _weights(usage: pl.DataFrame, hierarchy: pl.DataFrame) -> pl.DataFrame:
    """What customers' calls cost at the price book, by month, team, place, feature, provider and model."""
    known = usage.filter(pl.col("team_id") != "", pl.col("priced_cost_usd") > 0)
    days = known.select("team_id", "usage_date").unique().join(hierarchy, on="team_id", how="left")
    is_valid = (pl.col("usage_date") >= pl.col("valid_from")) & (pl.col("usage_date") < pl.col("valid_to"))
    placed = known.join(
        days.filter(is_valid).select("team_id", "usage_date", *_PLACE), on=["team_id", "usage_date"], how="left"
    )
    named = placed.with_columns(
        month=pl.col("usage_date").dt.month_start(),
        served_by=pl.when("is_self_hosted").then(pl.lit(_OWN)).otherwise("provider_id"),
        weight=units_of("priced_cost_usd"),
    )
    key = [*_ASKED, *_PLACE, "feature", "model_id", "customer_hash", "user_hash"]
    return named.group_by(key).agg(pl.col("weight").sum())


def _levels() -> list[tuple[Sequence[str], pl.Expr]]:
    """What calls are asked by, from the narrowest on, and of which charges."""
    is_of_all, no_model = pl.col("is_of_all"), pl.col("model_id") == ""
    return [
        (("feature", "model_id", *_PLACE), ~is_of_all & ~no_model),
        (("feature", "model_id"), ~is_of_all & ~no_model),
        (("model_id", *_PLACE), is_of_all & ~no_model),
        (("model_id",), is_of_all & ~no_model),
        (("feature", *_PLACE), ~is_of_all & no_model),
        (("feature",), ~is_of_all & no_model),
        (_PLACE, is_of_all & no_model),
        ((), is_of_all & no_model),
    ]


def _shares(owed: pl.DataFrame, providers: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """Columns _owed, customer_hash, user_hash, weight (above zero) of all that calls are known of."""
    api = owed.filter(pl.col("route") == _API).join(providers, on="provider_name").rename({"provider_id": "served_by"})
    own = owed.filter(pl.col("route") == _OWN).with_columns(served_by=pl.lit(_OWN))
    rest = pl.concat(
        [frame.select("_owed", *_ASKED, *_PLACE, "feature", "model_id", "is_of_all") for frame in (api, own)]
    )
    found: list[pl.DataFrame] = []
    for on, asks in _levels():
        by = [*_ASKED, *on]
        summed = weights.group_by(*by, "customer_hash", "user_hash").agg(pl.col("weight").sum())
        met = rest.filter(asks).join(summed, on=by, nulls_equal=True)
        found.append(met.group_by("_owed", "customer_hash", "user_hash").agg(pl.col("weight").sum()))
        rest = rest.join(found[-1].select("_owed").unique(), on="_owed", how="anti")
    return pl.concat(found)


def _split(owed: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """Every amount over those who share it, customer by customer, then user by user."""
    wide = shares.join(owed, on="_owed").with_columns(
        *(pl.col(name).is_null().alias(f"_no_{name}") for name in _UNITS),
        *(pl.col(name).fill_null(0) for name in _UNITS),
    )
    parts = split_tree(wide, _UNITS, group="_owed", levels=["customer_hash"], weight="weight", tie="user_hash")
    naming = (
        pl.when(pl.col("customer_hash") != "")
        .then(pl.lit("customer"))
        .when(pl.col("user_hash") != "")
        .then(pl.lit("user"))
        .otherwise(pl.lit("unnamed_calls"))
    )
    return parts.with_columns(
        *(pl.when(~pl.col(f"_no_{name}")).then(name).alias(name) for name in _UNITS), naming=naming
    )
