"""The columns of the standard and the detailed export, and where each of them goes.

What `STAGED` names becomes a column of `charges`; what `KEPT` names goes into `x_extra` as it came; any other column
is new: it goes there too, and is told.
"""

from collections.abc import Iterator

from connectors.bills.names import Given, Names, column_key

PAGE_NUMBER = "x_landed_page"
"""Our own mark on the first line of a page of the table: it keeps equal pages apart."""

STAGED = (
    "billing_account_id",
    "invoice.month",
    "cost_type",
    "service.description",
    "sku.id",
    "sku.description",
    "usage_start_time",
    "usage_end_time",
    "project.id",
    "project.name",
    "labels",
    "location.region",
    "location.zone",
    "resource.name",
    "resource.global_name",
    "cost",
    "currency",
    "usage.amount",
    "usage.unit",
    "usage.amount_in_pricing_units",
    "usage.pricing_unit",
    "credits",
    "cost_at_list",
    PAGE_NUMBER,
)

KEPT = (
    "invoice.publisher_type",
    "service.id",
    "project.number",
    "project.ancestry_numbers",
    "project.ancestors",
    "project.labels",
    "system_labels",
    "location.location",
    "location.country",
    "tags",
    "transaction_type",
    "seller_name",
    "currency_conversion_rate",
    "adjustment_info.id",
    "adjustment_info.description",
    "adjustment_info.type",
    "adjustment_info.mode",
    "export_time",
    "price.list_price",
    "price.effective_price_default",
    "price.list_price_consumption_model",
    "price.effective_price",
    "price.tier_start_amount",
    "price.unit",
    "price.pricing_unit_quantity",
    "cost_at_effective_price_default",
    "cost_at_list_consumption_model",
    "consumption_model.id",
    "consumption_model.description",
    "subscription.instance_id",
    "partition_date",
)

LISTS = ("project.labels", "project.ancestors", "system_labels", "tags")
"""Columns of `KEPT` that hold lists: files of text write them as JSON."""

_STAGED_KEYS = frozenset(map(column_key, STAGED))
# a structure that is NULL on every line of a file of JSON lines has no fields: its own name is known as well
_KNOWN_KEYS = _STAGED_KEYS | {column_key(name) for path in KEPT for name in (path, path.partition(".")[0])}


def kept(names: Names) -> Iterator[Given]:
    """The file's columns that go into `x_extra`."""
    return (column for key, column in names.columns.items() if key not in _STAGED_KEYS)


def new(names: Names) -> Iterator[Given]:
    """The file's columns that no description of the export knows."""
    return (column for key, column in names.columns.items() if key not in _KNOWN_KEYS)
