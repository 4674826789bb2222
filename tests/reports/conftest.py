"""One team's month, small enough to add up by hand."""

import os
import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from reports.given import Period, ReconciliationLine, SharedFacts, SourceFreshness, Team, TeamRows

JULY = date(2026, 7, 1)
JUNE = date(2026, 6, 1)
MONEY = pl.Decimal(38, 12)


def charge(
    amount: str, day: int = 1, *, month: date = JULY, team_id: str | None = "search", **more: object
) -> dict[str, object]:
    """One chargeback row; `more` overrides any column. Without `reported` it is in the reporting currency."""
    row: dict[str, object] = {
        "billing_period": month,
        "charge_date": month.replace(day=day),
        "account": f"team:{team_id}" if team_id else "residual:idle",
        "team_id": team_id,
        "provider_name": "OpenAI",
        "service_name": "OpenAI API",
        "model_id": "gpt-5",
        "feature": "answers",
        "cost_kind": "api",
        "rule_kind": "direct",
        "billing_currency": "USD",
        "effective_cost": Decimal(amount),
        "reporting_currency": "USD",
        "reporting_effective_cost": Decimal(amount),
        "exchange_rate": Decimal(1),
        "exchange_rate_source": None,
        "period_state": "final",
        "corrected_period": None,
    }
    return {**row, **more}


def foreign(
    amount: str, currency: str, rate: str | None, reported: str | None, day: int = 1, **more: object
) -> dict[str, object]:
    """One chargeback row in another currency; `reported` is what it is in the reporting one, None without a rate."""
    return {
        **charge(amount, day),
        "billing_currency": currency,
        "reporting_effective_cost": reported and Decimal(reported),
        "exchange_rate": rate and Decimal(rate),
        "exchange_rate_source": rate and "ECB",
        **more,
    }


def gpu_row(
    amount: str,
    seconds: int,
    state: str,
    *,
    team_id: str | None = "search",
    month: date = JULY,
    layer: str | None = None,
    unfilled: str = "0",
) -> dict[str, object]:
    """One gpu_waste row."""
    return {
        "billing_period": month,
        "charge_date": month,
        "cluster": "eu-1",
        "gpu_model_name": "H100",
        "account": f"team:{team_id}" if team_id else "residual:idle",
        "team_id": team_id,
        "gpu_state": state,
        "waste_layer": layer or state,
        "under_used_cost": Decimal(unfilled),
        "gpu_seconds": seconds,
        "effective_cost": Decimal(amount),
        "billing_currency": "USD",
    }


CHARGE_SCHEMA = {
    **dict.fromkeys(charge("0"), pl.String),
    "billing_period": pl.Date,
    "corrected_period": pl.Date,
    "charge_date": pl.Date,
    "effective_cost": MONEY,
    "reporting_effective_cost": MONEY,
    "exchange_rate": pl.Decimal(18, 9),
}
GPU_SCHEMA = {
    **dict.fromkeys(gpu_row("0", 0, ""), pl.String),
    "billing_period": pl.Date,
    "charge_date": pl.Date,
    "gpu_seconds": pl.Int64,
    "effective_cost": MONEY,
    "under_used_cost": MONEY,
}


def charges(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CHARGE_SCHEMA, orient="row")


def gpus(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=GPU_SCHEMA, orient="row")


def served(
    amount: str | None, naming: str = "customer", customer: str = "", user: str = "", **more: object
) -> dict[str, object]:
    """One row of chargeback_by_customer, in dollars; without an amount five of a currency that has no rate."""
    row: dict[str, object] = {
        "billing_period": JULY,
        "account": "team:search",
        "team_id": "search",
        "product": None,
        "feature": "answers",
        "naming": naming,
        "customer_hash": customer,
        "user_hash": user,
        "billing_currency": "USD",
        "effective_cost": Decimal(amount or "5"),
        "billed_cost": Decimal(amount or "5"),
        "reporting_currency": "USD",
        "reporting_effective_cost": amount and Decimal(amount),
        "corrected_period": None,
    }
    return {**row, **more}


SERVED_SCHEMA = {
    **dict.fromkeys(served("0"), pl.String),
    "billing_period": pl.Date,
    "corrected_period": pl.Date,
    **dict.fromkeys(("effective_cost", "billed_cost", "reporting_effective_cost"), MONEY),
}


