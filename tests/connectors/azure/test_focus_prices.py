"""A cost of zero that Azure's FOCUS export writes because it has none is unknown; one that is meant stays zero."""

import json
from datetime import date
from decimal import Decimal

import polars as pl

from connectors.azure.focus_view import parse_focus
from connectors.base import Bytes, LandedPage
from connectors.windows import month_window
from tests.connectors.azure.written import settings

COLUMNS = (
    "BilledCost,EffectiveCost,ContractedCost,ContractedUnitPrice,ListCost,ListUnitPrice,PricingQuantity,"
    "BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,"
    "ChargeCategory,ProviderName,ServiceName,SkuId"
)
REST = (
    "2,1,USD,2026-09-01T00:00:00Z,2026-10-01T00:00:00Z,2026-09-03T00:00:00Z,2026-09-04T00:00:00Z,"
    "Usage,Microsoft,Virtual Machines,"
)
LINES = {
    "marketplace": "8,8,0,0,0,0",
    "reservation": "0,6,7,3.5,0,0",
    "contracted": "0,0,7,3.5,0,0",
    "free": "0,0,0,0,0,0",
    "free_tier": "0,0,0,0,10,5",
    "refund": "-8,-8,0,0,0,0",
    "usage": "8,8,8,4,10,5",
}


def test_zeros_beside_a_cost_are_unknown() -> None:
    text = "\n".join([COLUMNS, *(f"{costs},{REST}{sku}" for sku, costs in LINES.items()), ""])
    page = LandedPage("focus:focus/part.csv", "a" * 64, Bytes(text.encode()))
    given = settings(actual=None, amortized=None, focus="focus")
    chunks = list(parse_focus(given, month_window(date(2026, 9, 1)), [page]))
    assert [notice for chunk in chunks for notice in chunk.notices] == [
        "4 lines cost something beside a list or contracted cost of 0, which stands where Azure supplies none: it is unknown"
    ]
    found = pl.concat(pl.DataFrame(chunk.rows) for chunk in chunks)
    names = ("list_cost", "list_unit_price", "contracted_cost", "contracted_unit_price")
    assert {row[0]: row[1:] for row in found.select("sku_id", *names).rows()} == {
        "marketplace": (None, None, None, None),
        "reservation": (None, None, Decimal(7), Decimal("3.5")),
        "contracted": (None, None, Decimal(7), Decimal("3.5")),
        "free": (0, 0, 0, 0),
        "free_tier": (10, 5, 0, 0),
        "refund": (None, None, None, None),
        "usage": (10, 5, 8, 4),
    }


def test_how_far_a_deployment_reaches_is_told_beside_what_the_file_has() -> None:
    """As of exports of cost details, and read by the same words; a machine's meter has no reach."""
    costs = LINES["usage"]
    models, machines = (REST.replace("Virtual Machines", service) for service in ("Azure OpenAI", "Virtual Machines"))
    rows = [
        f"{costs},{models}a,Provisioned Managed Data Zone Unit,kept",
        f"{costs},{models}b,gpt 4.1 Inp glbl Tokens,",
        f"{costs},{models}c,gpt 4.1 Inp Tokens,",
        f"{costs},{machines}d,D2 glbl,kept",
    ]
    text = "\n".join([f"{COLUMNS},SkuMeter,x_Mine", *rows, ""])
    page = LandedPage("focus:focus/part.csv", "a" * 64, Bytes(text.encode()))
    given = settings(actual=None, amortized=None, focus="focus")
    found = pl.concat(
        pl.DataFrame(chunk.rows) for chunk in parse_focus(given, month_window(date(2026, 9, 1)), [page])
    ).sort("sku_id")
    assert [extra and json.loads(extra) for extra in found["x_extra"]] == [
        {"x_Mine": "kept", "x_deployment_scope": "Data Zone"},
        {"x_deployment_scope": "Global"},
        None,
        {"x_Mine": "kept"},
    ]
