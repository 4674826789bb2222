"""A company of two bills and one request: the smallest that a whole night can run on."""

import csv
import json
from datetime import date
from pathlib import Path

DAY = date(2026, 10, 31)
CONFIG = """\
company: Small
lake: lake
sources:
  - {name: bill, kind: focus, account: main, location: bills}
  - {name: other-bill, kind: focus, account: other, location: other}
  - {name: gateway, kind: litellm, location: log, hash_key: file:key, trailing_days: 0}
teams:
  - {id: search, name: "../../etc"}
  - {id: support, name: Support}
owners:
  - {id: formula-tag, tag: {key: owner, value: "=SUM(A1)"}, team: search}
  - {id: support-key, gateway_key: support, team: support}
"""


def line(**changes: str) -> dict[str, str]:
    """One FOCUS 1.2 line; what a test does not care about is the same everywhere."""
    return {
        "BilledCost": "10.5",
        "EffectiveCost": "10.5",
        "ListCost": "12",
        "ContractedCost": "10.5",
        "BillingAccountId": "acc-1",
        "BillingAccountName": "Account",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z",
        "ChargePeriodStart": "2026-10-31T00:00:00Z",
        "ChargePeriodEnd": "2026-11-01T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": "Something",
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": "1",
        "ConsumedUnit": "Units",
        "PricingQuantity": "1",
        "PricingUnit": "Units",
        "PricingCategory": "Standard",
        "InvoiceIssuerName": "Cloud",
        "ProviderName": "Cloud",
        "PublisherName": "Cloud",
        "ServiceCategory": "Other",
        "ServiceName": "Service",
        "Tags": '{"owner": "=SUM(A1)"}',
        **changes,
    }


def write_bill(folder: Path, rows: list[dict[str, str]], name: str = "bill.csv") -> Path:
    target = folder / "2026-10" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return target


def write_log(folder: Path, model: str = "gpt-4o", end_user: str = "") -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    row = {
        "id": "chatcmpl-1",
        "trace_id": "t-1",
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "model": model,
        "model_group": model,
        "startTime": 1793448000.0,  # 2026-10-31 12:00 UTC
        "endTime": 1793448001.0,
        "response_cost": 0.0,
        "end_user": end_user,
        **usage,
        "metadata": {"user_api_key_alias": "support", "user_api_key_hash": "ab" * 32, "usage_object": usage},
    }
    target = folder / "log" / DAY.isoformat()
    target.mkdir(parents=True, exist_ok=True)
    (target / "log.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


def write_company(folder: Path) -> Path:
    """Two bills and one log, all of them sound. Returns the configuration."""
    (folder / "farthing.yml").write_text(CONFIG, encoding="utf-8")
    (folder / "key").write_text("k" * 40, encoding="utf-8")
    write_bill(folder / "bills", [line()])
    write_bill(folder / "other", [line(BilledCost="2", EffectiveCost="2", ProviderName="Other", Tags="")])
    write_log(folder)
    return folder / "farthing.yml"
