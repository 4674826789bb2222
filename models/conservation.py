"""The proof that the ledger conserves money: every unit booked arrives once, and nothing rests on the way.

Here belongs: the balance of postings against the bill. Here does not belong: repairing it; a break stops the run.
"""

import polars as pl

from models.accounts import is_final
from models.frames import require
from models.money import check_range, money_of, units_of

_GROUP = ["charge_group_id", "billing_period", "billing_currency"]
_UNITS = ["billed_units", "effective_units"]


def check_conservation(charge_groups: pl.DataFrame, postings: pl.DataFrame) -> pl.DataFrame:
    """Where the postings and the bill differ, in any pico-unit. Empty: the ledger balances.

    Three sentences must hold for every charge group, and so for every period, currency and account: what step 1 books
    is what was billed; what enters an account in between (pool:) leaves it; what reaches the accounts where money rests
    (team:, residual:) is what was billed.

    Args:
        charge_groups: frame in the shape of `charge_groups`.
        postings: frame in the shape of `postings`.

    Returns:
        Columns rule (booked, passes_through, arrives), account (of passes_through, else empty), charge_group_id,
        billing_period, billing_currency, billed_difference, effective_difference (found minus expected).

    Raises:
        ValueError: a frame does not keep its contract. OverflowError: the amounts do not fit DECIMAL(38,12).
    """
    bill = _amounts(require(charge_groups, "charge_groups"), "")
    moves = _amounts(require(postings, "postings"), "from_account", "to_account", "step")
    booked = moves.filter((pl.col("step") == 1) & pl.col("from_account").str.starts_with("bill:"))
    arrived = moves.filter(is_final(pl.col("to_account")))
    left_again = moves.filter(is_final(pl.col("from_account")))
    expected = _negated(bill)
    entered = moves.with_columns(account="to_account")
    left = _negated(moves).with_columns(account="from_account")
    between = pl.concat([entered, left]).filter(~is_final(pl.col("account")))
    found = [
        _sums(pl.concat([booked, expected], how="diagonal"), "booked"),
        _sums(between.filter(~pl.col("account").str.starts_with("bill:")), "passes_through"),
        _sums(pl.concat([arrived, _negated(left_again), expected], how="diagonal"), "arrives"),
    ]
    money = [money_of(name).alias(f"{name.removesuffix('_units')}_difference") for name in _UNITS]
    return pl.concat(found).select("rule", "account", *_GROUP, *money).sort("rule", "account", *_GROUP)


def _amounts(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    kept = [name for name in columns if name]
    amounts = frame.select(
        *_GROUP, *kept, billed_units=units_of("billed_cost"), effective_units=units_of("effective_cost")
    )
    for name in _UNITS:
        check_range(amounts, name)
    return amounts


def _negated(amounts: pl.DataFrame) -> pl.DataFrame:
    return amounts.with_columns(pl.col(name) * -1 for name in _UNITS)  # 128-bit columns have no unary minus


def _sums(amounts: pl.DataFrame, rule: str) -> pl.DataFrame:
    if "account" not in amounts.columns:
        amounts = amounts.with_columns(account=pl.lit(""))
    sums = amounts.group_by("account", *_GROUP).agg(pl.col(name).sum() for name in _UNITS)
    return sums.filter(pl.any_horizontal(pl.col(name) != 0 for name in _UNITS)).with_columns(rule=pl.lit(rule))
