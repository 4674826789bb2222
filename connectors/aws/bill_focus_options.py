"""How the machines of a FOCUS export were bought: what `bill_commitments` reads from a report, from FOCUS's columns."""

import polars as pl
import pyarrow as pa

_NAME = "x_purchase_option"


def member(objects: pa.ChunkedArray, name: str) -> pa.Array:
    """A member of each JSON object, as text; NULL where there is none."""
    texts = pl.Series(pl.from_arrow(objects.cast(pa.large_string())), dtype=pl.String)
    return texts.str.json_path_match(f"$.{name}").to_arrow().cast(pa.string())


def with_purchase_option(rows: pa.Table, usage_types: pa.Array) -> pa.Table:
    """The rows, with the column filled where the line tells it: usage, and purchases of what covers usage.

    What the line names itself stays. `usage_types` are AWS's meters, as long as `rows`.
    """
    read = ("charge_category", "pricing_category", *_COMMITMENT, _NAME)
    frame = pl.DataFrame(pl.from_arrow(rows.select(read).append_column("meter", usage_types)))
    found = frame.select(pl.coalesce(pl.col(_NAME), _option()))[_NAME]
    column = found.to_arrow().cast(rows[_NAME].type)
    return rows.set_column(rows.column_names.index(_NAME), rows.schema.field(_NAME), column)


_COMMITMENT = ("commitment_discount_id", "commitment_discount_type", "commitment_discount_category")


def _option() -> pl.Expr:
    category, meter, pricing = pl.col("charge_category"), pl.col("meter").fill_null(""), pl.col("pricing_category")
    is_usage = category == "Usage"
    return (
        pl.when(category.is_in(["Usage", "Purchase"]) & pl.col(_COMMITMENT[0]).is_not_null())
        .then(_commitment())
        .when(is_usage & ((pricing == "Dynamic") | meter.str.contains("SpotUsage", literal=True)))
        .then(pl.lit("spot"))
        .when(is_usage & meter.str.contains("CapacityBlock", literal=True))
        .then(pl.lit("capacity_block"))
        .when(is_usage & meter.str.contains("ProvisionedThroughput", literal=True))
        .then(pl.lit("provisioned"))
        .when(is_usage & (pricing == "Standard") & meter.str.contains("BoxUsage", literal=True))
        .then(pl.lit("on_demand"))
    )


def _commitment() -> pl.Expr:
    """By type or ARN; in no known words by category, as AWS's plans are of money, its reservations of use."""
    words = pl.concat_str(
        [pl.col(name).fill_null("").str.to_lowercase().str.replace_all("[ -]", "") for name in _COMMITMENT[:2]]
    )
    return (
        pl.when(words.str.contains("savingsplan", literal=True))
        .then(pl.lit("savings_plan"))
        .when(words.str.contains("reserv", literal=True))
        .then(pl.lit("reserved"))
        .when(pl.col(_COMMITMENT[2]) == "Spend")
        .then(pl.lit("savings_plan"))
        .when(pl.col(_COMMITMENT[2]) == "Usage")
        .then(pl.lit("reserved"))
    )
