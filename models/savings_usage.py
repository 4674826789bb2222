"""The cells of `savings` that the log makes: what each kind of usage costs, and the share that each lever takes of it.

Signs of single attempts (failures, tests at night, repeats, jobs) are told by `avoidable_requests`; all other levers
take the same share of every attempt of a group: of one account, feature, provider and model.

Here belongs: which usage is whose cost, which lever takes what of it. Here does not belong: GPUs, commitments.
"""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from models.accounts import UNOWNED_USAGE, team_account
from models.cheaper_places import Group, Used, mean_prices, model_shares, place_shares, short, without_overlap
from models.savings_findings import Account, Findings, week_of
from models.shape_shares import PROMPT_CACHE, SHAPE_LEVERS, cached_saving, shape_shares
from models.tokens import TOKEN_CLASSES
from models.waterfall import Cell, money

PRICES_IN = "USD"
_SIGNS = ("is_failure", "is_night_test", "is_repeat", "is_job", "is_bunched_job", "has_batch_price")
_GROUP = ("account", "feature", "provider_id", "model_id")
_CELL = (*_GROUP, "week", "is_zombie")
_LEVER_OF_SIGN = {"is_failure": "failed_attempts", "is_night_test": "night_tests", "is_repeat": "exact_repeats"}
_ONE = Fraction(1)
Shares = Mapping[Group, Mapping[str, Fraction]]
Key = tuple[str, str, str, str, int, bool]


def find_usage(
    found: dict[Account, Findings],
    usage: pl.DataFrame,
    hourly: pl.DataFrame,
    avoidable: pl.DataFrame,
    shapes: pl.DataFrame,
) -> None:
    """Adds what a month's log has to `found`.

    Args:
        found: by account and currency, what was found so far.
        usage: the month's rows of `usage_by_team_daily`; own models cost GPUs instead, and are left out.
        hourly: those of `usage_hourly`: the prices.
        avoidable: those of `avoidable_requests`.
        shapes: those of `request_shapes`.
    """
    paid = _named(usage.filter(~pl.col("is_self_hosted")), "usage_date")
    shares = _group_shares(found, paid, hourly)
    signed = _named(avoidable, "usage_date")
    _add_shapes(found, _named(shapes, "usage_date"), _repeated(signed), shares)
    left = _costs(found, paid)
    _signed(found, signed, shares, left)
    for key, cost in left.items():
        taken = _taken(key, shares)
        if cost > 0 and taken:
            found[key[0], PRICES_IN].cells.append(Cell(_cluster(key), Fraction(cost), taken))


def _named(rows: pl.DataFrame, day: str) -> pl.DataFrame:
    """With account and week, and whether a key is nobody's."""
    return rows.with_columns(
        account=team_account(pl.col("team_id"), UNOWNED_USAGE),
        week=week_of(pl.col(day)),
        is_zombie=pl.col("team_id").is_null() & (pl.col("key_id") != ""),
    )


def _costs(found: dict[Account, Findings], paid: pl.DataFrame) -> dict[Key, Decimal]:
    """What each kind of usage costs without copies; told as basis, with what the gateway's cache already saves."""
    left: dict[Key, Decimal] = {}
    sums = paid.group_by(_CELL).agg(
        pl.len().alias("rows"), pl.col("priced_cost_usd", "duplicate_cost_usd", "avoided_cost_usd").drop_nulls()
    )
    for account, feature, provider, model, week, zombie, rows, priced, copied, avoided in sums.sort(_CELL).iter_rows():
        here = found[account, PRICES_IN]
        cost = sum(priced, Decimal(0)) - sum(copied, Decimal(0))
        left[account, feature, provider, model, week, zombie] = cost
        here.basis += cost
        for lever in ("cheaper_place", "cheaper_model", "model_review"):
            here.rows[lever] += rows
        here.rows["zombie_keys"] += rows if zombie else 0
        if avoided:
            saved = here.captured.get("exact_repeats", Decimal(0))
            here.captured["exact_repeats"] = saved + sum(avoided, Decimal(0))
    return left


def _group_shares(
    found: dict[Account, Findings], paid: pl.DataFrame, hourly: pl.DataFrame
) -> dict[Group, dict[str, Fraction]]:
    """The share that each lever takes of a group, and what was never compared with another model."""
    keys = [*_GROUP, "service_tier", "price_region_id"]
    sums = paid.with_columns(pl.col("price_region_id").fill_null("")).group_by(keys)
    used = [
        _used(row)
        for row in sums.agg(
            _once("request_count", "duplicate_count"),
            *map(_tokens, TOKEN_CLASSES),
        )
        .sort(keys)
        .iter_rows(named=True)
    ]
    prices = mean_prices(hourly)
    by_place, (by_model, alone) = place_shares(used, prices), model_shares(used, prices)
    by_model = without_overlap(used, prices, by_place, by_model)
    shares: dict[Group, dict[str, Fraction]] = defaultdict(dict)
    for lever, by_group in (("cheaper_place", by_place), ("cheaper_model", by_model)):
        for group, share in by_group.items():
            shares[group][lever] = share
    for account, saved in cached_saving(used, prices).items():
        found[account, PRICES_IN].captured[PROMPT_CACHE] = money(saved)
    costs = paid.group_by(_GROUP).agg(pl.col("priced_cost_usd", "duplicate_cost_usd").drop_nulls()).sort(_GROUP)
    for *group, priced, copied in costs.iter_rows():
        cost = sum(priced, Decimal(0)) - sum(copied, Decimal(0))
        if tuple(group) in alone and cost > 0:
            found[group[0], PRICES_IN].unproven["model_review"]["never_compared"] += cost
    return shares


