"""The table of anomalies from what the lake holds: usage alone, in one currency, judged anew every night."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.calendar import next_month
from pipelines.house import House, open_house
from pipelines.night.anomalies import build_anomalies
from pipelines.night.build import Built
from tests.pipelines.small_company import write_company
from tests.sql.golden import filled

MONTHS = [date(2026, 8, 1), date(2026, 9, 1)]
CREDITED, DEAR = date(2026, 9, 10), date(2026, 9, 23)


def billed(house: House, currency: str = "USD") -> None:
    """Two months at 500 a day, but 900 on one of them, and a credit on another."""
    for month in MONTHS:
        rows: list[dict[str, Any]] = []
        day = month
        while day < next_month(month):
            row = {
                "billing_period": month,
                "charge_date": day,
                "account": "team:search",
                "team_id": "search",
                "provider_name": "Cloud",
                "cost_kind": "other",
                "billing_currency": currency,
                "is_correction": False,
                "model_id": "",
                "charge_category": "Usage",
                "effective_cost": "900" if day == DEAR else "500",
            }
            rows.append(row)
            if day == CREDITED:
                rows.append(row | {"charge_category": "Credit", "effective_cost": "-450"})
            day += timedelta(days=1)
        house.lake.replace_slice("costs_by_category", month, "farthing", filled("costs_by_category", rows), f"{month}")


def night(house: House) -> tuple[Built, list[dict[str, Any]]]:
    built = build_anomalies(house, MONTHS[-1], MONTHS[-1])
    return built, house.lake.read("anomalies").to_pylist()


def test_a_dear_day_is_told_and_a_credit_is_not(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 10, 1, 5)) as house:
        billed(house)
        built, rows = night(house)
        assert built.problems == ()
        assert {row["onset_date"] for row in rows} == {DEAR}
        (alert,) = [row for row in rows if row["is_alert"]]
        assert (alert["level"], alert["excess_cost"], alert["state"]) == ("organisation", Decimal(400), "resolved")
        assert alert["settled_date"] == date(2026, 9, 28)
        # what is large: 2 % of 30 days at 500, and no less than 50
        assert alert["least_cost"] == Decimal(300)


def test_the_next_night_makes_the_same_of_the_same(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 10, 1, 5)) as house:
        billed(house)
        assert night(house)[1] == night(house)[1]


def test_money_without_a_rate_is_named_and_left_out(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 10, 1, 5)) as house:
        billed(house, "EUR")
        built, rows = night(house)
        assert rows == []
        assert "costs in EUR are not watched" in built.problems[0]


def test_other_money_is_watched_at_its_month_s_rate(tmp_path: Path) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 10, 1, 5)) as house:
        billed(house, "EUR")
        rates = [
            {"from_currency": "EUR", "to_currency": "USD", "rate_month": month, "rate": "1.25", "rate_source": "ecb"}
            for month in MONTHS
        ]
        house.lake.replace_slice("fx_rates", date(1970, 1, 1), "configuration", filled("fx_rates", rates), "rates")
        built, rows = night(house)
        assert built.problems == ()
        (alert,) = [row for row in rows if row["is_alert"]]
        assert (alert["excess_cost"], alert["currency"]) == (Decimal(500), "USD")


@pytest.mark.parametrize("ahead", [date(2026, 10, 2), date(2099, 1, 5)])
def test_one_line_dated_ahead_unsettles_nobody_and_is_named(tmp_path: Path, ahead: date) -> None:
    with open_house(write_company(tmp_path), "run", clock=lambda: datetime(2026, 10, 1, 5)) as house:
        billed(house)
        row = {"billing_period": ahead.replace(day=1), "charge_date": ahead, "provider_name": "Mapped"}
        more = row | {"billing_currency": "USD", "charge_category": "Usage", "effective_cost": "1"}
        rows = filled("costs_by_category", [more | {"is_correction": False}])
        house.lake.replace_slice("costs_by_category", ahead.replace(day=1), "farthing", rows, "ahead")
        built, found = night(house)
        (alert,) = [row for row in found if row["is_alert"]]
        assert (alert["level"], alert["settled_date"]) == ("organisation", date(2026, 9, 28))
        (problem,) = built.problems
        assert f"anomalies: Mapped tells of usage ahead of its day (rows: 1, {ahead} to {ahead})" in problem


KINDS = """
outcomes:
  - {name: ticket, features: [reply], trace: trace_id, successes: [resolved], maturity_days: 5}
"""


def test_money_that_nothing_comes_of_is_told_once_all_that_is_to_come_has_come(tmp_path: Path) -> None:
    """Ten successes a day for 100, and none from the 16th on; 100 of what a kind has that nobody declares."""
    file = write_company(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + KINDS, encoding="utf-8")
    with open_house(file, "run", clock=lambda: datetime(2026, 10, 1, 5)) as house:
        billed(house)
        for number in range(61):
            day = MONTHS[0] + timedelta(days=number)
            row = {"usage_date": day, "outcome_kind": "ticket", "route": "api", "request_count": 50}
            row |= {"priced_cost_usd": "100", "success_count": "10" if day < date(2026, 9, 16) else "0"}
            unmet = row | {"route": "none", "priced_cost_usd": "0", "request_count": 0, "success_count": "9"}
            rows = filled("outcome_cohorts", [row, unmet, row | {"outcome_kind": "gone", "priced_cost_usd": "999"}])
            house.lake.replace_slice("outcome_cohorts", day, "farthing", rows, f"{day}")
        (alert,) = [row for row in night(house)[1] if row["level"] == "outcome"]
        assert (alert["outcome_kind"], alert["cause"]) == ("ticket", "burn_without_outcomes")
        # the newest day is the 30th, and five days on nothing more is expected of the 25th
        assert (alert["onset_date"], alert["settled_date"]) == (date(2026, 9, 16), date(2026, 9, 25))
        assert alert["excess_cost"] == 90 * 10
