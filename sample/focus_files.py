"""Bills as files: FOCUS 1.2 gzipped CSV, FOCUS 1.3 Parquet and FOCUS 1.0 CSV, each with a manifest beside it.

The column sets are those of the specification's Cost and Usage dataset in the given version, in its order.
"""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sample.bills import Line
from sample.company import COMPANY, MONTH, NEXT_MONTH, names

FOCUS_1_0 = names(
    "AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd "
    "BillingPeriodStart ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart "
    "CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountStatus "
    "CommitmentDiscountType ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost "
    "InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingQuantity PricingUnit ProviderName PublisherName "
    "RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName SkuId SkuPriceId "
    "SubAccountId SubAccountName Tags"
)
_ADDED_UNTIL_1_2 = names(
    "BillingAccountType CapacityReservationId CapacityReservationStatus CommitmentDiscountQuantity "
    "CommitmentDiscountUnit InvoiceId PricingCurrency PricingCurrencyContractedUnitPrice PricingCurrencyEffectiveCost "
    "PricingCurrencyListUnitPrice ServiceSubcategory SkuMeter SkuPriceDetails SubAccountType"
)
_ADDED_IN_1_3 = names(
    "AllocatedMethodDetails AllocatedMethodId AllocatedResourceId AllocatedResourceName AllocatedTags ContractApplied "
    "HostProviderName ServiceProviderName"
)
FOCUS_1_2 = sorted(FOCUS_1_0 + _ADDED_UNTIL_1_2)
FOCUS_1_3 = sorted(FOCUS_1_2 + _ADDED_IN_1_3)
TOKEN_COLUMNS = ["x_ModelId", "x_TokenClass"]

Value = str | Decimal | datetime | None
COST = pa.decimal128(38, 12)


def write_csv(file: Path, lines: Sequence[Line], account: str, invoice: str | None, columns: Sequence[str]) -> None:
    """Writes a CSV of `columns`, gzipped when the name says so, and its manifest."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        row = _row(line, account, invoice)
        writer.writerow([_text(row.get(column)) for column in columns])
    content = text.getvalue().encode()
    _deliver(file, gzip.compress(content, 6, mtime=0) if file.suffix == ".gz" else content, lines)


def write_parquet(file: Path, lines: Sequence[Line], account: str, invoice: str | None, columns: Sequence[str]) -> None:
    """Writes a Parquet file of `columns`, money as DECIMAL(38, 12) and time in UTC, and its manifest."""
    rows = [_row(line, account, invoice) for line in lines]
    schema = pa.schema([(column, _arrow_type(column)) for column in columns])
    table = pa.table({column: [row.get(column) for row in rows] for column in columns}, schema=schema)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    _deliver(file, sink.getvalue(), lines)


def _deliver(file: Path, content: bytes, lines: Sequence[Line]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    total = sum((line.cost for line in lines), Decimal(0))
    manifest = {"files": [file.name], "rows": len(lines), "total_billed_cost": f"{total:f}"}
    (file.parent / "_manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _arrow_type(column: str) -> pa.DataType:
    if column.endswith(("Cost", "Price", "Quantity")):
        return COST
    return pa.timestamp("us", tz="UTC") if column.endswith(("PeriodStart", "PeriodEnd")) else pa.string()


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else value


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _row(line: Line, account: str, invoice: str | None) -> Mapping[str, Value]:
    usage = line.charge_category == "Usage"
    identity: dict[str, Value] = {
        "BillingAccountId": account,
        "BillingAccountName": COMPANY,
        "BillingAccountType": "Organization",
        "BillingCurrency": "USD",
        "BillingPeriodStart": _utc(datetime.combine(MONTH, time())),
        "BillingPeriodEnd": _utc(datetime.combine(NEXT_MONTH, time())),
        "InvoiceId": invoice,
        "InvoiceIssuerName": line.provider_name,
        "ProviderName": line.provider_name,
        "ServiceProviderName": line.provider_name,
        "HostProviderName": line.provider_name,
        "PublisherName": line.provider_name,
        "PricingCurrency": "USD",
        "PricingCurrencyEffectiveCost": line.cost,
        "PricingCurrencyListUnitPrice": line.list_unit_price,
        "PricingCurrencyContractedUnitPrice": line.unit_price,
        "PricingCategory": "Standard" if usage else None,
        "SubAccountType": "Project",
        "RegionId": "us-central" if line.resource_id else None,
        "RegionName": "US Central" if line.resource_id else None,
    }
    return {**identity, **_charge(line)}


def _charge(line: Line) -> dict[str, Value]:
    return {
        "SubAccountId": line.sub_account_id,
        "SubAccountName": line.sub_account_id.replace("_", " "),
        "ChargeCategory": line.charge_category,
        "ChargeDescription": line.description,
        "ChargeFrequency": line.frequency,
        "ChargePeriodStart": _utc(line.start),
        "ChargePeriodEnd": _utc(line.end),
        "BilledCost": line.cost,
        "EffectiveCost": line.cost,
        "ContractedCost": line.cost,
        "ListCost": line.list_cost,
        "ListUnitPrice": line.list_unit_price,
        "ContractedUnitPrice": line.unit_price,
        "ConsumedQuantity": line.quantity,
        "ConsumedUnit": line.unit,
        "PricingQuantity": line.pricing_quantity,
        "PricingUnit": line.pricing_unit,
        "ServiceName": line.service_name,
        "ServiceCategory": line.service_category,
        "SkuId": line.sku_id,
        "SkuMeter": line.description if line.sku_id else None,
        "SkuPriceId": f"{line.sku_id}:on-demand" if line.sku_id else None,
        "ResourceId": line.resource_id,
        "ResourceName": line.resource_id,
        "ResourceType": line.resource_type,
        "Tags": json.dumps(dict(line.tags), sort_keys=True) if line.tags is not None else None,
        "x_ModelId": line.model,
        "x_TokenClass": line.token_class,
    }
