"""Which lines of a bill are for language models: those that say so, and those that can be for nothing else.

A line that names no model, class or tier is one of models if its provider, of whose models log or usage API speak,
bills nothing but AI; or if it counts tokens or nothing at all, and its service bills models on other lines.

Here belongs: telling lines of models from others. Here does not belong: what they cost.
"""

from collections.abc import Sequence

import polars as pl

from models.reconciliation_sides import Row
from models.tokens import tokens_in

_AI = "AI and Machine Learning"
_NAMES = ("model_id", "token_class", "service_tier")


def model_lines(charge_groups: pl.DataFrame, compared: Sequence[str]) -> pl.DataFrame:
    """The groups of lines that bill models.

    Args:
        charge_groups: the period's bill.
        compared: the bill's names of providers that log or usage API speak of.
    """
    names_one = pl.any_horizontal(pl.col(name).is_not_null() for name in _NAMES)
    units = charge_groups["consumed_unit"].unique().to_list()
    of_tokens = [unit for unit in units if unit is not None and tokens_in(unit) is not None]
    is_plain = pl.col("consumed_unit").is_null() | pl.col("consumed_unit").is_in(of_tokens)
    bills_models = names_one.any().over("provider_name", "service_name")
    is_all_ai = pl.col("provider_name").is_in(compared) & (pl.col("service_category") == _AI).fill_null(
        value=False
    ).all().over("provider_name")
    return charge_groups.filter(names_one | (bills_models & is_plain) | is_all_ai)


def is_nameless(row: Row) -> bool:
    """Whether a line names neither a model nor a class."""
    return row["model_id"] is None and row["token_class"] is None


def counts_tokens(row: Row) -> bool:
    """Whether a line's quantity is one of tokens."""
    return tokens_in(row["consumed_unit"] or "") is not None
