"""A bill as a FOCUS 1.0 CSV with a manifest beside it: the columns of the specification, in its order."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

from sample.company import COMPANY, month_after, names
from sample.lines import Line

FOCUS_1_0 = names(
    "AvailabilityZone BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd "
    "BillingPeriodStart ChargeCategory ChargeClass ChargeDescription ChargeFrequency ChargePeriodEnd ChargePeriodStart "
    "CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName CommitmentDiscountStatus "
    "CommitmentDiscountType ConsumedQuantity ConsumedUnit ContractedCost ContractedUnitPrice EffectiveCost "
    "InvoiceIssuerName ListCost ListUnitPrice PricingCategory PricingQuantity PricingUnit ProviderName PublisherName "
    "RegionId RegionName ResourceId ResourceName ResourceType ServiceCategory ServiceName SkuId SkuPriceId "
    "SubAccountId SubAccountName Tags"
)
Value = str | Decimal | datetime | None


def write_csv(file: Path, month: date, lines: Sequence[Line], account: str) -> None:
    """Writes a month's CSV and its manifest."""
    period = {"BillingPeriodStart": _midnight(month), "BillingPeriodEnd": _midnight(month_after(month))}
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(FOCUS_1_0)
    for line in lines:
        row = _row(line, account) | period
        writer.writerow([_text(row.get(column)) for column in FOCUS_1_0])
    _deliver(file, text.getvalue().encode(), lines)


def _deliver(file: Path, content: bytes, lines: Sequence[Line]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    total = sum((line.cost for line in lines), Decimal(0))
    manifest = {"files": [file.name], "rows": len(lines), "total_billed_cost": f"{total:f}"}
    (file.parent / "_manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else value


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _midnight(day: date) -> datetime:
    return _utc(datetime.combine(day, time()))


def _row(line: Line, account: str) -> dict[str, Value]:
    usage = line.charge_category == "Usage"
    identity: dict[str, Value] = {
        "BillingAccountId": account,
        "BillingAccountName": COMPANY,
        "BillingCurrency": "USD",
        "InvoiceIssuerName": line.provider_name,
        "ProviderName": line.provider_name,
        "PublisherName": line.provider_name,
        "PricingCategory": "Standard" if usage else None,
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
        "SkuPriceId": f"{line.sku_id}:on-demand" if line.sku_id else None,
        "ResourceId": line.resource_id,
        "ResourceName": line.resource_id,
        "ResourceType": line.resource_type,
        "Tags": json.dumps(dict(line.tags), sort_keys=True) if line.tags is not None else None,
    }
