"""One row a token class, also where the bill has one line for all tokens of a model.

Such a line is split like the log: by the tokens of each class that were logged of the model on the days that the line
touches, at the price book's price of each (default region, lowest context band, the price at the day's start). Its
parts sum to it exactly; the tokens that it counts are split by tokens. Where the log has none of the model, or the book
lacks a price, the line stays whole and its class unknown.

Here belongs: that split. Here does not belong: lines whose class the bill names, who carries them.
"""

import polars as pl

from models.allocation_frame import split_groups
from models.focus_lines import MEASURES
from models.money import money_of, units_of
from models.price_lines import EVERYWHERE
from models.tokens import TOKEN_CLASSES, column_of, tokens_in
from models.usage_weights import logged_once

BILL, LOG = "bill", "log"
_MODEL = ["provider_id", "model_id"]
_PROVISIONED = "provisioned"
_COSTS = tuple(name for name in MEASURES if name != "consumed_quantity")


def by_class(lines: pl.DataFrame, usage: pl.DataFrame, price_book: pl.DataFrame) -> pl.DataFrame:
    """Lines with `token_class` wherever it is known, and `token_class_basis` (bill or log; NULL without a class).

    Args:
        lines: as of `models.focus_lines.focus_lines`, with provider_id, model_id and token_class in the price book's
            words.
        usage: frame in the shape of `usage_by_team_daily`.
        price_book: frame in the shape of `price_book`.
    """
    said = pl.when(pl.col("token_class").is_not_null()).then(pl.lit(BILL))
    known = lines.with_columns(token_class_basis=said).with_row_index("_line")
    wanted = known.filter(_is_for_all_tokens()).filter(_is_in_tokens("consumed_unit"))
    weights = _weights(wanted, usage, price_book)
    whole = known.join(weights.select("_line").unique(), on="_line", how="anti")
    split = _split(known.join(weights.rename({"token_class": "_class"}), on="_line"))
    return pl.concat([whole, split.select(whole.columns)]).sort("_line", "token_class", nulls_last=True).drop("_line")


def _is_for_all_tokens() -> pl.Expr:
    return (
        (pl.col("charge_category") == "Usage")
        & pl.col("model_id").is_not_null()
        & pl.col("token_class").is_null()
        & pl.col("commitment_discount_id").is_null()
        & (pl.col("x_service_tier").fill_null("") != _PROVISIONED)
        & (pl.col("x_purchase_option").fill_null("") != _PROVISIONED)
    )


def _is_in_tokens(unit: str) -> pl.Expr:
    """Whether the unit is one of tokens, or nobody says one."""
    of_tokens = pl.col(unit).map_elements(lambda word: tokens_in(word) is not None, return_dtype=pl.Boolean)
    return pl.col(unit).is_null() | of_tokens


def _weights(wanted: pl.DataFrame, usage: pl.DataFrame, price_book: pl.DataFrame) -> pl.DataFrame:
    """_line, token_class, `tokens` and `weight` (Int128, pico-dollars), of the lines whose every class has a price."""
    last = pl.max_horizontal("charge_period_start", pl.col("charge_period_end") - pl.duration(microseconds=1))
    days = pl.date_ranges(pl.col("charge_period_start").dt.date(), last.dt.date())
    asked = wanted.select("_line", *_MODEL, usage_date=days).explode("usage_date", empty_as_null=False)
    daily = asked.join(_priced(usage, price_book), on=["usage_date", *_MODEL])
    sums = daily.group_by("_line", "token_class").agg(
        pl.col("tokens").sum(), pl.col("weight").sum(), pl.col("weight").has_nulls().alias("_lacks")
    )
    lacking = sums.filter("_lacks").select("_line").unique()
    unweighed = sums.group_by("_line").agg(pl.col("weight").sum()).filter(pl.col("weight") <= 0).select("_line")
    left_out = pl.concat([lacking, unweighed]).unique()
    return sums.join(left_out, on="_line", how="anti").select("_line", "token_class", "tokens", "weight")


def _priced(usage: pl.DataFrame, price_book: pl.DataFrame) -> pl.DataFrame:
    """Logged tokens by day, model and class, and what they cost; NULL without a price."""
    bought = logged_once(usage).filter(~pl.col("is_self_hosted"))
    on = ["provider_id", "model_id", "service_tier"]
    prices = price_book.filter(pl.col("region_id") == EVERYWHERE, pl.col("input_tokens_from") == 0)
    frames: list[pl.DataFrame] = []
    for name in TOKEN_CLASSES:
        counted = bought.group_by("usage_date", *on).agg(pl.col(column_of(name)).sum().alias("tokens"))
        tokens = counted.filter(pl.col("tokens") > 0)
        units = pl.col(f"{name}_usd_per_token").to_physical().cast(pl.Int128)
        price = prices.select(*on, "valid_from", "valid_to", _price=units)
        midnight = pl.col("usage_date").cast(pl.Datetime("us"))
        held = tokens.join(price, on=on).filter(pl.col("valid_from") <= midnight, midnight < pl.col("valid_to"))
        priced = tokens.join(held.select("usage_date", *on, "_price"), on=["usage_date", *on], how="left")
        frames.append(
            priced.select(
                *("usage_date", "provider_id", "model_id", "tokens"),
                token_class=pl.lit(name),
                weight=pl.col("tokens").cast(pl.Int128) * pl.col("_price"),
            )
        )
    return pl.concat(frames)


def _split(parts: pl.DataFrame) -> pl.DataFrame:
    """The parts of lines, `_class` and weights beside each: costs by cost, tokens by tokens."""
    if parts.is_empty():
        return parts
    unknown = [pl.col(name).is_null().alias(f"_no_{name}") for name in MEASURES]
    units = parts.with_columns(
        *unknown,
        *(units_of(name).fill_null(0).cast(pl.Int128).alias(name) for name in MEASURES),
        tokens=pl.col("tokens").cast(pl.Int128),
    )
    costs = split_groups(units, _COSTS, group="_line", weight="weight", tie="_class")
    counted = split_groups(costs, ["consumed_quantity"], group="_line", weight="tokens", tie="_class")
    return counted.with_columns(
        *(pl.when(~pl.col(f"_no_{name}")).then(money_of(name)).alias(name) for name in MEASURES),
        token_class=pl.col("_class"),
        token_class_basis=pl.lit(LOG),
    )
