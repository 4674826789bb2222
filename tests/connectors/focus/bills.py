"""Hand-written FOCUS bills: one good line, and the columns that each version of the standard demands of a file."""

import csv
import gzip
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.base import Bytes, LandedPage, Parsed, Window
from connectors.focus import SOURCE, FocusSettings
from connectors.windows import month_window

SEPTEMBER = date(2026, 9, 1)

LINE: Mapping[str, str] = {
    "BillingAccountId": "111122223333",
    "BillingAccountName": "acme",
    "SubAccountId": "444455556666",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-09-01T00:00:00Z",
    "BillingPeriodEnd": "2026-10-01T00:00:00Z",
    "ChargePeriodStart": "2026-09-03T00:00:00Z",
    "ChargePeriodEnd": "2026-09-03T01:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeDescription": "p5.48xlarge per hour",
    "BilledCost": "55.04",
    "EffectiveCost": "31.464",
    "ListCost": "98.32",
    "ContractedCost": "55.04",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "ProviderName": "AWS",
    "InvoiceIssuerName": "Amazon Web Services, Inc.",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "ResourceId": "i-0aaaaaaaaaaaaaaa1",
    "Tags": '{"team":"search","env":"prod"}',
}


def line(**over: str) -> dict[str, str]:
    """The good line, with other values; a value of `-` leaves the column out."""
    return {name: value for name, value in {**LINE, **over}.items() if value != "-"}


def csv_bill(*lines: Mapping[str, str], columns: Sequence[str] | None = None) -> bytes:
    """The lines as a CSV; the columns are those of the first line."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


def gz_bill(*lines: Mapping[str, str]) -> bytes:
    """The same, compressed; the same lines give the same bytes."""
    return gzip.compress(csv_bill(*lines), mtime=0)


def parquet_bill(table: pa.Table) -> bytes:
    """A table as Parquet."""
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def settings(**over: object) -> FocusSettings:
    """Settings that parsing needs."""
    return FocusSettings.model_validate({"name": "bill", "location": "/nowhere", **over})


def page(content: bytes, name: str = "2026-09/bill.csv") -> LandedPage:
    """The content as it lands."""
    return LandedPage(name, hashlib.sha256(content).hexdigest(), Bytes(content))


def september() -> Window:
    """The window of the good line."""
    return month_window(SEPTEMBER)


class Read:
    """All that parsing some pages gave."""

    def __init__(self, chunks: Sequence[Parsed]) -> None:
        self.chunks = chunks
        self.rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
        self.rejects = [reject for chunk in chunks for reject in chunk.rejects]
        self.duplicate_count = sum(chunk.duplicate_count for chunk in chunks)
        self.notices = [notice for chunk in chunks for notice in chunk.notices]
        self.closing = chunks[-1]

    def total(self, column: str) -> Decimal:
        return sum((row[column] for row in self.rows), Decimal(0))


def read(*contents: bytes, window: Window | None = None, **over: object) -> Read:
    """Parses the contents as one delivery of September."""
    pages = [page(content, f"2026-09/{n}.csv") for n, content in enumerate(contents)]
    return Read(list(SOURCE.parse(settings(**over), window or september(), pages)))


def only(read_: Read) -> dict[str, object]:
    """The one row of a bill that must be whole."""
    assert read_.rejects == []
    (row,) = read_.rows
    return row
