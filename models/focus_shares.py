"""Lines split over the accounts that carry them, so that both sums are exact: those of lines, and those of accounts.

The ledger posts groups of lines. Of a group with lines R1..Rm and parts of accounts C1..Cn, T together, the share of
line i and account j is F(i,j) - F(i-1,j) - F(i,j-1) + F(i-1,j-1), where F(i,j) = (R1+..+Ri)(C1+..+Cj) // T in whole
pico-units. The shares of a line sum to the line whatever T is, those of an account to its part where the lines sum to
T, and none is two units away from its proportion. Where T is 0, F(i,j) is R1+..+Ri + C1+..+Cj: the first account
carries the lines, and the first line what is posted to the others.

Here belongs: that split, and what FOCUS wants to know of it. Here does not belong: who carries what.
"""

import polars as pl

from models.adjustments import CORRECTION
from models.focus_lines import MEASURES
from models.money import money_of, units_of

GROUP = "charge_group_id"
CARRIER = ["to_account", "team_id", "feature", "gpu_state", "rule_id", "rule_kind"]
"""What tells the parts of a group apart."""
WHOLE = 10**12
"""Units of a ratio: their parts sum to it exactly."""

_POSTED = ("billed_cost", "effective_cost")
_WEIGHTS = ("_effective", "_billed")  # billed cost goes with billed cost, every other measure with the effective one
_SPLITTING = ["priced_tokens", "gpu_seconds", "pool"]
_SAFE_PRODUCT = 2.0**125  # below it no product leaves 128 bits, even with the error of the estimate


def carriers(postings: pl.DataFrame) -> pl.DataFrame:
    """Where the money of each charge group rests.

    Args:
        postings: frame in the shape of `postings`.

    Returns:
        charge_group_id, the columns of CARRIER, `_effective` and `_billed` (Int128 pico-units), `gpu_seconds`,
        `ratio` (Int64, of WHOLE, summing to it over a group) and `is_split`.
    """
    is_correction = pl.col("rule_kind") == CORRECTION
    resting = postings.filter("is_final_account").with_columns(
        # what an erratum takes off an account changes the account's part, not the rule that gave it
        *(pl.when(is_correction).then(_first_rule(name)).otherwise(name).alias(name) for name in CARRIER[4:]),
        _effective=units_of("effective_cost"),
        _billed=units_of("billed_cost"),
    )
    seconds = pl.when(pl.col("gpu_seconds").is_not_null().any()).then(pl.col("gpu_seconds").sum())
    parts = resting.group_by(GROUP, *CARRIER).agg(pl.col("_effective", "_billed").sum(), seconds.alias("gpu_seconds"))
    ordered = parts.sort(GROUP, *CARRIER).with_columns(
        is_split=(pl.len().over(GROUP) > 1) | pl.col("rule_kind").is_in(_SPLITTING),
        upto=_cumulated("_effective"),
        total=pl.col("_effective").sum().over(GROUP),
        ratio=pl.lit(WHOLE, pl.Int128),
    )
    upto = ordered.with_columns(_proportion(ordered, "ratio"))
    return upto.with_columns(_difference(pl.col("ratio"), GROUP).alias("ratio")).drop("upto", "total")


def _first_rule(name: str) -> pl.Expr:
    order = [pl.col("rule_kind") == CORRECTION, pl.col("step"), pl.col("rule_id")]
    return pl.col(name).sort_by(order).first().over(GROUP, *CARRIER[:4])