def _repeated(avoidable: pl.DataFrame) -> dict[Group, Decimal]:
    """By group, what answered repeats cost."""
    repeats = avoidable.filter(pl.col("is_repeat") & ~pl.col("is_failure"))
    sums = repeats.group_by(_GROUP).agg(pl.col("priced_cost_usd"))
    return {(row[0], row[1], row[2], row[3]): sum(row[4], Decimal(0)) for row in sums.iter_rows()}


def _add_shapes(
    found: dict[Account, Findings],
    shapes: pl.DataFrame,
    repeated: Mapping[Group, Decimal],
    shares: dict[Group, dict[str, Fraction]],
) -> None:
    """The shares of shorter answers and prompts, and of the provider's cache; what has no price there is unproven."""
    by_group, unproven = shape_shares(shapes, repeated)
    for group, taken in by_group.items():
        shares[group] = shares.get(group, {}) | taken
    for group, cost in unproven.items():
        for reason, amount in cost.items():
            found[group[0], PRICES_IN].unproven[PROMPT_CACHE][reason] += amount
    for account, rows in shapes.group_by("account").len().iter_rows():
        for lever in (*SHAPE_LEVERS, PROMPT_CACHE):
            found[account, PRICES_IN].rows[lever] += rows


def _used(row: Mapping[str, Any]) -> Used:
    place = (row["provider_id"], row["model_id"], row["service_tier"], row["price_region_id"])
    tokens = {name: row[f"{name}_tokens"] for name in TOKEN_CLASSES}
    return Used(row["account"], row["feature"], place, row["request_count"], tokens)


def _tokens(name: str) -> pl.Expr:
    return _once(f"{name}_tokens", f"duplicate_{name}_tokens")


def _once(counted: str, copied: str) -> pl.Expr:
    return (pl.col(counted) - pl.col(copied).fill_null(0)).sum()


def _signed(found: dict[Account, Findings], avoidable: pl.DataFrame, shares: Shares, left: dict[Key, Decimal]) -> None:
    """Attempts with signs, as cells of their own; what is left of their kind of usage has none."""
    keys = [*_CELL, *_SIGNS]
    sums = avoidable.group_by(keys).agg(pl.len().alias("rows"), pl.col("priced_cost_usd", "batch_cost_usd").sum())
    for row in sums.sort(keys).iter_rows(named=True):
        key: Key = tuple(row[name] for name in _CELL)  # type: ignore[assignment]  # as many as there are names
        here = found[key[0], PRICES_IN]
        if key in left:
            left[key] -= row["priced_cost_usd"]
        taken = _taken(key, shares, is_answered=not row["is_failure"], is_repeat=row["is_repeat"]) | {
            lever: _ONE for sign, lever in _LEVER_OF_SIGN.items() if row[sign]
        }
        if row["is_job"] and (batch := _batch(here, row)):
            taken["batch"] = batch
        for sign, lever in (*_LEVER_OF_SIGN.items(), ("is_job", "batch")):
            here.rows[lever] += row["rows"] if row[sign] else 0
        if taken:
            here.cells.append(Cell(_cluster(key), Fraction(row["priced_cost_usd"]), taken))


def _batch(here: Findings, row: Mapping[str, Any]) -> Fraction:
    """The share that the batch tier saves of a job; none where nothing proves it, with the reason."""
    if not row["has_batch_price"]:
        here.unproven["batch"]["no_batch_price"] += row["priced_cost_usd"]
    elif not row["is_bunched_job"]:
        here.unproven["batch"]["spread_over_the_day"] += row["priced_cost_usd"]
    elif row["batch_cost_usd"] < row["priced_cost_usd"]:
        return short(1 - Fraction(row["batch_cost_usd"]) / Fraction(row["priced_cost_usd"]))
    return Fraction(0)


def _taken(key: Key, shares: Shares, *, is_answered: bool = True, is_repeat: bool = False) -> dict[str, Fraction]:
    """The shares of a kind of usage; what was not answered has no answer to shorten, and the replay leaves out both."""
    unfit = () if is_answered else tuple(SHAPE_LEVERS)
    unfit += () if is_answered and not is_repeat else (PROMPT_CACHE,)
    taken = {name: share for name, share in shares.get(key[:4], {}).items() if name not in unfit}
    return taken | {"zombie_keys": _ONE} if key[5] else taken


def _cluster(key: Key) -> str:
    return f"requests {key[1]} {key[4]}"
