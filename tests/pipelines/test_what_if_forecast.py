"""`farthing what-if forecast`: which part of a series follows, and what becomes of its month's end and budgets."""

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from pipelines.cli.what_if_forecast import Asked, read_series, what_if_forecast
from tests.sql.golden import filled

MONTH, SETTLED = date(2026, 11, 1), date(2026, 11, 20)
SCOPE = {"account": "", "provider_name": "", "model_id": "", "feature": "", "outcome_kind": "", "business_unit": ""}
SCOPE |= {"metric": "cost"}
AMOUNTS = {"settled_amount": "500", "scheduled_amount": "100", "unsettled_estimate": "0", "month_end_p50": "1000"}


def forecast(**changed: Any) -> dict[str, Any]:
    """600 settled or awaited, 400 left: 1,000 in the middle, 900 and 1,200 at the edges."""
    named = {"billing_period": MONTH, "level": "organisation", "unit": "USD", "settled_date": SETTLED}
    edges = {"month_end_p10": "900", "month_end_p90": "1200"}
    quantiles = {"quantiles": json.dumps({"0.1": "900", "0.5": "1000", "0.9": "1200"})}
    return {**named, **SCOPE, **AMOUNTS, **edges, **quantiles, "remaining_days": 10, **changed}


def charge(kind: str, cost: str, day: date = SETTLED, **changed: Any) -> dict[str, Any]:
    of = {"charge_date": day, "cost_kind": kind, "effective_cost": cost, "account": "team:search"}
    usage = {"charge_category": "Usage", "is_correction": False, "billing_currency": "USD", "provider_name": "OpenAI"}
    return {**of, **usage, "billing_period": day.replace(day=1), **changed}


CHARGES = [
    charge("api", "30"),
    charge("gpu", "90"),
    charge("gpu", "999", date(2026, 10, 23)),  # four weeks and a day before
    charge("gpu", "999", date(2026, 11, 21)),  # not settled
    charge("api", "999", is_correction=True),
]
NOVEMBER = {"billing_period": MONTH, "billing_currency": "USD"}
RATES: list[dict[str, Any]] = [
    {**NOVEMBER, "exchange_rate": "1"},
    {**NOVEMBER, "exchange_rate": "7", "corrected_period": date(2026, 9, 1)},  # of another month's money
    {**NOVEMBER, "exchange_rate": "1.1", "billing_currency": "EUR"},
    {**NOVEMBER, "exchange_rate": None, "billing_currency": "JPY"},
]
EURO: dict[str, Any] = {"billing_currency": "EUR"}


def published(
    forecasts: list[dict[str, Any]], charges: Sequence[dict[str, Any]] = CHARGES
) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect()
    budget = {**SCOPE, "billing_period": MONTH, "budget_id": "company", "budget_amount": "1100", "unit": "USD"}
    tables: dict[str, list[dict[str, Any]]] = {"forecasts": forecasts, "budget_status": [budget]}
    tables |= {"costs_by_category": [*charges], "chargeback": RATES}
    for name, rows in tables.items():
        database.register(name, filled(name, rows))
    return database


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes rows of forecasts what the command reads."""

    def serve(*forecasts: dict[str, Any]) -> None:
        lake = type("Lake", (), {"published": lambda self: self, "database": lambda _: published([*forecasts])})
        monkeypatch.setattr("pipelines.lake.Lake", type("Opened", (), {"open": staticmethod(lambda *_: lake())}))
        monkeypatch.setattr("pipelines.config.place.lake_place", lambda _: ())

    return serve


def test_what_follows_is_the_part_that_was_paid_for_tokens_in_four_settled_weeks() -> None:
    team = forecast(level="account", account="team:mail")
    tokens = forecast(level="account", account="team:mail", metric="tokens", unit="tokens")
    provider = forecast(level="provider", provider_name="OpenAI")
    whole, unknown, counted = read_series(published([tokens, provider, team, forecast()]), MONTH)
    assert whole.follows == Fraction(30, 120)
    assert [budget["budget_id"] for budget in whole.budgets] == ["company"]
    assert (unknown.follows, counted.follows) == (None, 1)  # nothing was charged to the team: nobody knows
    assert unknown.budgets == counted.budgets == []


@pytest.mark.parametrize(
    ("cost", "changed"),
    [
        ("1000", {"charge_category": "Purchase"}),  # a support plan
        ("-1400", {"charge_category": "Credit"}),
        ("380", {"charge_category": "Tax"}),
        ("5", {"billing_currency": "JPY"}),  # without a rate, and so in no forecast
    ],
)
def test_what_is_no_usage_has_no_say_in_what_of_the_usage_follows(cost: str, changed: dict[str, Any]) -> None:
    """A hundred dollars a day of tokens, and one charge beside: twice the requests are twice all that is left."""
    tokens = [charge("api", "100", SETTLED - timedelta(days=number)) for number in range(28)]
    rates = {**NOVEMBER, "billing_period": date(2026, 10, 1), "exchange_rate": "1"}
    database = published([forecast()], [*tokens, charge("other", cost, **changed)])
    database.register("chargeback", filled("chargeback", [*RATES, rates]))
    (whole,) = read_series(database, MONTH)
    assert whole.follows == 1


def test_usage_in_several_currencies_is_weighed_at_the_rate_of_its_month() -> None:
    (whole,) = read_series(published([forecast()], [charge("api", "33"), charge("gpu", "10", **EURO)]), MONTH)
    assert whole.follows == Fraction(33, 44)


def test_a_month_s_end_and_its_budget_under_other_drivers(
    serve: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A quarter follows; three times the requests of the same length at the same price: 600 + 1.5 x 400."""
    october = forecast(billing_period=date(2026, 10, 1), remaining_days=0)
    serve(october, forecast(), forecast(billing_period=date(2026, 12, 1), metric="tokens"))
    assert what_if_forecast(Console(width=160), Path("farthing.yml"), Asked(None, 300, 100, 100)) == 0
    told = capsys.readouterr().out
    assert told.startswith("2026-11, days that are left at 300 % of the requests")
    (row,) = [line for line in told.splitlines() if line.startswith("│")]
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells[:7] == ["everything", "USD", "25 %", "1,000.00", "1,200.00", "1,050.00", "1,500.00"]
    # of 1,100: half way from the middle to the ninth of ten, then a third of the way from the first to the middle
    assert cells[7:] == ["1,100.00", "30%", "77%"]


def test_what_is_not_known_is_said(serve: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    cold = {"month_end_p10": None, "month_end_p90": None, "quantiles": None}
    serve(forecast(**cold), forecast(level="account", account="team:mail", **cold))
    wide = Console(width=160)
    assert what_if_forecast(wide, Path("farthing.yml"), Asked(MONTH, 200, 100, 100)) == 0
    told = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if line.startswith("│")]
    assert rows[0][3:] == ["1,000.00", "1,100.00", "unknown", "unknown", "1,100.00", "unknown", "unknown"]
    assert rows[1][2:5] == ["unknown", "1,000.00", "unknown"]
    assert what_if_forecast(wide, Path("farthing.yml"), Asked(date(2026, 9, 1), 200, 100, 100)) == 2
    assert "No month with days left is forecast as asked. There are: 2026-11." in capsys.readouterr().out
    serve(forecast(remaining_days=0))
    assert what_if_forecast(wide, Path("farthing.yml"), Asked(None, 200, 100, 100)) == 2
