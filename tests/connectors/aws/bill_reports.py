"""Hand-written Cost and Usage Reports: one line of each type, as CSV and as Parquet with the types that AWS gives."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.aws.bill import SOURCE
from connectors.aws.bill_columns import DOCUMENTED
from connectors.aws.bill_settings import AwsBillSettings
from connectors.base import Bytes, LandedPage, Page, Reject, Window
from connectors.windows import month_window

PLAN = "arn:aws:savingsplans::111122223333:savingsplan/0f1e2d3c-aaaa-bbbb-cccc-1234567890ab"
RESERVATION = "arn:aws:ec2:us-east-1:111122223333:reserved-instances/0a1b2c3d-aaaa-bbbb-cccc-1234567890ab"

LINE: Mapping[str, str] = {
    "bill_bill_type": "Anniversary",
    "bill_billing_entity": "AWS",
    "bill_billing_period_start_date": "2026-09-01T00:00:00.000Z",
    "bill_billing_period_end_date": "2026-10-01T00:00:00.000Z",
    "bill_invoice_id": "",
    "bill_invoicing_entity": "Amazon Web Services, Inc.",
    "bill_payer_account_id": "111122223333",
    "bill_payer_account_name": "acme-payer",
    "cost_category": "{}",
    "discount_total_discount": "",
    "identity_line_item_id": "",
    "identity_time_interval": "2026-09-03T00:00:00Z/2026-09-03T01:00:00Z",
    "line_item_availability_zone": "us-east-1a",
    "line_item_currency_code": "USD",
    "line_item_iam_principal": "",
    "line_item_line_item_description": "$98.32 per On Demand Linux p5en.48xlarge Instance Hour",
    "line_item_line_item_type": "Usage",
    "line_item_net_unblended_cost": "",
    "line_item_net_unblended_rate": "",
    "line_item_operation": "RunInstances",
    "line_item_product_code": "AmazonEC2",
    "line_item_resource_id": "i-0aaaaaaaaaaaaaaa1",
    "line_item_tax_type": "",
    "line_item_unblended_cost": "98.32",
    "line_item_unblended_rate": "98.32",
    "line_item_usage_account_id": "444455556666",
    "line_item_usage_account_name": "ml-prod",
    "line_item_usage_amount": "1",
    "line_item_usage_start_date": "2026-09-03T00:00:00.000Z",
    "line_item_usage_end_date": "2026-09-03T01:00:00.000Z",
    "line_item_usage_type": "BoxUsage:p5en.48xlarge",
    "pricing_lease_contract_length": "",
    "pricing_offering_class": "",
    "pricing_public_on_demand_cost": "98.32",
    "pricing_public_on_demand_rate": "98.32",
    "pricing_purchase_option": "",
    "pricing_rate_code": "P5SKU.JRTCKXETXF.6YS6EN2CT7",
    "pricing_term": "OnDemand",
    "pricing_unit": "Hrs",
    "product": '{"product_name": "Amazon Elastic Compute Cloud"}',
    "product_instance_type": "p5en.48xlarge",
    "product_region_code": "us-east-1",
    "product_servicecode": "AmazonEC2",
    "product_sku": "P5SKU",
    "reservation_amortized_upfront_fee_for_billing_period": "",
    "reservation_effective_cost": "",
    "reservation_end_time": "",
    "reservation_net_amortized_upfront_fee_for_billing_period": "",
    "reservation_net_effective_cost": "",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period": "",
    "reservation_net_unused_recurring_fee": "",
    "reservation_reservation_a_r_n": "",
    "reservation_start_time": "",
    "reservation_unused_amortized_upfront_fee_for_billing_period": "",
    "reservation_unused_recurring_fee": "",
    "resource_tags": '{"user_team": "search"}',
    "savings_plan_amortized_upfront_commitment_for_billing_period": "",
    "savings_plan_end_time": "",
    "savings_plan_net_amortized_upfront_commitment_for_billing_period": "",
    "savings_plan_net_recurring_commitment_for_billing_period": "",
    "savings_plan_net_savings_plan_effective_cost": "",
    "savings_plan_offering_type": "",
    "savings_plan_payment_option": "",
    "savings_plan_purchase_term": "",
    "savings_plan_recurring_commitment_for_billing_period": "",
    "savings_plan_savings_plan_a_r_n": "",
    "savings_plan_savings_plan_effective_cost": "",
    "savings_plan_start_time": "",
    "savings_plan_total_commitment_to_date": "",
    "savings_plan_used_commitment": "",
    "split_line_item_actual_usage": "",
    "split_line_item_net_split_cost": "",
    "split_line_item_net_unused_cost": "",
    "split_line_item_parent_resource_id": "",
    "split_line_item_reserved_usage": "",
    "split_line_item_split_cost": "",
    "split_line_item_split_usage": "",
    "split_line_item_split_usage_ratio": "",
    "split_line_item_unused_cost": "",
    "tags": "{}",
}


def line(kind: str = "Usage", cost: str = "98.32", **over: str) -> dict[str, str]:
    """A good line of that type and unblended cost, with other values: columns by their names in CUR 2.0."""
    assert set(over) <= set(LINE), f"no such column: {set(over) - set(LINE)}"
    return {**LINE, "line_item_line_item_type": kind, "line_item_unblended_cost": cost, **over}


def csv_report(*lines: Mapping[str, str], columns: Sequence[str] | None = None) -> bytes:
    """The lines as a CSV; the columns are those of the first line."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def gz_report(*lines: Mapping[str, str]) -> bytes:
    """The CSV as AWS packs it."""
    return gzip.compress(csv_report(*lines), mtime=0)