def customers(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SERVED_SCHEMA, orient="row")


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None and os.environ.get("FARTHING_REQUIRE_SERVERS"):
        pytest.fail("chromium is required here; install the Debian package chromium")
    if found is None:
        pytest.skip("no chromium; install the Debian package chromium")
    return found


@pytest.fixture
def team() -> Team:
    return Team("search", "Search & Answers", "Product", "CC-4100")


@pytest.fixture
def period() -> Period:
    return Period(JULY, "provisional", datetime(2026, 8, 3, 2, 10))


@pytest.fixture
def rows() -> TeamRows:
    """$1,000.00: APIs 600.004, GPUs 399.996; the month before was $800.00."""
    gpu = {
        "provider_name": "AWS",
        "service_name": "EC2",
        "model_id": "",
        "cost_kind": "gpu",
        "rule_kind": "gpu_seconds",
    }
    return TeamRows(
        chargeback=charges(
            charge("300.002", 2),
            charge("200.001", 9, model_id="claude-sonnet-5", provider_name="Anthropic", service_name="Claude API"),
            charge("100.001", 14, feature="summaries", rule_kind="priced_tokens"),
            charge("399.996", 14, feature="", **gpu),
        ),
        gpu=gpus(
            gpu_row("240", 360_000, "effective"),
            gpu_row("100", 150_000, "allocated_idle"),
            gpu_row("39.996", 60_000, "under_used", unfilled="12.504"),
        ),
        previous=charges(
            charge("500", 2, month=JUNE),
            charge("300", 20, month=JUNE, feature="", **gpu),
        ),
    )


@pytest.fixture
def shared() -> SharedFacts:
    """A bill of $5,000.00 and two cents that rounding must not lose."""
    return SharedFacts(
        company="Example Ltd",
        currency="USD",
        bill_total=Decimal("5000.02"),
        allocated_total=Decimal("4500.005"),
        residuals=(("residual:idle", Decimal("400.005")), ("residual:unallocated", Decimal("100.010"))),
        reconciliation=(
            ReconciliationLine(
                provider_id="openai",
                billed_cost=Decimal("1200.10"),
                estimated_cost=Decimal("1150.05"),
                difference=Decimal("50.05"),
                causes={"cache_class": Decimal("30.00"), "discount": Decimal("-4.95"), "bypass": Decimal("25.00")},
                token_coverage_ratio=0.982,
                unexplained_ratio=0.0034,
                unpriced_tokens=Decimal(12345),
            ),
            ReconciliationLine(
                provider_id="anthropic",
                billed_cost=Decimal("800.00"),
                estimated_cost=Decimal("800.00"),
                difference=Decimal(0),
                causes={},
                token_coverage_ratio=1.0,
            ),
        ),
        freshness=(
            SourceFreshness("aws-bill", "committed"),
            SourceFreshness("gateway", "incomplete", (date(2026, 7, 30), date(2026, 7, 31)), "The log ends at 18:00."),
        ),
        snapshot_id="2026-08-03T0210",
        config_hash="sha256:5d41402a",
        contact="finops@example.com",
    )


@pytest.fixture
def many_lines() -> Callable[[], TeamRows]:
    """A month of every day and many lines, for looks and speed."""

    def build() -> TeamRows:
        made: list[dict[str, object]] = []
        for day in range(1, 32):
            for n, model in enumerate(("gpt-5", "claude-sonnet-5", "gemini-3-pro", "gpt-5-mini")):
                amount = f"{(day * 37 + n * 91) % 140 + 20 + n}.{day:02}{n}"
                made.append(charge(amount, day, model_id=model, feature=("answers", "ranking", "summaries", "")[n]))
            gpu = {
                "provider_name": "AWS",
                "service_name": "EC2",
                "model_id": "",
                "cost_kind": "gpu",
                "rule_kind": "gpu_seconds",
            }
            made.append(charge(f"{120 + day % 5}.337", day, feature="ranking", **gpu))
            made.append(charge("6.501", day, feature="", model_id="", service_name="Vector store", cost_kind="other"))
        return TeamRows(
            charges(*made),
            gpus(
                gpu_row("2900.5", 3_000_000, "effective"),
                gpu_row("500.25", 500_000, "allocated_idle"),
                gpu_row("300", 310_000, "under_used", unfilled="120"),
                gpu_row("40", 41_000, "unknown"),
            ),
            charges(charge("9000", month=JUNE), charge("3000", month=JUNE, **gpu)),
        )

    return build
