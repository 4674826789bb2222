"""The table of forecasts from what the lake holds: new days make it anew, known ones cost nothing."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.calendar import next_month
from pipelines.house import House, open_house
from pipelines.night.build import Built
from pipelines.night.forecasts import build_forecasts
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

CLOCK = datetime(2026, 9, 19, 5)
REFERENCE = date(1970, 1, 1)


def billed(
    house: House,
    last: date = date(2026, 9, 16),
    currency: str = "USD",
    unit: Callable[[date], str | None] = lambda _: None,
) -> None:
    """Three months at 100 a day of usage, and a fee of 30 on each fifth; up to the last day.

    `unit`: the business unit in which chargeback has the team on a day.
    """
    for month in (date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1)):
        rows: list[dict[str, Any]] = []
        day = month
        while day < min(next_month(month), last + timedelta(days=1)):
            row = {
                "billing_period": month,
                "charge_date": day,
                "account": "team:search",
                "team_id": "search",
                "provider_name": "Cloud",
                "service_name": "Compute",
                "cost_kind": "other",
                "billing_currency": currency,
                "is_correction": False,
                "model_id": "",
                "feature": "",
                "charge_category": "Usage",
                "effective_cost": "100",
            }
            rows.append(row)
            if day.day == 5:
                rows.append(row | {"charge_category": "Purchase", "service_name": "Support", "effective_cost": "30"})
            day += timedelta(days=1)
        house.lake.replace_slice(
            "costs_by_category", month, "farthing", filled("costs_by_category", rows), f"{month}{last}"
        )
        charged = [
            {name: value for name, value in row.items() if name not in ("charge_category", "is_correction")}
            | {
                "reporting_effective_cost": row["effective_cost"] if currency == "USD" else None,
                "period_state": "open",
                "business_unit": unit(row["charge_date"]),
            }
            for row in rows
        ]
        house.lake.replace_slice("chargeback", month, "farthing", filled("chargeback", charged), f"{month}{last}")


def night(house: House) -> tuple[Built, list[dict[str, Any]]]:
    built = build_forecasts(house, date(2026, 9, 18), date(2026, 9, 18))
    return built, house.lake.read("forecasts").to_pylist()


def test_usage_goes_on_and_the_fee_is_not_forecast_twice(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
        built, rows = night(house)
        assert built.problems == ()
        assert {(row["level"], row["account"], row["provider_name"]) for row in rows} == {
            ("organisation", "", ""),
            ("account", "team:search", ""),
            ("provider", "", "Cloud"),
        }
        for row in rows:
            # the newest day less two is settled; 14 days at 100 and the fee, then 16 days at 100
            assert row["settled_date"] == date(2026, 9, 14)
            assert row["settled_amount"] == Decimal(1430)
            assert row["scheduled_amount"] == 0
            assert row["month_end_p50"] == Decimal(3030)


def test_a_fee_that_is_to_come_is_awaited(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house, last=date(2026, 9, 4))
        (row,) = [row for row in night(house)[1] if row["level"] == "organisation"]
        assert (row["scheduled_amount"], row["scheduled_evidence"]) == (Decimal(30), "Cloud Support on 2026-09-05")
        assert (row["settled_amount"], row["month_end_p50"]) == (Decimal(200), Decimal(3030))


def test_known_days_are_not_forecast_again_and_new_ones_are(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
        first, _ = night(house)
        again, rows = night(house)
        assert (len(first.slices), len(again.slices)) == (1, 0)
        billed(house, last=date(2026, 9, 17))
        anew, after = night(house)
        assert len(anew.slices) == 1
        assert rows[0]["settled_date"] < after[0]["settled_date"]


def test_a_budget_has_a_series_of_its_own(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    with open_house(config, "run", clock=lambda: CLOCK) as house:
        billed(house)
        budget = {"budget_id": "b", "metric": "cost", "account": "team:search", "team_id": "search", "unit": "USD"}
        budget |= {"provider_name": "Cloud", "model_id": "", "feature": "", "outcome_kind": "", "business_unit": ""}
        budget |= {"budget_amount": "5000"}
        house.lake.replace_slice("budgets", REFERENCE, "configuration", filled("budgets", [budget]), "b")
        _, rows = night(house)
        (row,) = [row for row in rows if row["level"] == "budget"]
        assert (row["account"], row["provider_name"], row["month_end_p50"]) == ("team:search", "Cloud", Decimal(3030))


def test_a_provider_that_fell_silent_is_named(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
        rows = house.lake.read("costs_by_category", date(2026, 8, 1), date(2026, 9, 1)).to_pylist()
        rows = [row | {name: str(row[name]) for name in ("effective_cost", "billed_cost")} for row in rows]
        monthly = [row | {"provider_name": "Monthly"} for row in rows if row["charge_category"] == "Usage"]
        both = filled("costs_by_category", [*rows, *monthly])
        house.lake.replace_slice("costs_by_category", date(2026, 8, 1), "farthing", both, "both")
        built, _ = night(house)
        assert "nothing was told of Monthly (since 2026-08-31)" in built.note


def add_usage(house: House, month: date, day: date, provider: str) -> None:
    """One more line of usage on a month's bill."""
    rows = house.lake.read("costs_by_category", month, next_month(month)).to_pylist()
    rows = [row | {name: str(row[name]) for name in ("effective_cost", "billed_cost")} for row in rows]
    like = rows[0] if rows else house.lake.read("costs_by_category").to_pylist()[0]
    one = like | {"billing_period": month, "charge_date": day, "provider_name": provider}
    one |= {"charge_category": "Usage", "effective_cost": "1", "billed_cost": "1"}
    more = filled("costs_by_category", [*rows, one])
    house.lake.replace_slice("costs_by_category", month, "farthing", more, f"{month}{day}{provider}")


