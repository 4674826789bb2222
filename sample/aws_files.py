"""AWS' bill as Data Exports delivers CUR 2.0: one Parquet file in the month's folder, overwritten, and its manifest.

An export holds the columns that were chosen when it was created; these are the ones that this company chose.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sample.company import AWS_PAYER, COMPANY, MONTH, MONTH_BEFORE, month_after, names
from sample.lines import Line, as_double

EXPORT = "alder-finch-cur2"
INVOICES = {MONTH_BEFORE: "1847258802", MONTH: "1847263541"}
_AMAZON = "Amazon Web Services, Inc."
_TEXT = names(
    "bill_bill_type bill_billing_entity bill_invoice_id bill_invoicing_entity bill_payer_account_id "
    "bill_payer_account_name identity_line_item_id identity_time_interval line_item_availability_zone "
    "line_item_currency_code line_item_legal_entity line_item_line_item_description line_item_line_item_type "
    "line_item_operation line_item_product_code line_item_resource_id line_item_tax_type line_item_unblended_rate "
    "line_item_usage_account_id line_item_usage_account_name line_item_usage_type pricing_currency "
    "pricing_public_on_demand_rate pricing_term pricing_unit product_instance_type product_product_family "
    "product_region_code product_servicecode product_sku savings_plan_end_time savings_plan_offering_type "
    "savings_plan_payment_option savings_plan_purchase_term savings_plan_savings_plan_a_r_n savings_plan_start_time "
    "split_line_item_parent_resource_id"
)
_DOUBLE = names(
    "line_item_unblended_cost line_item_usage_amount pricing_public_on_demand_cost "
    "savings_plan_amortized_upfront_commitment_for_billing_period "
    "savings_plan_recurring_commitment_for_billing_period savings_plan_savings_plan_effective_cost "
    "savings_plan_savings_plan_rate savings_plan_total_commitment_to_date savings_plan_used_commitment "
    "split_line_item_actual_usage split_line_item_reserved_usage split_line_item_split_cost "
    "split_line_item_split_usage split_line_item_split_usage_ratio split_line_item_unused_cost"
)
_TIMESTAMP = names(
    "bill_billing_period_end_date bill_billing_period_start_date line_item_usage_end_date line_item_usage_start_date"
)
_MAP = names("cost_category product resource_tags")
_TYPES = {
    **{name: ("string", pa.string()) for name in _TEXT},
    **{name: ("double", pa.float64()) for name in _DOUBLE},
    **{name: ("timestamp", pa.timestamp("ms")) for name in _TIMESTAMP},
    **{name: ("map<string,string>", pa.map_(pa.string(), pa.string())) for name in _MAP},
}
SCHEMA = pa.schema([(name, _TYPES[name][1]) for name in sorted(_TYPES)])


def write_aws_export(folder: Path, month: date, lines: Sequence[Line], as_of: date, *, is_invoiced: bool) -> None:
    """Writes a month's file and its manifest. The invoice's id is on every line once it is issued.

    Raises ValueError for an amount that a double of 12 decimals does not hold.
    """
    partition = f"BILLING_PERIOD={month:%Y-%m}"
    file = folder / EXPORT / "data" / partition / f"{EXPORT}-00001.snappy.parquet"
    invoice = INVOICES[month] if is_invoiced else None
    period = _period(month)
    rows = [_row(number, line, invoice) | period for number, line in enumerate(lines)]
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), file, compression="snappy")
    manifest = folder / EXPORT / "metadata" / partition / f"{EXPORT}-Manifest.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps(_manifest(file, month, as_of), indent=2) + "\n", encoding="utf-8")


def _manifest(file: Path, month: date, as_of: date) -> dict[str, object]:
    return {
        "manifestVersion": "1.0",
        "exportArn": f"arn:aws:bcm-data-exports:us-east-1:{AWS_PAYER}:export/{EXPORT}-0a1b2c3d",
        "exportName": EXPORT,
        "executionId": f"3695a728-1847-4000-8000-{as_of:%Y%m%d}0300",
        "billingPeriod": {"start": f"{month}T00:00:00.000Z", "end": f"{month_after(month)}T00:00:00.000Z"},
        "contentType": "application/octet-stream",
        "compression": "PARQUET",
        "columns": [{"name": name, "type": _TYPES[name][0]} for name in sorted(_TYPES)],
        "dataFiles": [f"s3://billing.alder-finch.example/exports/{EXPORT}/data/{file.parent.name}/{file.name}"],
    }


def _row(number: int, line: Line, invoice: str | None) -> dict[str, object]:
    row = {
        **_bill(number, line, invoice),
        "line_item_line_item_type": line.charge_category,
        "line_item_line_item_description": line.description,
        "line_item_usage_account_id": line.sub_account_id,
        "line_item_usage_account_name": f"alder-finch-{line.sub_account_id[-4:]}",
        "line_item_usage_start_date": line.start,
        "line_item_usage_end_date": line.end,
        "line_item_resource_id": line.resource_id,
        "line_item_unblended_cost": line.cost,
        "line_item_unblended_rate": _text(line.unit_price),
        "line_item_usage_amount": line.quantity if line.pricing_quantity is None else line.pricing_quantity,
        "pricing_unit": line.pricing_unit,
        "pricing_public_on_demand_rate": _text(line.list_unit_price),
        "pricing_public_on_demand_cost": line.list_cost if line.list_unit_price is not None else None,
        "product_sku": line.sku_id,
        "product_region_code": "us-east-1" if line.sku_id else None,
        "product": {"product_name": line.service_name},
        "resource_tags": dict(line.tags or {}),
        "cost_category": {},
        **line.native,
    }
    return {name: _value(name, value) for name, value in row.items()}


def _bill(number: int, line: Line, invoice: str | None) -> dict[str, object]:
    return {
        "bill_bill_type": "Anniversary",
        "bill_billing_entity": "AWS",
        "bill_invoice_id": invoice,
        "bill_invoicing_entity": _AMAZON,
        "bill_payer_account_id": AWS_PAYER,
        "bill_payer_account_name": COMPANY,
        "identity_line_item_id": hashlib.sha256(f"{number}:{line.description}".encode()).hexdigest()[:52],
        "identity_time_interval": f"{line.start:%Y-%m-%dT%H:%M:%SZ}/{line.end:%Y-%m-%dT%H:%M:%SZ}",
        "line_item_currency_code": "USD",
        "line_item_legal_entity": _AMAZON,
        "pricing_currency": "USD",
    }


def _period(month: date) -> dict[str, object]:
    return {
        "bill_billing_period_start_date": datetime.combine(month, time()),
        "bill_billing_period_end_date": datetime.combine(month_after(month), time()),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _value(name: str, value: object) -> object:
    """The value as Parquet holds it. A ratio need not be exact; an amount must be."""
    if not isinstance(value, Decimal):
        return value
    return float(value) if name.endswith("_ratio") else as_double(value)
