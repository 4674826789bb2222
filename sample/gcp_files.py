"""Google Cloud's bill as BigQuery's detailed export, written out as Parquet: an invoice month's folder, nested columns.

Types: FLOAT64 is a double, NUMERIC a decimal of nine places, STRUCT a group, ARRAY a list.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sample.gcp_lines import Credit
from sample.lines import Line, as_double

BILLING_ACCOUNT = "018A47-F1AC40-2D5E8B"
_SERVICE_IDS = {"Compute Engine": "6F81-5844-456A", "Vertex AI": "C7E2-9256-1C43"}
_LAG = timedelta(hours=9)
_FIRST_EXPORT = time(16)
_TEXT, _DOUBLE, _NUMERIC = pa.string(), pa.float64(), pa.decimal128(38, 9)
_INSTANT = pa.timestamp("us", tz="UTC")
_PAIRS = pa.list_(pa.struct([("key", _TEXT), ("value", _TEXT)]))


def _texts(names: str) -> pa.StructType:
    return pa.struct([(name, _TEXT) for name in names.split()])


SCHEMA = pa.schema(
    [
        ("billing_account_id", _TEXT),
        ("service", _texts("id description")),
        ("sku", _texts("id description")),
        ("usage_start_time", _INSTANT),
        ("usage_end_time", _INSTANT),
        (
            "project",
            pa.struct(
                [
                    *((name, _TEXT) for name in ("id", "number", "name", "ancestry_numbers")),
                    ("ancestors", pa.list_(_texts("resource_name display_name"))),
                    ("labels", _PAIRS),
                ]
            ),
        ),
        ("labels", _PAIRS),
        ("system_labels", _PAIRS),
        ("location", _texts("location country region zone")),
        ("resource", _texts("name global_name")),
        (
            "tags",
            pa.list_(pa.struct([("key", _TEXT), ("value", _TEXT), ("inherited", pa.bool_()), ("namespace", _TEXT)])),
        ),
        ("transaction_type", _TEXT),
        ("seller_name", _TEXT),
        ("export_time", _INSTANT),
        ("cost", _DOUBLE),
        ("currency", _TEXT),
        ("currency_conversion_rate", _DOUBLE),
        (
            "usage",
            pa.struct(
                [("amount", _DOUBLE), ("unit", _TEXT), ("amount_in_pricing_units", _DOUBLE), ("pricing_unit", _TEXT)]
            ),
        ),
        (
            "credits",
            pa.list_(
                pa.struct([("name", _TEXT), ("amount", _DOUBLE), ("full_name", _TEXT), ("id", _TEXT), ("type", _TEXT)])
            ),
        ),
        ("invoice", _texts("month publisher_type")),
        ("cost_type", _TEXT),
        ("adjustment_info", _texts("id description type mode")),
        ("cost_at_list", _DOUBLE),
        (
            "price",
            pa.struct(
                [
                    *((name, _NUMERIC) for name in ("list_price", "effective_price_default", "effective_price")),
                    ("list_price_consumption_model", _NUMERIC),
                    ("tier_start_amount", _NUMERIC),
                    ("unit", _TEXT),
                    ("pricing_unit_quantity", _NUMERIC),
                ]
            ),
        ),
        ("consumption_model", _texts("id description")),
        ("subscription", _texts("instance_id")),
    ]
)


def write_gcp_export(folder: Path, month: date, lines: Sequence[Line]) -> None:
    """Writes an invoice month. Raises ValueError for an amount that no double holds exactly."""
    file = folder / f"month={month:%Y%m}" / "000000000000.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([_row(line, month) for line in lines], SCHEMA), file, compression="snappy")


def _row(line: Line, month: date) -> dict[str, object]:
    taken_off = [entry for entry in _entries(line.native.get("credits")) if isinstance(entry, Credit)]
    before_credits = line.cost - sum((credit.amount for credit in taken_off), Decimal(0))
    return {
        "billing_account_id": BILLING_ACCOUNT,
        "service": {"id": _SERVICE_IDS[line.service_name], "description": line.service_name},
        "sku": {"id": line.sku_id, "description": line.description},
        "usage_start_time": line.start.replace(tzinfo=UTC),
        "usage_end_time": line.end.replace(tzinfo=UTC),
        # an October invoice holds what was exported in October, however late its usage came
        "export_time": max(line.end + _LAG, datetime.combine(month, _FIRST_EXPORT)).replace(tzinfo=UTC),
        "project": _project(line.sub_account_id),
        "labels": _pairs(line.tags or {}),
        "system_labels": _pairs(line.native.get("system_labels") or {}),
        "location": {"location": "us-central1", "country": "US", "region": "us-central1", "zone": None},
        "resource": _resource(line),
        "tags": [],
        "transaction_type": "GOOGLE",
        "seller_name": "Google",
        "cost": as_double(before_credits),
        "cost_at_list": as_double(line.list_cost),
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": {
            "amount": as_double(line.quantity or Decimal(0)),
            "unit": line.unit,
            "amount_in_pricing_units": as_double(line.pricing_quantity or Decimal(0)),
            "pricing_unit": line.pricing_unit,
        },
        "credits": [_credit(credit) for credit in taken_off],
        "invoice": {"month": f"{month:%Y%m}", "publisher_type": "GOOGLE"},
        "cost_type": "regular",
        "adjustment_info": None,
        "price": _price(line),
        "consumption_model": None,
        "subscription": {"instance_id": line.native.get("subscription")},
    }


def _entries(value: object) -> Iterable[object]:
    return value if isinstance(value, tuple) else ()


def _credit(credit: Credit) -> dict[str, object]:
    name = credit.name
    return {
        "name": name,
        "amount": as_double(credit.amount),
        "full_name": name,
        "id": name.lower(),
        "type": credit.kind,
    }


def _project(name: str) -> dict[str, object]:
    number = f"1847{sum(name.encode()):08d}"
    return {
        "id": name,
        "number": number,
        "name": name,
        "ancestry_numbers": "/184700000001/",
        "ancestors": [
            {"resource_name": "organizations/184700000001", "display_name": "alder-finch.example"},
            {"resource_name": f"projects/{number}", "display_name": name},
        ],
        "labels": [],
    }


def _resource(line: Line) -> dict[str, object]:
    if line.resource_id is None:
        return {"name": None, "global_name": None}
    where = f"//compute.googleapis.com/projects/{line.sub_account_id}/zones/us-central1-a"
    return {"name": line.resource_id, "global_name": f"{where}/instances/{line.resource_id}"}


def _price(line: Line) -> dict[str, object]:
    return {
        "list_price": line.list_unit_price,
        "effective_price_default": line.unit_price,
        "effective_price": line.unit_price,
        "list_price_consumption_model": line.list_unit_price,
        "tier_start_amount": Decimal(0),
        "unit": line.pricing_unit,
        "pricing_unit_quantity": Decimal(1),
    }


def _pairs(labels: object) -> list[dict[str, str]]:
    found = labels if isinstance(labels, Mapping) else {}
    return [{"key": str(key), "value": str(value)} for key, value in found.items()]
