"""Split lines under FOCUS's own names, and the values that follow from others.

Columns whose mapping has no rule are copied as `contracts/focus.yml` says; the rules of the others are here, one for
each column. Nothing is made up: what a bill does not say is NULL, unless the mapping's rule says what follows from it.

Here belongs: one row. Here does not belong: splitting, netting, which version has a column.
"""

import hashlib
import json
from collections.abc import Mapping

import polars as pl

from contracts.focus import FOCUS, FocusColumn, focus_mapping
from models.focus_classes import LOG
from models.focus_lines import LINE
from models.focus_words import category, standard_units, subcategory
from models.frames import conform, schema_of
from models.money import money_of

_EXTRA = "x_extra."
_RESIDUAL = "residual:"
_ALLOCATED = (
    *("AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName"),
    "AllocatedTags",
)
_LINE = ("x_source", "x_page", "x_row")
_IDENTITY = [
    *(*_LINE, "part", "token_class"),
    *("to_account", "feature", "gpu_state", "rule_id"),
]
_CATEGORY_OF_OPTION: Mapping[str, str] = {
    "on_demand": "Standard",
    "spot": "Dynamic",
    "capacity_block": "Standard",
    "provisioned": "Standard",
}
_NULL_WITHOUT: Mapping[str, str] = {
    "RegionName": "region_id",
    "SubAccountName": "sub_account_id",
    "ResourceName": "resource_id",
    "ResourceType": "resource_id",
    "CommitmentDiscountName": "commitment_discount_id",
    "CommitmentDiscountType": "commitment_discount_id",
    "CommitmentDiscountCategory": "commitment_discount_id",
    "CapacityReservationStatus": "capacity_reservation_id",
}
"""What says something of what has no id says nothing."""
_DEVELOPERS = ("openai", "anthropic")
"""Providers who serve no models but their own."""


def focus_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in the shape of `focus_cost_and_usage`, in the order given.

    Args:
        rows: as of `models.focus_shares.split_lines` over `models.focus_classes.by_class`, with model_id,
            provider_id, team_name and cost_centre.
    """
    units = {f"{kind}_unit": standard_units(rows[f"{kind}_unit"]) for kind in ("pricing", "consumed")}
    said = rows.with_columns(_extras(rows)).with_columns(**units)
    ruled = {**{name: pl.col(name) for name in _ALLOCATED}, **_rules()}
    mapping = {**focus_mapping().columns, **focus_mapping().own_columns}
    plain = {name: _copied(column) for name, column in mapping.items() if name not in ruled}
    named = said.select(**plain, **ruled)
    return conform(named.with_columns(_ids(rows)), FOCUS)


def _extras(rows: pl.DataFrame) -> list[pl.Expr]:
    """Columns of a FOCUS bill that `charges` keeps as they came, under the names that the mapping gives them."""
    found: list[pl.Expr] = []
    for name, column in focus_mapping().columns.items():
        if not column.source.startswith(_EXTRA):
            continue
        key = column.source.removeprefix(_EXTRA)
        is_there = rows["x_extra"].str.contains(f'"{key}":', literal=True).any()
        wanted = schema_of(FOCUS)[name]
        value = pl.col("x_extra").str.json_path_match(f"$.{key}") if is_there else pl.lit(None, pl.String)
        found.append(value.cast(wanted, strict=False).alias(column.source))
    return found


def _copied(column: FocusColumn) -> pl.Expr:
    return pl.col(column.source)


def _rules() -> dict[str, pl.Expr]:
    return {**_charge(), **_price(), **_service(), **_own()}


def _charge() -> dict[str, pl.Expr]:
    is_usage = pl.col("charge_category") == "Usage"
    is_within = (pl.col("charge_period_start") > pl.col("billing_period_start")) | (
        pl.col("charge_period_end") < pl.col("billing_period_end")
    )
    frequency = pl.when(is_usage | is_within).then(pl.lit("Usage-Based")).otherwise(pl.lit("One-Time"))
    is_purchase = pl.col("charge_category") == "Purchase"
    return {
        "ChargeFrequency": pl.coalesce("charge_frequency", pl.when(~is_purchase).then(frequency)),
        **{
            name: pl.when(pl.col(of).is_not_null()).then(focus_mapping().columns[name].source)
            for name, of in _NULL_WITHOUT.items()
        },
    }


def _price() -> dict[str, pl.Expr]:
    is_used = (pl.col("charge_category") == "Usage") & pl.col("commitment_discount_status").is_not_null()
    option = pl.col("x_purchase_option").replace_strict(_CATEGORY_OF_OPTION, default=None, return_dtype=pl.String)
    is_tax = pl.col("charge_category") == "Tax"
    details = pl.coalesce(
        f"{_EXTRA}SkuPriceDetails",
        pl.when(pl.col("x_instance_type").is_not_null()).then(
            pl.struct(InstanceType="x_instance_type").struct.json_encode()
        ),
    )
    return {
        "PricingCategory": pl.when(is_used)
        .then(pl.lit("Committed"))
        .when(~is_tax)
        .then(pl.coalesce("pricing_category", option)),
        "PricingCurrencyEffectiveCost": pl.col("pricing_currency_effective_cost"),
        "SkuMeter": pl.when(pl.col("sku_id").is_not_null()).then("sku_meter"),
        "SkuPriceDetails": pl.when(pl.col("sku_price_id").is_not_null()).then(details),
    }


def _service() -> dict[str, pl.Expr]:
    return {
        "PublisherName": pl.coalesce(f"{_EXTRA}PublisherName", "provider_name"),
        "ServiceCategory": category(),
        "ServiceSubcategory": subcategory(pl.col(f"{_EXTRA}ServiceSubcategory")),
    }


def described(parts: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Carriers, as of `models.focus_shares.carriers`, with the Allocated columns, team_name and cost_centre.

    What FOCUS 1.3 wants to know of a charge that is split; the part that stays with nobody names no resource.
    """
    named = parts.join(teams.select("team_id", "team_name", "cost_centre"), on="team_id", how="left")
    is_carried = pl.col("is_split") & ~pl.col("to_account").str.starts_with(_RESIDUAL)
    feature = pl.coalesce(pl.lit("/") + pl.col("feature"), pl.lit(""))
    seconds = pl.concat_str(
        pl.lit(',"UsageQuantity":'), pl.col("gpu_seconds").cast(pl.String), pl.lit(',"UsageUnit":"GPU-Seconds"')
    )
    ratio = [pl.lit('{"Elements":[{"AllocatedRatio":'), money_of("ratio").cast(pl.String)]
    details = pl.concat_str(*ratio, pl.coalesce(seconds, pl.lit("")), pl.lit("}]}"))
    tags = [_tags(*row) for row in named.select("cost_centre", "feature", "team_id").iter_rows()]
    return named.with_columns(
        AllocatedMethodId=pl.when("is_split").then("rule_id"),
        AllocatedMethodDetails=pl.when("is_split").then(details),
        AllocatedResourceId=pl.when(is_carried).then(pl.col("to_account") + feature),
        AllocatedResourceName=pl.when(is_carried).then("team_name"),
        AllocatedTags=pl.when(is_carried).then(pl.Series("tags", tags, dtype=pl.String)),
    )


