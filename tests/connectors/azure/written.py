"""Hand-written Azure exports: one good line of an enterprise agreement, files, manifests, and whole runs in a folder."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from connectors.azure.bill import SOURCE
from connectors.azure.bill_settings import AzureBillSettings
from connectors.base import Bytes, LandedPage, Page, Parsed, Window
from connectors.windows import month_window

SEPTEMBER = month_window(date(2026, 9, 1))
SUBSCRIPTION = "aaaaaaaa-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers"
RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/cccccccc-0001/reservations/dddddddd-0001"

LINE: Mapping[str, str] = {
    "BillingAccountId": "11112222",
    "BillingAccountName": "Acme",
    "BillingPeriodStartDate": "09/01/2026",
    "BillingPeriodEndDate": "09/30/2026",
    "SubscriptionId": SUBSCRIPTION,
    "SubscriptionName": "ml-prod",
    "Date": "09/03/2026",
    "Product": "Virtual Machines NDsrH100v5 Series - ND96isr H100 v5 - US East 2",
    "MeterId": "bbbbbbbb-0000-4000-8000-000000000009",
    "ServiceFamily": "Compute",
    "MeterCategory": "Virtual Machines",
    "MeterSubCategory": "NDsrH100v5 Series",
    "MeterName": "ND96isr H100 v5",
    "Quantity": "2",
    "EffectivePrice": "90",
    "Cost": "180",
    "UnitPrice": "90",
    "PayGPrice": "98.32",
    "BillingCurrency": "USD",
    "ResourceLocation": "EastUS2",
    "ResourceId": f"{GROUP}/Microsoft.Compute/virtualMachines/Trainer-1",
    "AdditionalInfo": '{"ServiceType":"Standard_ND96isr_H100_v5","VMName":"Trainer-1","VCPUs":96}',
    "Tags": '"team": "search","env": "prod"',
    "UnitOfMeasure": "1 Hour",
    "ChargeType": "Usage",
    "Frequency": "UsageBased",
    "PricingModel": "OnDemand",
    "ReservationId": "",
    "ReservationName": "",
    "ProductOrderId": "",
    "Term": "",
    "benefitId": "",
    "benefitName": "",
    "PublisherType": "Azure",
}
"""Two hours of a machine with eight GPUs, on demand, at a negotiated price."""

PURCHASE: Mapping[str, str] = {
    "ChargeType": "Purchase",
    "Frequency": "OneTime",
    "PricingModel": "Reservation",
    "Cost": "8640",
    "Quantity": "1",
    "Term": "1 Year",
    "ReservationId": "dddddddd-0001",
    "ReservationName": "h100-1y",
    "benefitId": RESERVATION,
    "benefitName": "h100-1y",
    "AdditionalInfo": "",
    "ResourceId": "",
}
COVERED: Mapping[str, str] = {
    "PricingModel": "Reservation",
    "ReservationId": "dddddddd-0001",
    "ReservationName": "h100-1y",
    "benefitId": RESERVATION,
    "benefitName": "h100-1y",
    "Quantity": "20",
}
"""Usage that the reservation covers: free in the actual view."""
UNUSED: Mapping[str, str] = {
    **COVERED,
    "ChargeType": "UnusedReservation",
    "Quantity": "4",
    "ResourceId": "",
    "AdditionalInfo": "",
}


def line(**over: str) -> dict[str, str]:
    """The good line with other values; `-` leaves a column out."""
    return {name: value for name, value in {**LINE, **over}.items() if value != "-"}


def csv_of(*lines: Mapping[str, str]) -> bytes:
    """The lines as a CSV with a byte order mark, as Azure writes it."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(lines[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def lines_of(content: bytes) -> list[dict[str, str]]:
    """The lines of a CSV, read without our reader."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def total(lines: Sequence[Mapping[str, str]], column: str = "Cost") -> Decimal:
    """The lines' costs added up, exactly."""
    return sum((Decimal(found[column]) for found in lines), Decimal(0))


def manifest(kind: str | None, files: Mapping[str, bytes], rows: int | None = None, **over: Any) -> bytes:
    """A manifest of those blobs; without a kind, one of 2021-01-01."""
    listed = [{"blobName": f"cost/{name}", "byteCount": len(content)} for name, content in files.items()]
    counted = sum(len(lines_of(content)) for content in files.values()) if rows is None else rows
    found: dict[str, Any] = {
        "manifestVersion": "2024-04-01" if kind else "2021-01-01",
        "byteCount": sum(map(len, files.values())),
        "blobCount": len(files),
        "dataRowCount": counted,
        "blobs": listed,
    }
    if kind:
        found["exportConfig"] = {"exportName": "daily", "type": kind, "dataVersion": "2021-10-01"}
        found["runInfo"] = {"submittedTime": "2026-09-04T07:02:11.0000000Z", "runId": "run-1"}
    return json.dumps({**found, **over}).encode()


def settings(**over: Any) -> AzureBillSettings:
    """Both views of a bill."""
    views = {"location": "/nowhere", "actual": "actual", "amortized": "amortized"}
    given = {"name": "azure", "credentials": "ambient", **views, **over}
    return AzureBillSettings.model_validate({name: value for name, value in given.items() if value is not None})


def run_of(
    folder: Path, export: str, kind: str | None, files: Mapping[str, bytes], hour: str = "", **over: Any
) -> Path:
    """A run of an export below `folder`: its blobs and its manifest. Returns the run's folder."""
    place = folder / export / "20260901-20260930" / hour / f"run-{hour or 1}"
    place.mkdir(parents=True, exist_ok=True)
    named = {f"{export}/{name}": content for name, content in files.items()}
    for name, content in files.items():
        (place / name).write_bytes(content)
    (place / "manifest.json").write_bytes(manifest(kind, named, **over))
    return place


def landed(pages: Sequence[Page]) -> list[LandedPage]:
    """Pages after landing: one content is one page, under its first name."""
    found: dict[str, LandedPage] = {}
    for page in pages:
        with page.body.open() as stream:
            content = stream.read()
        digest = hashlib.sha256(content).hexdigest()
        found.setdefault(digest, LandedPage(page.name, digest, Bytes(content)))
    return list(found.values())


def night(given: AzureBillSettings, window: Window = SEPTEMBER) -> list[Parsed]:
    """Fetches, lands and parses a month."""
    return list(SOURCE.parse(given, window, landed(list(SOURCE.fetch(given, window)))))


def frame(chunks: Sequence[Parsed]) -> pl.DataFrame:
    """All rows."""
    return pl.concat([pl.DataFrame(chunk.rows) for chunk in chunks])


def both_views(
    folder: Path, actual: Sequence[Mapping[str, str]], amortized: Sequence[Mapping[str, str]]
) -> list[Parsed]:
    """What becomes of two exports with those lines."""
    run_of(folder, "actual", "ActualCost", {"part_0_0001.csv": csv_of(*actual)})
    run_of(folder, "amortized", "AmortizedCost", {"part_0_0001.csv": csv_of(*amortized)})
    return night(settings(location=str(folder)))
