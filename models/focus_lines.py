"""Bill lines as the lines of a FOCUS bill: what the standard has in one row that the bill has in two, and the reverse.

- What no unit price explains: ListCost and ContractedCost that the bill does not state are unit price times quantity,
  else BilledCost, which is the standard's own rule for charges without a unit price.
- AWS bills what a savings plan covers at its price on demand and takes that back in a line of its own. In FOCUS what a
  commitment covers was billed nothing: where the two cancel out to the last unit, the first is 0 and the second goes.
- AWS states an hour's unused commitment as effective cost of its purchase. In FOCUS a purchase has none, and what was
  left unused is a row of usage.

Sums of billed and effective cost stay what they were, by invoice, account and currency. Source: FOCUS 1.2, Discount
Handling, ListCost, ContractedCost, EffectiveCost. Here belongs: lines of one bill. Here does not belong: who carries
them, FOCUS's names.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import polars as pl

from models.money import MONEY

LINE, UNUSED = "line", "unused"
"""Which part of a bill line a line is: itself, or what a purchase states to be unused."""
PLAN_COVERED, PLAN_NEGATION = "SavingsPlanCoveredUsage", "SavingsPlanNegation"
MEASURES = (
    *("billed_cost", "effective_cost", "list_cost", "contracted_cost"),
    *("consumed_quantity", "pricing_quantity", "commitment_discount_quantity", "pricing_currency_effective_cost"),
)
"""What adds up: of a line and its parts, the same sum."""

_ZERO = pl.lit(Decimal(0), MONEY)
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_UNIT = Decimal("0.000000000001")
_NETTED = [
    *("x_source", "billing_account_id", "sub_account_id", "invoice_id", "billing_currency", "service_name"),
    *("commitment_discount_id", "charge_period_start", "charge_period_end"),
]
_NO_TAX = ("sku_id", "sku_price_id", "list_unit_price", "contracted_unit_price", "pricing_quantity", "pricing_category")
_OF_THE_PURCHASE = (
    *("pricing_quantity", "list_unit_price", "contracted_unit_price", "pricing_currency_effective_cost"),
)


def focus_lines(charges: pl.DataFrame) -> pl.DataFrame:
    """Lines in the shape of `charges`, with list_cost and contracted_cost never NULL.

    Adds `part` (line, or unused: the second row of a purchase), `list_cost_basis` and `contracted_cost_basis` (bill,
    unit_price or billed_cost), and `pricing_currency_effective_cost`, which `charges` keeps as a FOCUS bill states it.
    """
    virtual = pl.col("x_extra").str.json_path_match("$.PricingCurrencyEffectiveCost").cast(MONEY, strict=False)
    whole = _without_tax_prices(charges).with_columns(pricing_currency_effective_cost=virtual)
    priced = _with_cost(_with_cost(whole, "list"), "contracted")
    return _unused_apart(_netted(priced)).with_columns(
        *_consumed_by_usage(),
        commitment_discount_status=pl.when(pl.col("charge_category") == "Usage").then("commitment_discount_status"),
        **_resource_of_commitment(),
    )


def _without_tax_prices(charges: pl.DataFrame) -> pl.DataFrame:
    is_tax = pl.col("charge_category") == "Tax"
    return charges.with_columns(pl.when(~is_tax).then(pl.col(name)).alias(name) for name in _NO_TAX)


def _with_cost(charges: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The cost of that kind where the bill does not state it, and where it is from."""
    cost, price = f"{kind}_cost", f"{kind}_unit_price"
    is_priced = pl.all_horizontal(pl.col(price, "pricing_quantity").is_not_null())
    lacking = charges.filter(pl.col(cost).is_null(), is_priced)
    products = [_product(*pair) for pair in lacking.select(price, "pricing_quantity").iter_rows()]
    key = ["x_source", "x_page", "x_row"]
    found = lacking.select(key).with_columns(pl.Series("_product", products, dtype=MONEY))
    return (
        charges.join(found, on=key, how="left", maintain_order="left")
        .with_columns(
            pl.coalesce(cost, "_product", "billed_cost").alias(cost),
            pl.when(pl.col(cost).is_not_null())
            .then(pl.lit("bill"))
            .when(pl.col("_product").is_not_null())
            .then(pl.lit("unit_price"))
            .otherwise(pl.lit("billed_cost"))
            .alias(f"{cost}_basis"),
        )
        .drop("_product")
    )


