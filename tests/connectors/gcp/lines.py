"""Lines of the billing export, written here: a good one, and what differs; as JSON lines, Parquet and flat CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base import Parsed, Window
from connectors.gcp.bill import SOURCE, GcpBillSettings
from connectors.windows import month_window
from tests.connectors.conformance import land

SHARED = Path(__file__).resolve().parents[3] / "../shared"

JsonLine = dict[str, Any]
_LABELS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))
_MONEY = pa.decimal128(38, 9)


def _texts(*names: str) -> pa.DataType:
    return pa.struct([(name, pa.string()) for name in names])


SCHEMA = pa.schema(
    [
        ("billing_account_id", pa.string()),
        ("invoice", _texts("month", "publisher_type")),
        ("cost_type", pa.string()),
        ("service", _texts("id", "description")),
        ("sku", _texts("id", "description")),
        ("usage_start_time", pa.timestamp("us", "UTC")),
        ("usage_end_time", pa.timestamp("us", "UTC")),
        (
            "project",
            pa.struct([("id", pa.string()), ("number", pa.string()), ("name", pa.string()), ("labels", _LABELS)]),
        ),
        ("labels", _LABELS),
        ("system_labels", _LABELS),
        ("location", _texts("location", "country", "region", "zone")),
        ("resource", _texts("name", "global_name")),
        ("tags", _LABELS),
        ("cost", pa.float64()),
        ("currency", pa.string()),
        ("currency_conversion_rate", pa.float64()),
        (
            "usage",
            pa.struct(
                [
                    ("amount", pa.float64()),
                    ("unit", pa.string()),
                    ("amount_in_pricing_units", pa.float64()),
                    ("pricing_unit", pa.string()),
                ]
            ),
        ),
        (
            "credits",
            pa.list_(
                pa.struct(
                    [
                        ("name", pa.string()),
                        ("amount", pa.float64()),
                        ("full_name", pa.string()),
                        ("id", pa.string()),
                        ("type", pa.string()),
                    ]
                )
            ),
        ),
        ("adjustment_info", _texts("id", "description", "type", "mode")),
        ("export_time", pa.timestamp("us", "UTC")),
        ("cost_at_list", pa.float64()),
        (
            "price",
            pa.struct(
                [
                    ("list_price", _MONEY),
                    ("effective_price_default", _MONEY),
                    ("effective_price", _MONEY),
                    ("pricing_unit_quantity", _MONEY),
                ]
            ),
        ),
        ("cost_at_effective_price_default", _MONEY),
        ("consumption_model", _texts("id", "description")),
        ("subscription", _texts("instance_id")),
    ]
)


def line(**over: Any) -> JsonLine:
    """An hour of an H100 on demand for 9.8 USD. `sku` is a description; nested fields go as mappings."""
    good: JsonLine = {
        "billing_account_id": "01AAAA-BBBBBB-CCCCCC",
        "invoice": {"month": "202609", "publisher_type": "GOOGLE"},
        "cost_type": "regular",
        "service": {"id": "6F81-5844-456A", "description": "Compute Engine"},
        "sku": {"id": "AAAA-0001", "description": "Nvidia H100 80GB GPU running in Americas"},
        "usage_start_time": "2026-09-03 07:00:00 UTC",
        "usage_end_time": "2026-09-03 08:00:00 UTC",
        "project": {"id": "acme-ml", "number": "1000", "name": "Acme ML", "labels": [{"key": "cc", "value": "4100"}]},
        "labels": [{"key": "team", "value": "search"}, {"key": "env", "value": "prod"}],
        "system_labels": [{"key": "compute.googleapis.com/machine_spec", "value": "a3-highgpu-8g"}],
        "location": {"location": "us-central1", "country": "US", "region": "us-central1", "zone": "us-central1-a"},
        "resource": {"name": "train-1", "global_name": "//compute.googleapis.com/instance/7"},
        "tags": [],
        "cost": 9.8,
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": {"amount": 3600.0, "unit": "seconds", "amount_in_pricing_units": 1.0, "pricing_unit": "hour"},
        "credits": [],
        "adjustment_info": None,
        "export_time": "2026-09-03 15:42:11 UTC",
        "cost_at_list": 9.8,
        "price": {
            "list_price": "9.8",
            "effective_price_default": "9.8",
            "effective_price": "9.8",
            "pricing_unit_quantity": "1",
        },
        "cost_at_effective_price_default": "9.8",
        "consumption_model": {"id": "7754-699E-0EBF", "description": "Default"},
        "subscription": {"instance_id": None},
    }
    for name, value in over.items():
        if name == "sku":
            good["sku"] = {"id": f"SKU-{value}"[:20], "description": value}
        elif isinstance(value, Mapping) and isinstance(good.get(name), Mapping):
            good[name] = {**good[name], **value}
        else:
            good[name] = value
    return good


def credit(kind: str, amount: float, **over: Any) -> JsonLine:
    """One entry of `credits`."""
    return {
        "name": kind.lower(),
        "full_name": f"Full {kind}",
        "id": f"{kind}-1",
        "type": kind,
        "amount": amount,
        **over,
    }


def json_lines(*lines: JsonLine) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)


def parquet(*lines: JsonLine, schema: pa.Schema = SCHEMA) -> bytes:
    """As EXPORT DATA writes it: nested groups, timestamps, DECIMAL(38,9)."""
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([_typed(entry) for entry in lines], schema=schema), sink)
    return sink.getvalue()


def _typed(entry: JsonLine) -> JsonLine:
    typed = dict(entry)
    for name in ("usage_start_time", "usage_end_time", "export_time"):
        typed[name] = datetime.fromisoformat(str(entry[name]).removesuffix(" UTC") + "+00:00")
    typed["price"] = {name: Decimal(value) for name, value in entry["price"].items()} if entry["price"] else None
    value = entry["cost_at_effective_price_default"]
    typed["cost_at_effective_price_default"] = None if value is None else Decimal(value)
    return typed


def flat_csv(*lines: JsonLine) -> bytes:
    """As project-koku's exports: dotted names, lists as JSON text."""
    flat = [_flat(entry, "") for entry in lines]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for entry in flat for name in entry)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue().encode()


def _flat(entry: Mapping[str, Any], prefix: str) -> dict[str, str]:
    flat = dict[str, str]()
    for name, value in entry.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = json.dumps(value) if isinstance(value, list) else "" if value is None else str(value)
    return flat


def september() -> Window:
    return month_window(date(2026, 9, 1))


def settings(**over: Any) -> GcpBillSettings:
    return GcpBillSettings.model_validate({"name": "google", "location": "/nowhere", **over})


def parsed(pages: Sequence[bytes], window: Window | None = None, **over: Any) -> list[Parsed]:
    return list(SOURCE.parse(settings(**over), window or september(), land(pages)))


def rows(pages: Sequence[bytes], window: Window | None = None, **over: Any) -> list[dict[str, Any]]:
    """The staged rows; nothing may be refused."""
    chunks = parsed(pages, window, **over)
    assert [reject for chunk in chunks for reject in chunk.rejects] == []
    return [row for chunk in chunks for row in chunk.rows.to_pylist()]


def rejects(pages: Sequence[bytes], **over: Any) -> list[tuple[str, Decimal | None]]:
    return [(r.reason, r.cost) for chunk in parsed(pages, **over) for r in chunk.rejects]


def total(found: Sequence[Mapping[str, Any]], column: str = "billed_cost") -> Decimal:
    return sum((row[column] for row in found), Decimal(0))
