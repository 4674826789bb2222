"""Azure's FOCUS exports: read as FOCUS, then the meters of model services are told apart.

Here belongs: what Azure's FOCUS leaves in meter names and paths. Here does not belong: the standard, which is
`connectors.focus`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import polars as pl
import pyarrow as pa

from connectors.azure.bill_settings import AzureBillSettings
from connectors.azure.openai_meters import Meter, is_model_service, read_meter
from connectors.base import LandedPage, Parsed, Window
from connectors.focus import SOURCE, FocusSettings
from contracts import contract

PROVIDER = "Microsoft"
_ZEROS = (
    "lines cost something beside a list or contracted cost of 0, which stands where Azure supplies none: it is unknown"
)
_READ = ("x_model_id", "x_token_class", "x_service_tier", "x_purchase_option")
_SCOPE = "x_deployment_scope"
"""How far a model's deployment reaches: in `x_extra`, under the name that it has of exports of cost details."""


def parse_focus(settings: AzureBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
    """Charges of a FOCUS export. Raises IncompleteDeliveryError for files that are not whole."""
    read = FocusSettings.model_validate(
        {
            "name": settings.name,
            "account": settings.account,
            "location": settings.location,
            "currency": settings.currency,
            "provider": PROVIDER,
        }
    )
    unknown = 0
    for chunk in SOURCE.parse(read, window, pages):
        rows, count = _with_unknown_prices(chunk.rows)
        unknown += count
        yield replace(chunk, rows=_with_models(_with_bare_ids(rows)))
    if unknown:
        words = f"{unknown:,} {_ZEROS}"
        yield Parsed(contract("charges").arrow_schema().empty_table(), is_final=True, notices=(words,))


def _with_unknown_prices(rows: pa.Table) -> tuple[pa.Table, int]:
    """The rows, and on how many of them something is now unknown.

    A list or contracted cost of 0 is unknown (NULL) where the line cost something, and so is its price.

    Microsoft's summary of where its FOCUS data falls short of the standard (learn.microsoft.com, FOCUS conformance
    summary) says that both are 0 for marketplace charges and for reservation usage because they are not supported. A
    refund is treated as what it takes back, so that the two still sum to nothing.
    A line on which every cost is 0 is free by all that it says, and keeps its zeros.
    """
    paid, contracted = (
        pl.any_horizontal((pl.col(name) != 0).fill_null(value=False) for name in names)
        for names in (("billed_cost", "effective_cost"), ("contracted_cost",))
    )
    costs = {"list": paid | contracted, "contracted": paid}
    known = [
        pl.when((pl.col(f"{kind}_cost") == 0) & is_paid & (pl.col(name).fill_null(0) == 0))
        .then(None)
        .otherwise(pl.col(name))
        .alias(name)
        for kind, is_paid in costs.items()
        for name in (f"{kind}_cost", f"{kind}_unit_price")
    ]
    # the flag is of the values as they came: columns are computed side by side
    lost = pl.any_horizontal((pl.col(f"{kind}_cost") == 0) & is_paid for kind, is_paid in costs.items())
    found = pl.DataFrame(rows).with_columns(*known, _lost=lost.fill_null(value=False))
    return found.drop("_lost").to_arrow().cast(rows.schema), found.filter("_lost").height


def _with_bare_ids(rows: pa.Table) -> pa.Table:
    """The rows; commitments and subscriptions by their bare ids in small letters, as in Azure's other answers."""
    last = pl.col("commitment_discount_id").str.strip_chars_end("/").str.extract(r"([^/]+)$").str.to_lowercase()
    subscription = pl.col("sub_account_id").str.extract(r"(?i)^/?subscriptions/([^/]+)/?$")
    bare = pl.DataFrame(rows).with_columns(
        commitment_discount_id=last,
        sub_account_id=pl.coalesce(subscription, "sub_account_id").str.to_lowercase(),
    )
    return bare.to_arrow().cast(rows.schema)


def _with_models(rows: pa.Table) -> pa.Table:
    """The rows, with model, token class, tier and purchase option of what model services billed."""
    if not rows.num_rows:
        return rows
    frame = pl.DataFrame(rows)
    meters = frame.select("service_name", "sku_meter").unique().rows()
    found = [
        {"service_name": service, "sku_meter": meter, **_columns(read_meter(meter, ""))}
        for service, meter in meters
        if meter and is_model_service(service, service)
    ]
    if not found:
        return rows
    names = ("service_name", "sku_meter", *(f"_{name}" for name in (*_READ, _SCOPE)))
    schema = dict.fromkeys(names, pl.String)
    joined = frame.join(
        pl.DataFrame(found, schema=schema), on=["service_name", "sku_meter"], how="left", maintain_order="left"
    )
    filled = joined.with_columns(*(pl.coalesce(f"_{name}", name).alias(name) for name in _READ), x_extra=_with_scope())
    shape = contract("charges").arrow_schema()
    return filled.select(shape.names).to_arrow().cast(shape)


def _with_scope() -> pl.Expr:
    """`x_extra`, an object or NULL, with the reach of the deployment where the meter tells it."""
    scope = pl.col(f"_{_SCOPE}")
    before = (pl.col("x_extra").str.head(-1) + ",").fill_null("{")
    return pl.when(scope.is_null()).then("x_extra").otherwise(before + f'"{_SCOPE}":"' + scope + '"}')


def _columns(meter: Meter) -> dict[str, str | None]:
    option = "provisioned" if meter.tier == "provisioned" else None
    return {
        "_x_model_id": meter.model,
        "_x_token_class": meter.token_class,
        "_x_service_tier": meter.tier,
        "_x_purchase_option": option,
        f"_{_SCOPE}": meter.scope,
    }
