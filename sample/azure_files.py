"""Azure's bill as Cost Management exports it: the actual and the amortized view, each a CSV with a manifest.

Columns: version c360-2025-04. Days are written month first, tags as a JSON object without its braces.
"""

import csv
import io
import json
import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from sample.company import COMPANY, LEGAL_SUBSCRIPTION, month_after, names
from sample.lines import Line

BILLING_ACCOUNT = "18471847"
EXPORTS = {"actual": ("actual-daily", "ActualCost"), "amortized": ("amortized-daily", "AmortizedCost")}
COLUMNS = names(
    "BillingAccountId BillingAccountName BillingPeriodStartDate BillingPeriodEndDate BillingProfileId "
    "BillingProfileName AccountOwnerId AccountName SubscriptionId SubscriptionName Date Product PartNumber MeterId "
    "ServiceFamily MeterCategory MeterSubCategory MeterRegion MeterName Quantity EffectivePrice Cost UnitPrice "
    "BillingCurrency ResourceLocation AvailabilityZone ConsumedService ResourceId ResourceName ServiceInfo1 "
    "ServiceInfo2 AdditionalInfo Tags InvoiceSectionId InvoiceSection CostCenter UnitOfMeasure ResourceGroup "
    "ReservationId ReservationName ProductOrderId ProductOrderName OfferId IsAzureCreditEligible Term PublisherName "
    "PlanName ChargeType Frequency PublisherType"
)

Period = tuple[date, date]
"""The first and the last day of a month."""


def write_azure_exports(folder: Path, month: date, lines: Sequence[Line], as_of: date) -> None:
    """Writes both views of a month, each as the run of that morning overwrote it."""
    period = month, month_after(month) - timedelta(days=1)
    for view, (export, kind) in EXPORTS.items():
        run = uuid.uuid5(uuid.NAMESPACE_DNS, f"{month:%m}.{export}.alder-finch.example")
        place = f"{export}/{'-'.join(f'{day:%Y%m%d}' for day in period)}/{run}"
        (folder / place).mkdir(parents=True, exist_ok=True)
        rows = [_row(line, view, period) for line in lines if view in _views(line)]
        content = _csv(rows)
        (folder / place / "part_0_0001.csv").write_bytes(content)
        manifest = _manifest(export, kind) | {"runInfo": _run(str(run), period, as_of)}
        manifest |= {"byteCount": len(content), "blobCount": 1, "dataRowCount": len(rows)}
        name = f"cost/{place}/part_0_0001.csv"
        manifest["blobs"] = [{"blobName": name, "byteCount": len(content), "dataRowCount": len(rows)}]
        text = json.dumps(manifest, indent=2) + "\n"
        (folder / place / "manifest.json").write_text(text, encoding="utf-8")


def _views(line: Line) -> tuple[str, ...]:
    views = line.native.get("views")
    return views if isinstance(views, tuple) else tuple(EXPORTS)


def _csv(rows: Sequence[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _manifest(export: str, kind: str) -> dict[str, object]:
    owner = f"/providers/Microsoft.Billing/billingAccounts/{BILLING_ACCOUNT}"
    return {
        "manifestVersion": "2024-04-01",
        "exportConfig": {
            "exportName": export,
            "resourceId": f"{owner}/providers/Microsoft.CostManagement/exports/{export}",
            "dataVersion": "c360-2025-04",
            "apiVersion": "2025-03-01",
            "type": kind,
            "timeFrame": "MonthToDate",
            "granularity": "Daily",
        },
        "deliveryConfig": {
            "partitionData": True,
            "dataOverwriteBehavior": "OverwritePreviousReport",
            "fileFormat": "Csv",
            "compressionMode": "None",
            "rootFolderPath": "cost",
        },
    }


def _run(run: str, period: Period, as_of: date) -> dict[str, str]:
    return {
        "executionType": "Scheduled",
        "submittedTime": f"{as_of}T02:11:00.0000000Z",
        "runId": run,
        "startDate": f"{period[0]}T00:00:00",
        "endDate": f"{period[1]}T00:00:00",
    }


def _row(line: Line, view: str, period: Period) -> dict[str, str]:
    cost = line.cost if view == "actual" else line.effective_cost
    quantity = line.pricing_quantity or Decimal(0)
    resource = line.resource_id or ""
    price = cost / quantity if quantity else Decimal(0)
    row = {
        **_account(line, period),
        "Date": f"{line.start:%m/%d/%Y}",
        "Product": line.description,
        "MeterId": str(uuid.uuid5(uuid.NAMESPACE_OID, line.sku_id or "")),
        "ServiceFamily": line.service_category,
        "MeterCategory": line.service_name,
        "MeterRegion": "Global" if line.service_name == "Foundry Models" else "US East 2",
        "MeterName": line.sku_id or "",
        "Quantity": f"{quantity:f}",
        "EffectivePrice": f"{price:.10f}",
        "Cost": f"{cost:f}",
        "UnitPrice": f"{line.unit_price or 0:f}",
        "UnitOfMeasure": line.pricing_unit or "",
        "ResourceLocation": "eastus2",
        "ResourceId": resource,
        "ResourceName": resource.rpartition("/")[2],
        "ResourceGroup": resource.partition("/resourcegroups/")[2].partition("/")[0],
        "Tags": json.dumps(dict(line.tags))[1:-1] if line.tags else "",
        "ChargeType": line.charge_category,
        "Frequency": "UsageBased" if line.frequency == "Usage-Based" else line.frequency,
    }
    return row | {name: str(value) for name, value in line.native.items() if name in COLUMNS}


def _account(line: Line, period: Period) -> dict[str, str]:
    return {
        "BillingAccountId": BILLING_ACCOUNT,
        "BillingAccountName": COMPANY,
        "BillingPeriodStartDate": f"{period[0]:%m/%d/%Y}",
        "BillingPeriodEndDate": f"{period[1]:%m/%d/%Y}",
        "BillingProfileId": "ALDR-FNCH-1847",
        "BillingProfileName": COMPANY,
        "SubscriptionId": line.sub_account_id,
        "SubscriptionName": "legal" if line.sub_account_id == LEGAL_SUBSCRIPTION else "shared",
        "BillingCurrency": "USD",
        "IsAzureCreditEligible": "true",
        "PublisherType": "Azure",
    }
