"""What a report says of the product that a line bills: columns of the legacy report, a map or JSON in CUR 2.0."""

from connectors.bills import Names


def product_attribute(names: Names, key: str, column: str) -> str:
    """An attribute of the product as SQL."""
    if names.has(column):
        return names.text(column)
    found = names.find("product")
    if found is None:
        return "cast(null as varchar)"
    if found.kind == "map":
        return f"nullif({found.sql}['{key}'], '')"
    written = names.text("product")
    return (
        f"nullif(coalesce({_read(names, key)}, "
        f"case when {_is_python(names)} then json_extract_string({_as_json(written)}, '$.{key}') end), '')"
    )


def unreadable_product(names: Names) -> str:
    """The product's text where it is no JSON, nor Python's way to write it; NULL everywhere else."""
    found, written = names.find("product"), names.text("product")
    if found is None or found.kind != "text":
        return "cast(null as varchar)"
    is_read = f"{_read(names, 'product_name')} is not null"
    return f"case when {is_read} or json_valid({written}) or {_is_python(names)} then null else {written} end"


def _read(names: Names, key: str) -> str:
    """The attribute; NULL also where the text is no JSON. Asking whether it is would read it a second time."""
    return names.once(f"try(json_extract_string({names.text('product')}, '$.{key}'))")


def _is_python(names: Names) -> str:
    written = names.text("product")
    return f"(contains({written}, '''') and not json_valid({written}) and json_valid({_as_json(written)}))"


def _as_json(written: str) -> str:
    """A text with Python's quotes as JSON."""
    return f"replace({written}, '''', '\"')"


def service_name(names: Names) -> str:
    """The product's own name; a report that leaves it out has at least a code, or who sells it."""
    codes = [names.text(c) for c in ("product/servicecode", "lineItem/ProductCode", "bill/BillingEntity")]
    return f"coalesce({product_attribute(names, 'product_name', 'product/ProductName')}, {', '.join(codes)})"


def instance_type(names: Names) -> str:
    """The machine; spot lines have it in the usage type only: `USW2-SpotUsage:g6.12xlarge`."""
    usage_type = names.text("lineItem/UsageType")
    metered = f"regexp_matches({usage_type}, '(Usage|UnusedBox|Reservation|CapacityBlock)[A-Za-z]*:[a-z]')"
    return (
        f"coalesce({names.text('product/instanceType')}, "
        f"case when {metered} then nullif(split_part({usage_type}, ':', 2), '') end)"
    )


def is_model(names: Names) -> str:
    """Lines of Bedrock; models of other vendors are sold by the marketplace, under products of their own."""
    code, service = names.text("lineItem/ProductCode"), names.text("product/servicecode")
    sold = f"{names.text('lineItem/UsageType')} like '%MP:%Token%'"
    return f"coalesce({code} like 'AmazonBedrock%' or {service} like 'AmazonBedrock%' or {sold}, false)"
