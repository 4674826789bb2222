"""How much of a charge's weight each team and feature carries, by what the token log says it used.

A charge for one token class of a model is weighed by the logged tokens of that class, in the service tier that it
names; at one price per class and tier this is their logged cost. A charge that names no class is weighed by logged
cost. Where the log knows nothing at that level the next wider one is asked; where it knows nothing at all there are no
shares, and the charge stays unallocated.

Here belongs: weights out of usage. Here does not belong: the split itself, prices.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from models.accounts import UNOWNED_USAGE, team_account
from models.money import to_scaled, units_of
from models.pools import Pool
from models.price_lines import with_fallbacks
from models.tokens import TOKEN_CLASSES, column_of

SHARE_KEY = ["to_account", "team_id", "feature"]
PROVISIONED = "provisioned"
CACHE_WRITES = ("cache_write_5m", "cache_write_1h")

CAPACITY_WEIGHTS = {
    name: 4 if name.startswith("output") else 0 if name == "cache_read" else 1 for name in TOKEN_CLASSES
}
"""How much of provisioned throughput a token takes, in tokens of input: cached input is deducted in full, and a token
of output counts four, as Azure has it for its GPT-4.1 models."""

_SPAN = ["first_day", "last_day"]


@dataclass(frozen=True)
class _Level:
    rule_id: str
    on: tuple[str, ...]


_CLASS, _MODEL = ("provider_id", "model_id", "token_class"), ("provider_id", "model_id")
_TIER = "service_tier"
_BY_CLASS = "priced_tokens:token_class"
_BY_MODEL = "priced_tokens:model"
_BY_READS = _Level("priced_tokens:cache_readers", _CLASS)
_BY_CAPACITY = (
    _Level("priced_tokens:provisioned_model", _MODEL),
    _Level("priced_tokens:provisioned", ("provider_id",)),
)
_BY_PROVIDER = _Level("priced_tokens:provider", ("provider_id",))


def logged_once(usage: pl.DataFrame) -> pl.DataFrame:
    """Usage in the shape of `usage_by_team_daily` less what is proven to be logged again: no share grows by a copy."""
    tokens = [column_of(name) for name in TOKEN_CLASSES]
    less = [pl.col(name) - pl.col(f"duplicate_{name}").fill_null(0) for name in tokens]
    cost = pl.col("priced_cost_usd") - pl.col("duplicate_cost_usd").fill_null(0)
    return usage.with_columns(*less, cost)


def api_shares(charges: pl.DataFrame, usage: pl.DataFrame, *, is_cache_pooled: bool = False) -> pl.DataFrame:
    """Shares of charges in what providers bill by model.

    Throughput that was bought by the hour is carried by those who were served from it, where the log knows the tier;
    what was billed by the token, also what spilled over, by all others. What a bill tells of one tier is carried by who
    used that tier, as far as the log knows anybody who did.

    Args:
        charges: columns charge_group_id, provider_id, model_id, token_class, service_tier (NULL: not told),
            is_throughput, first_day, last_day (both included).
        usage: frame in the shape of `usage_by_team_daily`.
        is_cache_pooled: whether those who read prompt caches of a model carry what was written into them.

    Returns:
        charge_group_id, rule_id, to_account, team_id, feature, weight (Int128, above zero).
    """
    bought = usage.filter(~pl.col("is_self_hosted")).with_columns(_owner_columns())
    is_provisioned = pl.col("service_tier") == PROVISIONED
    served, metered = bought.filter(is_provisioned), bought.filter(~is_provisioned)
    keys = [*_CLASS, _TIER, "is_throughput", *_SPAN]
    wanted = charges.select(keys).unique(maintain_order=True).with_row_index("_wanted")
    rest = wanted
    shares: list[pl.DataFrame] = []
    is_throughput = pl.col("is_throughput")
    tokens, costs = tokens_by_class(metered), _costs(metered)
    levels = [
        *((level, _capacity(served), is_throughput) for level in _BY_CAPACITY),
        *([(_BY_READS, _reads_of_writes(metered), ~is_throughput)] if is_cache_pooled else []),
        *((level, tokens, asks) for level, asks in _of_tiers(_BY_CLASS, _CLASS)),
        *((level, costs, asks) for level, asks in _of_tiers(_BY_MODEL, _MODEL)),
        (_BY_PROVIDER, costs, pl.lit(value=True)),
    ]
    for level, weighed, asks in levels:
        found = _shares_at(rest.filter(asks), weighed, level.on).with_columns(rule_id=pl.lit(level.rule_id))
        shares.append(found)
        rest = rest.join(found.select("_wanted").unique(), on="_wanted", how="anti")
    named = charges.select("charge_group_id", *keys).join(wanted, on=keys, nulls_equal=True)
    found = named.join(pl.concat(shares), on="_wanted")
    return found.select("charge_group_id", "rule_id", *SHARE_KEY, "weight")


def _of_tiers(rule_id: str, on: tuple[str, ...]) -> Iterator[tuple[_Level, pl.Expr]]:
    """By the tier that a charge names; by all tiers where it names none; and where the log has none of that tier."""
    is_told = pl.col(_TIER).is_not_null()
    yield _Level(rule_id, (*on, _TIER)), is_told
    yield _Level(rule_id, on), ~is_told
    yield _Level(f"{rule_id}_of_any_tier", on), is_told


def pool_shares(spans: pl.DataFrame, usage: pl.DataFrame, pools: Sequence[Pool]) -> pl.DataFrame:
    """Shares of the users of shared deployments, over spans of days.

    Args:
        spans: columns pool_id, first_day, last_day (both included), without repetition.
        usage: frame in the shape of `usage_by_team_daily`; only self-hosted usage counts.
        pools: the pools; a pool without usage in a span has no shares there.

    Returns:
        pool_id, first_day, last_day, model_id, to_account, team_id, feature, weight (Int128, above zero).

    Raises:
        ValueError: a weight is negative or of an unknown class, or tokens were used whose class has no weight.
    """
    hosted = usage.filter("is_self_hosted").with_columns(_owner_columns())
    weighed = [_pool_weights(pool, hosted) for pool in pools]
    if not weighed:
        weighed = [_pool_weights(Pool("", "", {}), hosted.clear())]
    wanted = spans.with_row_index("_wanted")
    found = _shares_at(wanted, pl.concat(weighed), ("pool_id",))
    models = pl.DataFrame(
        [(pool.pool_id, pool.model_id) for pool in pools],
        schema={"pool_id": pl.String, "model_id": pl.String},
        orient="row",
    )
    named = wanted.join(found, on="_wanted").join(models, on="pool_id")
    return named.select("pool_id", *_SPAN, "model_id", *SHARE_KEY, "weight")


def team_costs(spans: pl.DataFrame, usage: pl.DataFrame) -> pl.DataFrame:
    """Shares of teams by what their requests cost at the price book, over spans of days.

    Args:
        spans: columns pool_id, first_day, last_day (both included), without repetition.
        usage: frame in the shape of `usage_by_team_daily`; what has no price, or no team, weighs nothing.

    Returns:
        pool_id, first_day, last_day, to_account, team_id, feature (NULL), weight (Int128, above zero).
    """
    owned = usage.filter(pl.col("team_id").is_not_null()).with_columns(_owner_columns())
    everywhere = _costs(owned).with_columns(feature=pl.lit(None, pl.String))
    wanted = spans.with_row_index("_wanted")
    named = wanted.join(_shares_at(wanted, everywhere, ()), on="_wanted")
    return named.select("pool_id", *_SPAN, *SHARE_KEY, "weight")


def _owner_columns() -> list[pl.Expr]:
    feature = pl.col("feature")
    return [
        team_account(pl.col("team_id"), UNOWNED_USAGE).alias("to_account"),
        pl.when(feature != "").then(feature).alias("feature"),
    ]


def _shares_at(wanted: pl.DataFrame, weighed: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    days = pl.date_ranges("first_day", "last_day").alias("usage_date")
    asked = wanted.select("_wanted", *on, days).explode("usage_date", empty_as_null=False)
    daily = weighed.group_by("usage_date", *on, *SHARE_KEY).agg(pl.col("weight").sum())
    found = asked.join(daily, on=["usage_date", *on]).group_by("_wanted", *SHARE_KEY).agg(pl.col("weight").sum())
    return found.filter(pl.col("weight") > 0)


def tokens_by_class(usage: pl.DataFrame) -> pl.DataFrame:
    """The tokens of each class as weights, a row for each row of usage and class, with the columns of `SHARE_KEY`."""
    columns = {column_of(name): name for name in TOKEN_CLASSES}
    index = ["usage_date", *_MODEL, _TIER, *SHARE_KEY]
    long = usage.select(*index, *columns).unpivot(
        on=list(columns),
        index=index,
        variable_name="token_class",
        value_name="weight",
    )
    classed = long.with_columns(pl.col("token_class").replace_strict(columns), pl.col("weight").cast(pl.Int128))
    # Providers bill reasoning as output; a line of their own still finds the reasoning tokens alone.
    reasoning = classed.filter(pl.col("token_class") == "output_reasoning")
    return pl.concat([classed, reasoning.with_columns(token_class=pl.lit("output_text"))])


def _reads_of_writes(usage: pl.DataFrame) -> pl.DataFrame:
    """The tokens read from caches, as weights of each class of writes into them."""
    read = tokens_by_class(usage).filter(pl.col("token_class") == "cache_read")
    return pl.concat([read.with_columns(token_class=pl.lit(name)) for name in CACHE_WRITES])


def _capacity(usage: pl.DataFrame) -> pl.DataFrame:
    """What requests took of throughput, in tokens of input."""
    taken = [pl.col(column_of(name)).cast(pl.Int128) * weight for name, weight in CAPACITY_WEIGHTS.items()]
    return usage.select("usage_date", "provider_id", "model_id", *SHARE_KEY, weight=pl.sum_horizontal(taken))


def _costs(usage: pl.DataFrame) -> pl.DataFrame:
    known = usage.filter(pl.col("priced_cost_usd").is_not_null())
    return known.select("usage_date", *_MODEL, _TIER, *SHARE_KEY, weight=units_of("priced_cost_usd"))


def _pool_weights(pool: Pool, hosted: pl.DataFrame) -> pl.DataFrame:
    used = hosted.filter(pl.col("model_id") == pool.model_id)
    weights = whole_weights(pool)
    for name in TOKEN_CLASSES:
        if name not in weights and used[column_of(name)].sum():
            raise ValueError(
                f"pool {pool.pool_id}: {used[column_of(name)].sum()} tokens of class {name} were used, "
                f"but the class has no weight; found weights of {', '.join(pool.token_weights) or 'no class'}: add it"
            )
    weighed = [pl.col(column_of(name)).cast(pl.Int128) * weight for name, weight in weights.items()]
    total = pl.sum_horizontal(weighed) if weighed else pl.lit(0)
    return used.select("usage_date", *SHARE_KEY, pool_id=pl.lit(pool.pool_id), weight=total.cast(pl.Int128))


def whole_weights(pool: Pool) -> dict[str, int]:
    """The weights as whole numbers in the same proportions."""
    for name, weight in pool.token_weights.items():
        if name not in TOKEN_CLASSES or weight < 0:
            expected = f"expected weights >= 0 of {', '.join(TOKEN_CLASSES)}"
            raise ValueError(f"pool {pool.pool_id}: weight {weight} of {name}; {expected}")
    places = max((-int(weight.as_tuple().exponent) for weight in pool.token_weights.values()), default=0)
    scale = max(places, 0)
    whole = {name: to_scaled(weight, digits=38, scale=scale) for name, weight in pool.token_weights.items()}
    return {name: weight for name, weight, _ in with_fallbacks(whole)}
