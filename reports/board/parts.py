"""The large parts of a month, packed: its lines, its GPU days and hours, and why it moved.

Here belongs: which columns of a mart a part has, and that nothing is lost on the way into it.
Here does not belong: bytes (pack), small tables (facts).
"""

from collections.abc import Mapping

import polars as pl

from reports.board.given import BoardMonth
from reports.board.pack import Packed, Words
from reports.given import StatementError
from reports.money import exact_sum

_LINE_WORDS = {
    "account": "account",
    "unit": "business_unit",
    "provider": "provider_name",
    "service": "service_name",
    "model": "model_id",
    "feature": "feature",
    "product": "product",
    "ledger": "ledger_account",
    "kind": "cost_kind",
    "rule": "rule_kind",
    "settled": "period_state",
    "currency": "billing_currency",
    "corrects": "corrected_period",
    "cause": "cause",
    "day": "charge_date",
}
"""Columns of `chargeback` that are told by dictionary, by their name on the page. Days repeat least: last."""
_GPU_WORDS = {
    "cluster": "cluster",
    "gpu": "gpu_model_name",
    "account": "account",
    "bought": "purchase_option",
    "state": "told_as",
    "currency": "billing_currency",
    "day": "charge_date",
}
_HOUR_WORDS = {"cluster": "cluster", "state": "told_as", "currency": "billing_currency", "day": "usage_date"}
_WHY_WORDS = {"account": "account", "currency": "billing_currency", "factor": "factor", "model": "model_id"}
STANDBY = "warm_standby"


def lines_part(month: BoardMonth, words: Words) -> Packed:
    """Every row of the month's chargeback: `cost` in the board's currency, `own` in the bill's where that is another.

    `billed` is what the invoice asks for beyond the effective cost, `own_billed` the same in that other currency.
    `known` is 0 where no exchange rate is known, so that the row is in no sum. Raises StatementError when the rows do
    not add up to the month's total.
    """
    rows = _texts(month.chargeback, _LINE_WORDS).sort(*_LINE_WORDS.values(), "effective_cost")
    cost, own = rows["reporting_effective_cost"], rows["effective_cost"]
    _require_total(month, cost)
    is_foreign = rows["billing_currency"] != month.shared.currency
    packed = _coded(rows, _LINE_WORDS, words)
    packed.add_codes("known", cost.is_not_null().cast(pl.UInt32).to_numpy())
    packed.add_money("cost", cost)
    packed.add_money("own", own.zip_with(is_foreign, own * 0))
    packed.add_money("billed", rows["reporting_billed_cost"] - cost)
    packed.add_money("own_billed", (rows["billed_cost"] - own).zip_with(is_foreign, own * 0))
    return packed


def gpu_part(month: BoardMonth, words: Words) -> Packed:
    """The month's `gpu_waste` by day, cluster, GPU, account, way of buying and state, in the bill's currency."""
    sums = ["effective_cost", "under_used_cost", "gpu_seconds", "observed_seconds", "assumed_seconds"]
    rows = _summed(_told_as(month.gpu, pl.col("waste_layer") == STANDBY), _GPU_WORDS, sums)
    packed = _coded(rows, _GPU_WORDS, words)
    packed.add_money("cost", rows["effective_cost"])
    packed.add_money("unfilled", rows["under_used_cost"])
    for name, column in (("seconds", "gpu_seconds"), ("observed", "observed_seconds"), ("assumed", "assumed_seconds")):
        packed.add_money(name, rows[column])
    return packed


def hours_part(month: BoardMonth, words: Words) -> Packed:
    """The month's GPU hours by day, hour, cluster and state, in the bill's currency."""
    told = _told_as(month.gpu_hours, pl.col("is_warm_standby"))
    rows = _summed(told, {**_HOUR_WORDS, "hour": "hour"}, ["effective_cost", "gpu_seconds"])
    packed = _coded(rows, _HOUR_WORDS, words)
    packed.add_codes("hour", rows["hour"].cast(pl.UInt32).to_numpy())
    packed.add_money("cost", rows["effective_cost"])
    packed.add_money("seconds", rows["gpu_seconds"])
    return packed


def why_part(month: BoardMonth, bridge: pl.DataFrame, words: Words) -> Packed:
    """The month's `variance_bridge`, in the bill's currency.

    What an account cost in the month before and in the month stands on the first of its rows alone, so that sums over
    rows are sums over accounts.
    """
    own = bridge.filter(pl.col("billing_period") == month.period.start)
    rows = _texts(own, _WHY_WORDS).sort(*_WHY_WORDS.values())
    is_first = rows.select(pl.struct("account", "billing_currency").is_first_distinct()).to_series()
    packed = _coded(rows, _WHY_WORDS, words)
    packed.add_money("change", rows["change_cost"])
    for name, column in (("before", "previous_account_cost"), ("now", "account_cost")):
        packed.add_money(name, rows[column].zip_with(is_first, rows[column] * 0))
    return packed


def _require_total(month: BoardMonth, cost: pl.Series) -> None:
    found = exact_sum(cost.drop_nulls())
    if found != month.shared.bill_total:
        raise StatementError(
            f"the lines of {month.period.label} add up to {found} {month.shared.currency}, but the month is "
            f"{month.shared.bill_total}; hand in every row of the month, residuals included, from the same snapshot"
        )


def _told_as(rows: pl.DataFrame, is_standby: pl.Expr) -> pl.DataFrame:
    """Idle on purpose is a state of its own, as on the statements."""
    return rows.with_columns(told_as=pl.when(is_standby).then(pl.lit(STANDBY)).otherwise(pl.col("gpu_state")))


def _summed(rows: pl.DataFrame, words: Mapping[str, str], sums: list[str]) -> pl.DataFrame:
    keys = list(words.values())
    whole = pl.col(sums).cast(pl.Decimal(38, 12)).sum()
    return _texts(rows, words).group_by(keys).agg(whole).sort(keys)


def _texts(rows: pl.DataFrame, words: Mapping[str, str]) -> pl.DataFrame:
    dates = [name for name in words.values() if rows.schema[name] == pl.Date]
    return rows.with_columns(pl.col(dates).cast(pl.String))


def _coded(rows: pl.DataFrame, columns: Mapping[str, str], words: Words) -> Packed:
    packed = Packed(rows.height)
    for name, column in columns.items():
        packed.add_codes(name, words.codes(name, rows[column]))
    return packed