def _product(price: Decimal, quantity: Decimal) -> Decimal:
    return _EXACT.quantize(_EXACT.multiply(price, quantity), _UNIT)


def _netted(charges: pl.DataFrame) -> pl.DataFrame:
    """Without lines that take back what a savings plan covers, where they take back just that."""
    is_covered, is_taken_back = (pl.col("x_charge_type") == kind for kind in (PLAN_COVERED, PLAN_NEGATION))
    both = charges.filter(is_covered | is_taken_back)
    sums = both.group_by(_NETTED).agg(
        pl.col("billed_cost").sum(),
        pl.col("effective_cost").filter(is_taken_back).abs().sum().alias("_kept"),
        is_taken_back.any().alias("_is_taken_back"),
    )
    cancelled = sums.filter("_is_taken_back", pl.col("billed_cost") == 0, pl.col("_kept") == 0).select(_NETTED)
    marked = charges.join(
        cancelled.with_columns(_cancels=pl.lit(value=True)),
        on=_NETTED, how="left", nulls_equal=True, maintain_order="left",
    )  # fmt: skip
    cancels = pl.col("_cancels").fill_null(value=False)
    kept = marked.filter(~(cancels & is_taken_back.fill_null(value=False)))
    billed = pl.when(cancels & is_covered.fill_null(value=False)).then(_ZERO).otherwise("billed_cost")
    return kept.with_columns(billed_cost=billed).drop("_cancels")


def _unused_apart(charges: pl.DataFrame) -> pl.DataFrame:
    """A purchase without effective cost, and its unused part as usage that was billed nothing."""
    is_both = (
        (pl.col("charge_category") == "Purchase")
        & (pl.col("effective_cost") != 0)
        & (pl.col("commitment_discount_status") == "Unused")
    ).fill_null(value=False)
    in_money = (pl.col("commitment_discount_category") == "Spend") & (
        pl.col("commitment_discount_unit") == pl.col("billing_currency")
    )
    unused = charges.filter(is_both).with_columns(
        part=pl.lit(UNUSED),
        charge_category=pl.lit("Usage"),
        charge_frequency=pl.lit("Usage-Based"),
        billed_cost=_ZERO,
        list_cost=_ZERO,
        contracted_cost=_ZERO,
        **{name: pl.lit(None, MONEY) for name in _OF_THE_PURCHASE},
        **{f"{name}_cost_basis": pl.lit("billed_cost") for name in ("list", "contracted")},
        commitment_discount_quantity=pl.when(in_money).then("effective_cost"),
    )
    whole = charges.with_columns(
        part=pl.lit(LINE), effective_cost=pl.when(is_both).then(_ZERO).otherwise("effective_cost")
    )
    return pl.concat([whole, unused.select(whole.columns)])


def _consumed_by_usage() -> list[pl.Expr]:
    """Only what was used was consumed, and there is no unit without a quantity."""
    is_used = (pl.col("charge_category") == "Usage") & (pl.col("commitment_discount_status").fill_null("") != "Unused")
    found: list[pl.Expr] = []
    for kind in ("consumed", "pricing", "commitment_discount"):
        quantity, unit = f"{kind}_quantity", f"{kind}_unit"
        is_there = pl.col(quantity).is_not_null()
        there = is_used & is_there if kind == "consumed" else is_there
        found += [pl.when(there).then(pl.col(name)).alias(name) for name in (quantity, unit)]
    return found


def _resource_of_commitment() -> dict[str, pl.Expr]:
    """What is bought, or left unused, is the commitment: where the bill names no resource, that is the resource."""
    is_it = pl.col("resource_id").is_null() & (
        (pl.col("charge_category") == "Purchase") | (pl.col("commitment_discount_status") == "Unused")
    )
    return {
        f"resource_{last}": pl.when(is_it).then(f"commitment_discount_{last}").otherwise(f"resource_{last}")
        for last in ("id", "name", "type")
    }
