"""The three clouds' exports, read back without any help of the generator: rows as they stand in the files."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

AWS = "exports/aws/alder-finch-cur2"
GCP = "exports/gcp/month=202610/000000000000.parquet"
Row = dict[str, Any]


def money(value: float | None) -> Decimal:
    """A double as what it was written from: its shortest text."""
    return Decimal(repr(value)) if value is not None else Decimal(0)


def aws_file(directory: Path) -> Path:
    (found,) = (directory / AWS / "data" / "BILLING_PERIOD=2026-10").iterdir()
    return found


def aws_rows(directory: Path) -> list[Row]:
    # the partition's name is a folder, not a column
    return pq.read_table(aws_file(directory), partitioning=None).to_pylist(maps_as_pydicts="strict")


def aws_manifest(directory: Path) -> Row:
    name = "metadata/BILLING_PERIOD=2026-10/alder-finch-cur2-Manifest.json"
    return json.loads((directory / AWS / name).read_text())


def aws_billed(row: Row) -> Decimal:
    return money(row["line_item_unblended_cost"])


def aws_effective(row: Row) -> Decimal:
    """AWS' documented amortisation, for the kinds of lines that the export has."""
    match row["line_item_line_item_type"]:
        case "SavingsPlanCoveredUsage":
            return money(row["savings_plan_savings_plan_effective_cost"])
        case "SavingsPlanRecurringFee":
            total, used = row["savings_plan_total_commitment_to_date"], row["savings_plan_used_commitment"]
            return money(total) - money(used)
        case "SavingsPlanNegation":
            return Decimal(0)
        case _:
            return aws_billed(row)


def of_type(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["line_item_line_item_type"] == kind]


def gcp_rows(directory: Path) -> list[Row]:
    return pq.read_table(directory / GCP, partitioning=None).to_pylist()


def gcp_cost(row: Row) -> Decimal:
    """After credits, which are negative."""
    return money(row["cost"]) + sum((money(credit["amount"]) for credit in row["credits"]), Decimal(0))


def azure_run(directory: Path, view: str) -> tuple[Row, bytes]:
    """The manifest of a view's only run, and the content of its only blob."""
    (run,) = (directory / f"exports/azure/{view}-daily/20261001-20261031").iterdir()
    return json.loads((run / "manifest.json").read_text()), (run / "part_0_0001.csv").read_bytes()


def azure_rows(directory: Path, view: str) -> list[dict[str, str]]:
    _, content = azure_run(directory, view)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def azure_cost(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(row["Cost"]) for row in rows), Decimal(0))


def model_cost(directory: Path) -> Decimal:
    """What the clouds' models cost by the token."""
    bedrock = [row for row in aws_rows(directory) if row["product_servicecode"] == "AmazonBedrock"]
    vertex = [row for row in gcp_rows(directory) if row["service"]["description"] == "Vertex AI"]
    azure = [row for row in azure_rows(directory, "actual") if row["UnitOfMeasure"] in ("1K", "1M")]
    return sum(map(aws_effective, bedrock), Decimal(0)) + sum(map(gcp_cost, vertex), Decimal(0)) + azure_cost(azure)