def split_lines(lines: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Each line once for each carrier of its group, with its share of every measure.

    Args:
        lines: columns charge_group_id and MEASURES, in the order in which they are cumulated.
        parts: as of `carriers`.

    Returns:
        The columns of both but `_effective` and `_billed`. A share of nothing known (NULL) is NULL.

    Raises:
        ValueError: a line's group has no carrier.
    """
    lost = lines.join(parts.select(GROUP).unique(), on=GROUP, how="anti")
    if not lost.is_empty():
        raise ValueError(f"{lost.height} bill lines are of no posted charge group, such as {lost[GROUP][0]}")
    numbered = lines.with_columns(_line=pl.int_range(pl.len()), _of_group=pl.int_range(pl.len()).over(GROUP))
    weighed = parts.with_columns(
        *(_cumulated(weight).alias(f"{weight}_upto") for weight in _WEIGHTS),
        *(pl.col(weight).sum().over(GROUP).alias(f"{weight}_total") for weight in _WEIGHTS),
        _part=pl.int_range(pl.len()).over(GROUP),
    )
    running = [_cumulated(name, _units(name)).alias(f"_upto_{name}") for name in MEASURES]
    cells = numbered.with_columns(running).join(weighed, on=GROUP).sort("_line", "_part")
    split = cells.with_columns(_measure(cells, name) for name in MEASURES)
    return split.select([*lines.columns, *(name for name in parts.columns if name not in (GROUP, *_WEIGHTS))])


def _measure(cells: pl.DataFrame, name: str) -> pl.Series:
    own, other = ("_billed", "_effective") if name == "billed_cost" else ("_effective", "_billed")
    # costs that nothing was posted of have no proportion; what goes with them goes by the other one
    goes_by_other = (pl.col(f"{own}_total") == 0) & pl.lit(name not in _POSTED)
    asked = cells.select(
        "_line",
        name,
        upto=pl.when(goes_by_other).then(f"{other}_upto").otherwise(f"{own}_upto"),
        total=pl.when(goes_by_other).then(f"{other}_total").otherwise(f"{own}_total"),
        through=pl.col(f"_upto_{name}"),
        before=pl.col(f"_upto_{name}") - _units(name),
    )
    through, before = _proportion(asked, "through"), _proportion(asked, "before")
    if name in _POSTED:  # what is posted sums to nothing over the accounts: the first line shifts it between them
        shifted = pl.when(pl.col(f"{own}_total") == 0).then(f"{own}_upto").otherwise(0)
        through += cells.select(shifted).to_series()
        before += cells.select(pl.when(pl.col("_of_group") > 0).then(shifted).otherwise(0)).to_series()
    share = _difference(pl.col("share"), "_line")
    shares = asked.with_columns(share=through - before).with_columns(share=share)
    return shares.select(pl.when(pl.col(name).is_not_null()).then(money_of("share")).alias(name)).to_series()


def _proportion(asked: pl.DataFrame, amount: str) -> pl.Series:
    """Amount * upto // total, and the amount where the total is 0. Products that leave 128 bits are Python's."""
    is_whole = (pl.col("total") == 0) | (pl.col("upto") == pl.col("total"))
    size = pl.col(amount).cast(pl.Float64).abs() * pl.col("upto").cast(pl.Float64).abs()
    fits = asked.select((is_whole | (size < _SAFE_PRODUCT)).alias("fits"))["fits"]
    total = pl.when(pl.col("total") == 0).then(pl.lit(1, pl.Int128)).otherwise("total")
    native = pl.when(is_whole).then(amount).otherwise(pl.col(amount) * pl.col("upto") // total)
    found = asked.select(native.alias(amount)).to_series()
    if fits.all():
        return found
    rows = asked.select(amount, "upto", "total").iter_rows()
    exact = [value if ok else a * b // c for value, ok, (a, b, c) in zip(found, fits, rows, strict=True)]
    return pl.Series(amount, exact, dtype=pl.Int128)


def _units(name: str) -> pl.Expr:
    return units_of(name).fill_null(0).cast(pl.Int128)


def _difference(values: pl.Expr, over: str) -> pl.Expr:
    return values - values.shift(1, fill_value=0).over(over)


def _cumulated(name: str, values: pl.Expr | None = None) -> pl.Expr:
    return (pl.col(name) if values is None else values).cum_sum().over(GROUP)
