"""The charges of a month as each provider tells them: FOCUS, columns of one's own, the exports of the three clouds,
the answers of the providers' cost interfaces.

A bill is told again and again: what was told before lies beside it where the provider leaves it there.
"""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.calendar import next_month
from tests.connectors.aws import bill_reports as aws
from tests.connectors.azure import written as azure
from tests.connectors.gcp import lines as google
from tests.connectors.openrouter import written as openrouter

Line = Mapping[str, str]
Files = dict[str, bytes]
"""By path; the file that was told last comes first."""


def focus(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """A file of FOCUS; told again, there are two of them."""
    del is_finished
    last = tellings[-1]
    text = "\n".join([",".join(last[0]), *(_csv(row) for row in last)]) + "\n"
    return _in_folder(month, "bill.csv", text.encode(), len(tellings))


def google_export(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """The same charges as Google's own export says them: a cost, and a credit that halves it."""
    del is_finished
    return _in_folder(month, "bill.jsonl", google.json_lines(*map(_exported, tellings[-1])), len(tellings))


def aws_executions(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """CUR 2.0 that keeps every execution in a folder of its own; each has a manifest, the last one when it is finished."""
    files: Files = {}
    for number in range(len(tellings), 0, -1):
        execution = f"BILLING_PERIOD={month:%Y-%m}/{month}T0{number}:00:00.000Z-{number}"
        report = f"data/{execution}/acme-00001.csv.gz"
        files[report] = gzip.compress(aws.csv_report(*map(_reported, tellings[number - 1])), mtime=0)
        if is_finished or number < len(tellings):
            files[f"metadata/{execution}/acme-Manifest.json"] = _manifest(report)
    return files


def aws_overwritten(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """CUR 2.0 overwritten in place, in two files, beside one that an earlier, longer execution left."""
    del is_finished
    folder, last = f"data/BILLING_PERIOD={month:%Y-%m}", [*map(_reported, tellings[-1])]
    parts = [part for part in (last[: len(last) // 2], last[len(last) // 2 :]) if part]
    files = {f"{folder}/acme-0000{n}.csv": aws.csv_report(*part) for n, part in enumerate(parts, 1)}
    manifest = _manifest(*files)
    files[f"{folder}/acme-00009.csv"] = aws.csv_report(*map(_reported, tellings[0]))
    return {**files, f"metadata/BILLING_PERIOD={month:%Y-%m}/acme-Manifest.json": manifest}


def azure_views(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """Both views of an export; a run lies beside those before it, and writes its manifest when it is finished."""
    files: Files = {}
    days = f"{month:%Y%m%d}-{next_month(month) - timedelta(days=1):%Y%m%d}"
    for number in range(len(tellings), 0, -1):
        for view, kind in (("actual", "ActualCost"), ("amortized", "AmortizedCost")):
            lines = [found for row in tellings[number - 1] if (found := _viewed(row, view))]
            blobs = {"part_0_0001.csv": azure.csv_of(*lines)} if lines else {}
            run = f"{view}/{days}/run-{number}"
            files |= {f"{run}/{name}": content for name, content in blobs.items()}
            if is_finished or number < len(tellings):
                began = {"submittedTime": f"{month}T0{number}:00:00.0000000Z", "runId": f"run-{number}"}
                files[f"{run}/manifest.json"] = azure.manifest(kind, blobs, runInfo=began)
    return files


def mapped_columns(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """A CSV in columns of its own, in hundredths; told again, there are two of them."""
    del is_finished
    rows = [
        {
            "Day": row["ChargePeriodStart"][:10],
            "Thing": row["ResourceId"],
            "Hundredths": str(Decimal(row["BilledCost"]) * 100),
            "Team": json.loads(row["Tags"])["team"],
        }
        for row in tellings[-1]
    ]
    text = "\n".join([",".join(rows[0]), *map(_csv, rows)]) + "\n"
    return _in_folder(month, "own.csv", text.encode(), len(tellings))


def openai_answers(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """Saved answers of the costs: a bucket a day, in two pages."""
    del is_finished
    buckets: list[Any] = []
    for day, rows in _by_day(tellings[-1]):
        costs = [
            {
                "object": "organization.costs.result",
                "amount": {"value": row["BilledCost"], "currency": "usd"},
                "line_item": f"web search | {row['ResourceId']}",
                "project_id": json.loads(row["Tags"])["team"],
            }
            for row in rows
        ]
        start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        buckets.append({"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": costs})
    half = len(buckets) // 2
    pages = [{"data": buckets[:half], "next_page": "2"}, {"data": buckets[half:], "next_page": None}]
    return {
        f"{month:%Y-%m}/costs/page-{number}.json": json.dumps(
            {"object": "page", "has_more": page["next_page"] is not None, **page}
        ).encode()
        for number, page in enumerate(pages, 1)
    }


def anthropic_answers(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """The saved answer of the cost report: a bucket a day, amounts in cents."""
    del is_finished
    buckets = [
        {
            "starting_at": f"{day}T00:00:00Z",
            "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
            "results": [
                {
                    "currency": "USD",
                    "amount": str(Decimal(row["BilledCost"]) * 100),
                    "workspace_id": json.loads(row["Tags"])["team"],
                    "description": f"Code Execution {row['ResourceId']}",
                    "cost_type": "code_execution",
                    **dict.fromkeys(("context_window", "model", "service_tier", "token_type", "inference_geo")),
                }
                for row in rows
            ],
        }
        for day, rows in _by_day(tellings[-1])
    ]
    answer = {"data": buckets, "has_more": False, "next_page": None}
    return {f"{month:%Y-%m}/cost_report/page-1.json": json.dumps(answer).encode()}


def openrouter_answers(month: date, tellings: Sequence[Sequence[Line]], *, is_finished: bool) -> Files:
    """Saved reports of activity: a file a day; told again, a day has a second page that says the same."""
    del month, is_finished
    files: Files = {}
    for day, rows in _by_day(tellings[-1]):
        used = [
            openrouter.row(
                day,
                usage=row["BilledCost"],
                endpoint_id=row["ResourceId"],
                workspace_id=json.loads(row["Tags"])["team"],
            )
            for row in rows
        ]
        for number in range(1, len(tellings)):
            files[f"{day}/activity/page-{number}.json"] = openrouter.page(*used)
    return files


WRITERS: Mapping[str, Callable[..., Files]] = {
    "first": focus,
    "mapped": mapped_columns,
    "openai": openai_answers,
    "anthropic": anthropic_answers,
    "openrouter": openrouter_answers,
    "google": google_export,
    "azure": azure_views,
    "aws-executions": aws_executions,
    "aws-overwritten": aws_overwritten,
}


def costs_of(account: str, cost: str, number: int) -> tuple[str, str]:
    """What the account's charge of that number is billed, and is worth: at Azure some are one of the two alone."""
    if account != "azure" or number == 2:
        return cost, cost
    return (cost, "0") if number else ("0", cost)


def _by_day(lines: Sequence[Line]) -> list[tuple[date, list[Line]]]:
    """The lines of each day, in their order."""
    days: dict[date, list[Line]] = {}
    for row in lines:
        days.setdefault(date.fromisoformat(row["ChargePeriodStart"][:10]), []).append(row)
    return sorted(days.items())


def _in_folder(month: date, name: str, content: bytes, count: int) -> Files:
    again = {f"{month:%Y-%m}/again-{name}": content} if count > 2 else {}
    return {f"{month:%Y-%m}/{name}": content, **again}


def _manifest(*reports: str) -> bytes:
    return json.dumps({"dataFiles": [f"s3://bills/{report}" for report in reports]}).encode()


def _csv(row: Line) -> str:
    return ",".join('"' + value.replace('"', '""') + '"' for value in row.values())


def _exported(row: Line) -> dict[str, Any]:
    start, labels = row["ChargePeriodStart"], json.loads(row["Tags"])
    billed = float(row["BilledCost"])
    return google.line(
        invoice={"month": row["BillingPeriodStart"][:7].replace("-", "")},
        usage_start_time=f"{start[:10]} 00:00:00 UTC",
        usage_end_time=f"{start[:10]} 01:00:00 UTC",
        labels=[{"key": key, "value": value} for key, value in labels.items()],
        project={"labels": []},
        resource={"name": row["ResourceId"], "global_name": f"//compute/{row['ResourceId']}"},
        cost=billed * 2,
        credits=[google.credit("PROMOTION", -billed)],
    )


def _reported(row: Line) -> dict[str, str]:
    return aws.line(
        cost=row["BilledCost"],
        bill_billing_period_start_date=row["BillingPeriodStart"],
        bill_billing_period_end_date=row["BillingPeriodEnd"],
        bill_payer_account_id=row["BillingAccountId"],
        line_item_usage_start_date=row["ChargePeriodStart"],
        line_item_usage_end_date=row["ChargePeriodEnd"],
        line_item_resource_id=row["ResourceId"],
        resource_tags=row["Tags"].replace('"team"', '"user_team"'),
    )


def _viewed(row: Line, view: str) -> dict[str, str] | None:
    """The line as a view has it: the actual one what is billed, the other one what it is worth."""
    is_bought, is_covered = row["EffectiveCost"] == "0", row["BilledCost"] == "0"
    if is_bought and view == "amortized":
        return None
    kind: Mapping[str, str] = azure.PURCHASE if is_bought else azure.COVERED if is_covered else {}
    day, month = date.fromisoformat(row["ChargePeriodStart"][:10]), date.fromisoformat(row["BillingPeriodStart"][:10])
    return azure.line(
        **{
            **kind,
            "BillingPeriodStartDate": f"{month:%m/%d/%Y}",
            "BillingPeriodEndDate": f"{next_month(month) - timedelta(days=1):%m/%d/%Y}",
            "Date": f"{day:%m/%d/%Y}",
            "ResourceId": f"{azure.GROUP}/Microsoft.Compute/virtualMachines/{row['ResourceId']}",
            "Cost": row["BilledCost" if view == "actual" else "EffectiveCost"],
            "Tags": row["Tags"].strip("{}"),
        }
    )