def parquet_report(*lines: Mapping[str, str]) -> bytes:
    """The lines as AWS types them: costs are doubles, dates timestamps, labels maps, empty values NULL."""
    columns = {name: _typed(name, [entry[name] for entry in lines]) for name in lines[0]}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _typed(name: str, texts: list[str]) -> pa.Array:
    kind = DOCUMENTED.get(name, "string")
    if kind.startswith("map"):
        number = pa.float64() if kind == "map<string,double>" else pa.string()
        maps = [list(json.loads(text or "{}").items()) for text in texts]
        return pa.array(maps, pa.map_(pa.string(), number))
    if kind == "timestamp":
        return pa.array([_instant(text) for text in texts], pa.timestamp("ms", tz="UTC"))
    if kind == "double":
        return pa.array([float(text) if text else None for text in texts], pa.float64())
    return pa.array([text or None for text in texts], pa.string())


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Read:
    """A parsed delivery, put together."""

    rows: list[dict[str, Any]]
    rejects: list[Reject]
    notices: list[str]
    is_final: bool

    def total(self, column: str = "billed_cost", **where: object) -> Decimal:
        """Sum of a cost over the rows that hold those values."""
        kept = [row for row in self.rows if all(row[name] == value for name, value in where.items())]
        return sum((row[column] for row in kept if row[column] is not None), Decimal(0))


def settings(**over: Any) -> AwsBillSettings:
    """Valid settings."""
    return AwsBillSettings.model_validate({"name": "aws", "location": "/nowhere", **over})


def landed(*files: bytes) -> list[LandedPage]:
    """Pages as the lake lands them."""
    return [
        LandedPage(f"page-{number}", hashlib.sha256(content).hexdigest(), Bytes(content))
        for number, content in enumerate(files)
    ]


def read(*files: bytes, month: date = date(2026, 9, 1), **over: Any) -> Read:
    """Parses files, as the month's delivery."""
    window: Window = month_window(month)
    chunks = list(SOURCE.parse(settings(**over), window, landed(*files)))
    return Read(
        rows=[row for chunk in chunks for row in chunk.rows.to_pylist()],
        rejects=[reject for chunk in chunks for reject in chunk.rejects],
        notices=[notice for chunk in chunks for notice in chunk.notices],
        is_final=all(chunk.is_final for chunk in chunks if chunk.rows.num_rows or chunk is chunks[-1]),
    )


def contents(pages: Iterable[Page]) -> list[bytes]:
    """The bytes of fetched pages, each read when it is given, as landing does."""
    found = list[bytes]()
    for page in pages:
        with page.body.open() as stream:
            found.append(stream.read())
    return found


def only(*files: bytes, **over: Any) -> dict[str, Any]:
    """The one row of a delivery of one line."""
    found = read(*files, **over)
    assert found.rejects == []
    (row,) = found.rows
    return row
