"""A cause of what is billed carries most of it: what the log grew by beside a purchase is not why the month was dear."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from models.anomalies import anomalies
from tests.models.test_anomalies import ONSET, PICO, Change, company, only, the_alert

BUSIER = only("k3", request_count=1.1, tokens=1.1, cache_read_tokens=1.1, output_tokens=1.1)
"""A tenth more of the ads team's 200 a day: 20 a day."""


def billed(kind: str, provider: str, service: str, cost: int) -> pl.DataFrame:
    """A line of the ads team on each day from the onset on."""
    days = [day for day in company()[0]["day"].unique().sort() if day >= ONSET]
    line: dict[str, Any] = {"account": "team:ads", "model_id": "", "feature": "", "cost_units": cost * PICO}
    named = {"provider_name": provider, "service_name": service, "cost_kind": kind}
    return pl.DataFrame([{"day": day, **line, **named} for day in days])


def told(change: Change, *more: pl.DataFrame, is_logged: bool = True) -> dict[str, Any]:
    costs, usage = company(change)
    bill = pl.concat([costs, *(lines.select(costs.columns) for lines in more)])
    return the_alert(anomalies(bill, usage if is_logged else usage.clear(), currency="USD"))


@pytest.mark.parametrize(
    ("kind", "provider", "service", "cause", "evidence"),
    [
        ("gpu", "Nimbus Compute", "GPU Instances", "gpu_cost", "GPUs cost {cost} more."),
        (
            *("api", "Microsoft", "Foundry Models", "not_logged"),
            "Foundry Models of Microsoft cost {cost} more; what was logged, {logged}.",
        ),
    ],
)
def test_what_only_the_bill_shows_is_named_by_the_bill(
    kind: str, provider: str, service: str, cause: str, evidence: str
) -> None:
    alert = told(BUSIER, billed(kind, provider, service, 300))
    days = (alert["resolved_date"] - ONSET).days
    assert (alert["cause"], alert["onset_date"]) == (cause, ONSET)
    assert alert["evidence"] == evidence.format(cost=f"{300 * days:,.2f}", logged=f"{20 * days:,.2f}")
    assert alert["volume_cost"] + alert["mix_cost"] + alert["price_cost"] == 20 * days
    assert alert["runbook"]


def test_what_the_log_carries_most_of_is_told_by_the_log() -> None:
    # the log costs 800 a day more, the bill 900
    loop = only("k3", request_count=5, tokens=5, cache_read_tokens=5, output_tokens=5)
    assert told(loop, billed("gpu", "Nimbus Compute", "GPU Instances", 100))["cause"] == "runaway_loop"


def test_without_a_log_the_bill_says_so() -> None:
    alert = told(lambda row: row, billed("api", "Microsoft", "Foundry Models", 300), is_logged=False)
    assert alert["cause"] == "not_logged"
    assert alert["evidence"].endswith("more; nothing of it is in the log.")
    assert (alert["volume_cost"], alert["mix_cost"], alert["price_cost"]) == (None, None, None)


def test_where_no_part_carries_half_no_cause_is_named() -> None:
    thirds = [billed("api", provider, "API", 100) for provider in ("Microsoft", "Google", "Mistral")]
    alert = told(lambda row: row, *thirds)
    assert (alert["cause"], alert["evidence"], alert["runbook"]) == (None, None, None)
    assert alert["excess_cost"] == Decimal(300) * ((alert["resolved_date"] - ONSET).days)