@pytest.mark.parametrize("ahead", [date(2026, 9, 30), date(2099, 1, 5)])
def test_one_line_dated_ahead_leaves_the_forecasts_as_they_are_and_is_named(tmp_path: Path, ahead: date) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
        add_usage(house, ahead.replace(day=1), ahead, "Mapped")
        built, rows = night(house)
        # 14 settled days at 100 and the fee, then 16 days at 100: the night is that of the 18th, and nobody is silent
        cloud = next(row for row in rows if row["provider_name"] == "Cloud")
        assert (cloud["billing_period"], cloud["settled_date"]) == (date(2026, 9, 1), date(2026, 9, 14))
        assert cloud["month_end_p50"] == Decimal(3030)
        assert {row["billing_period"] for row in rows} == {date(2026, 9, 1)}
        assert "nothing was told of" not in built.note
        (problem,) = built.problems
        assert f"Mapped tells of usage ahead of its day (rows: 1, {ahead} to {ahead})" in problem


def test_a_run_of_an_older_day_forgets_no_day_that_has_come(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
        built = build_forecasts(house, date(2026, 8, 1), date(2026, 8, 1))
        assert built.problems == ()
        assert {row["settled_date"] for row in house.lake.read("forecasts").to_pylist()} == {date(2026, 9, 14)}


def test_money_without_a_rate_is_named(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house, currency="EUR")
        built, rows = night(house)
        assert rows == []
        assert "costs in EUR are not forecast" in built.problems[0]


def test_a_lake_without_costs_has_no_forecasts(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        assert night(house)[1] == []


def serve(house: House, last: date, log_last: date) -> tuple[Built, list[dict[str, Any]]]:
    """Outcomes served from Monday to Friday up to a day at 100 dollars, a log of every day, and a budget of them."""
    day = date(2026, 7, 6)
    while day <= log_last:
        usage = {"usage_date": day, "model_id": "gpt-5", "team_id": "search", "feature": "", "x_source": "gateway"}
        house.lake.replace_slice(
            "usage_by_team_daily", day, "farthing", filled("usage_by_team_daily", [usage]), str(day)
        )
        if day <= last and day.isoweekday() <= 5:
            cohort = {"usage_date": day, "outcome_kind": "solved", "route": "api", "model_id": "gpt-5"}
            cohort |= {"feature": "chat", "team_id": "search", "priced_cost_usd": "100"}
            house.lake.replace_slice("outcome_cohorts", day, "farthing", filled("outcome_cohorts", [cohort]), str(day))
        day += timedelta(days=1)
    budget = {"budget_id": "b", "metric": "outcome_cost", "account": "", "team_id": None, "unit": "USD"}
    budget |= {"provider_name": "", "model_id": "", "feature": "", "outcome_kind": "solved", "business_unit": ""}
    budget |= {"budget_amount": "2500"}
    house.lake.replace_slice("budgets", REFERENCE, "configuration", filled("budgets", [budget]), "b")
    return night(house)


def served(house: House, last: date, log_last: date) -> dict[str, Any]:
    """The forecast of those outcomes."""
    return next(row for row in serve(house, last, log_last)[1] if row["metric"] == "outcome_cost")


def test_a_day_whose_log_has_no_request_for_an_outcome_is_zero_and_settled(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        row = served(house, last=date(2026, 9, 11), log_last=date(2026, 9, 13))  # a Friday, and the Sunday after it
        assert row["settled_date"] == date(2026, 9, 13)
        assert (row["usage_last_day"], row["usage_last_7_days"]) == (0, 500)
        # 9 of September's 22 days from Monday to Friday are over; 13 are to come
        assert row["settled_amount"] == 900
        assert abs(row["month_end_p50"] - 2200) < 100


def test_outcomes_that_nobody_serves_any_more_settle_with_the_log(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: CLOCK) as house:
        row = served(house, last=date(2026, 9, 4), log_last=date(2026, 9, 18))
        assert (row["settled_date"], row["settled_amount"]) == (date(2026, 9, 18), 400)
        assert (row["usage_last_day"], row["usage_last_7_days"]) == (0, 0)


def test_outcomes_without_a_rate_are_named(tmp_path: Path) -> None:
    config = write_company(tmp_path)
    config.write_text(
        config.read_text()
        + "currency: EUR\nexchange_rates:\n  - {month: 2026-06, from: USD, to: EUR, rate: 0.9, source: ECB}\n"
    )
    with open_house(config, "run", clock=lambda: CLOCK) as house:
        built, _ = serve(house, last=date(2026, 7, 8), log_last=date(2026, 7, 9))
        (problem,) = built.problems
        assert "costs of outcomes in USD are not forecast: there is no rate to EUR for their months" in problem
        assert not any(row["metric"] == "outcome_cost" for row in house.lake.read("forecasts").to_pylist())