def _tags(cost_centre: str | None, feature: str | None, team_id: str | None) -> str:
    tags = {"farthing/cost_centre": cost_centre, "farthing/feature": feature, "farthing/team": team_id}
    return json.dumps(
        {name: value for name, value in tags.items() if value is not None}, ensure_ascii=False, separators=(",", ":")
    )


def _ids(rows: pl.DataFrame) -> pl.Series:
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in _IDENTITY], separator="\x1f")
    lines = rows.select(text).to_series()
    ids = [hashlib.md5(line.encode(), usedforsecurity=False).hexdigest() for line in lines]
    return pl.Series("x_RowId", ids, dtype=pl.String)


def _own() -> dict[str, pl.Expr]:
    is_output = pl.col("token_class").str.starts_with("output_")
    # what a line was split into by class, or beside its purchase, is a charge of its own: ratios of each sum to 1
    part = pl.when(pl.col("part") != LINE).then("part")
    of_class = pl.when(pl.col("token_class_basis") == LOG).then("token_class")
    cache = pl.when(pl.col("token_class") == "cache_read").then(pl.lit("Read"))
    return {
        "x_RowId": pl.lit(""),
        "x_OriginChargeId": pl.concat_str(
            "x_source", "x_page", "x_row", part, of_class, separator="/", ignore_nulls=True
        ),
        "x_AccountId": pl.col("to_account"),
        "x_TeamId": pl.col("team_id"),
        "x_Feature": pl.col("feature"),
        "x_CostCentre": pl.col("cost_centre"),
        "x_AllocationRuleId": pl.col("rule_id"),
        "x_GpuState": pl.col("gpu_state"),
        "x_ModelId": pl.coalesce("model_id", "x_model_id"),
        "x_ModelDeveloper": pl.when(pl.col("provider_id").is_in(_DEVELOPERS)).then("provider_id"),
        "x_TokenDirection": pl.when(is_output).then(pl.lit("Output")).when(~is_output).then(pl.lit("Input")),
        "x_TokenCacheAction": cache.when(pl.col("token_class").str.starts_with("cache_write"))
        .then(pl.lit("Write"))
        .when(pl.col("token_class") == "input_uncached")
        .then(pl.lit("Uncached")),
        "x_TokenClass": pl.col("token_class"),
        "x_TokenClassBasis": pl.col("token_class_basis"),
        "x_ListCostBasis": pl.col("list_cost_basis"),
        "x_ContractedCostBasis": pl.col("contracted_cost_basis"),
        "x_CorrectedPeriod": pl.lit(None, pl.Date),
    }
