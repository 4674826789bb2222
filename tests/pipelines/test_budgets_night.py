"""Every month that changed is held against the budgets: of the configuration, of chargeback, of the forecast."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.house import House, open_house
from pipelines.night.budgets import build_budget_status
from pipelines.night.forecasts import build_forecasts
from pipelines.night.references import write_references
from reports.budget_lines import budget_lines
from reports.budget_mail import alerts
from tests.pipelines.small_company import write_company
from tests.pipelines.test_forecasts_night import CLOCK, billed
from tests.sql.golden import filled

BUDGETS = """\
budgets:
  - {id: all, amount: 3000}
  - {id: search, team: search, amount: 9300, from: 2026-08-01}
  - {id: tokens, team: search, model: gpt-5, tokens: 6_000_000}
  - {id: solved, outcome: solved, amount: 90}
  - {id: solved-search, outcome: solved, team: search, amount: 30}
outcomes:
  - {name: solved, features: [chat], successes: [solved]}
"""


def company(folder: Path) -> Path:
    file = write_company(folder)
    file.write_text(file.read_text() + BUDGETS)
    return file


def logged(house: House) -> None:
    """From 10 August to 18 September 200,000 tokens a day, and 3.00 of requests for an outcome, 2.50 of them a team's."""
    for number in range(40):
        day = date(2026, 8, 10) + timedelta(days=number)
        usage = {"usage_date": day, "model_id": "gpt-5", "team_id": "search", "feature": ""}
        usage |= {
            "input_uncached_tokens": 150_000,
            "output_text_tokens": 90_000,
            "duplicate_output_text_tokens": 40_000,
        }
        house.lake.replace_slice(
            "usage_by_team_daily", day, "farthing", filled("usage_by_team_daily", [usage]), str(day)
        )
        of_day = {
            "usage_date": day,
            "outcome_kind": "solved",
            "route": "api",
            "model_id": "gpt-5",
            "feature": "chat",
        }
        cohorts = [
            of_day | {"team_id": "search", "priced_cost_usd": "2.5"},
            of_day | {"team_id": "", "priced_cost_usd": "0.5"},
            of_day | {"team_id": "search", "outcome_kind": "other", "priced_cost_usd": "7"},
        ]
        house.lake.replace_slice("outcome_cohorts", day, "farthing", filled("outcome_cohorts", cohorts), str(day))


def test_a_night_s_budgets(tmp_path: Path) -> None:
    with open_house(company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
        logged(house)
        assert write_references(house)["budgets"] == 5
        build_forecasts(house, date(2026, 9, 18), date(2026, 9, 18))
        built = build_budget_status(house, date(2026, 9, 18), date(2026, 9, 18))
        rows = house.lake.read("budget_status").to_pylist()
        by_name: dict[Any, Any] = {(row["budget_id"], row["billing_period"].month): row for row in rows}

        # 14 settled days and two more at 100, and a fee of 30
        company_s = by_name["all", 9]
        assert company_s["spent_amount"] == Decimal(1630)
        assert company_s["settled_amount"] == Decimal(1430)
        assert company_s["expected_amount"] == Decimal(1400)
        assert company_s["month_end_p50"] == Decimal(3030)
        assert (company_s["spent_threshold"], company_s["is_current"]) == (Decimal("0.5"), True)
        assert (company_s["burn_one_day"], company_s["is_burning"]) == (Decimal(1), False)
        # the whole of August, and no budget of the team's before it
        assert (by_name["all", 8]["spent_amount"], by_name["all", 8]["is_current"]) == (Decimal(3130), False)
        assert by_name["search", 8]["remaining_amount"] == Decimal(6170)
        assert ("search", 7) not in by_name
        # 18 days at 200,000, without what was logged again
        tokens = by_name["tokens", 9]
        assert (tokens["spent_amount"], tokens["unit"], tokens["settled_date"]) == (
            3_600_000,
            "tokens",
            date(2026, 9, 18),
        )
        assert tokens["expected_amount"] == 3_600_000
        assert "1 of 5 budgets" in built.note
        # 18 days at 3.00 of all teams' requests for the outcome, and at 2.50 of one team's: it goes fast, and is told
        solved, mine = by_name["solved", 9], by_name["solved-search", 9]
        assert (solved["metric"], solved["outcome_kind"], solved["unit"]) == ("outcome_cost", "solved", "USD")
        assert (solved["spent_amount"], solved["remaining_amount"]) == (Decimal(54), Decimal(36))
        assert (solved["expected_amount"], solved["burn_one_day"], solved["burn_seven_days"]) == (54, 1, 1)
        assert (solved["month_end_p50"], solved["spent_threshold"]) == (Decimal(90), Decimal("0.5"))
        assert (mine["spent_amount"], mine["remaining_amount"]) == (Decimal(45), Decimal(-15))
        assert (mine["burn_one_day"], mine["spent_threshold"], mine["team_id"]) == (Decimal("2.5"), 1, "search")
        told = [(alert.kind, alert.threshold) for alert in alerts(mine)]
        assert told == [("spent", Decimal(1))]
        (line,) = budget_lines([mine], date(2026, 9, 1))
        assert line.of_what == "team search, outcome solved"

        again = build_budget_status(house, date(2026, 9, 18), date(2026, 9, 18))
        assert again.slices == ()


UNITS = """\
hierarchy:
  - {team: search, business_unit: Product, to: 2026-09-11}
  - {team: search, business_unit: Labs, from: 2026-09-11}
budgets:
  - {id: all, amount: 3000}
  - {id: product, business_unit: Product, amount: 2000}
  - {id: labs, business_unit: Labs, amount: 1000}
  - {id: labs-cloud, business_unit: Labs, provider: Cloud, amount: 900}
  - {id: labs-tokens, business_unit: Labs, tokens: 6_000_000}
  - {id: labs-solved, business_unit: Labs, outcome: solved, amount: 90}
outcomes:
  - {name: solved, features: [chat], successes: [solved]}
"""


def test_of_a_business_unit_counts_what_its_teams_cost_on_the_days_on_which_they_stand_in_it(tmp_path: Path) -> None:
    """The team moves on 11 September: ten days and the fee of the fifth were Product's, six days are Labs'."""
    moved = date(2026, 9, 11)
    file = write_company(tmp_path)
    file.write_text(file.read_text() + UNITS)
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        write_references(house)
        billed(house, unit=lambda day: "Product" if day < moved else "Labs")
        logged(house)
        build_forecasts(house, date(2026, 9, 18), date(2026, 9, 18))
        build_budget_status(house, date(2026, 9, 18), date(2026, 9, 18))
        rows = house.lake.read("budget_status").to_pylist()
        september: dict[Any, Any] = {row["budget_id"]: row for row in rows if row["billing_period"].month == 9}
        spent = {name: row["spent_amount"] for name, row in september.items()}
        assert spent == {
            "all": 1630,
            "product": 1030,
            "labs": 600,
            "labs-cloud": 600,
            "labs-tokens": 8 * 200_000,
            "labs-solved": 8 * Decimal("2.5"),
        }
        assert spent["product"] + spent["labs"] == spent["all"]
        assert (september["labs"]["settled_amount"], september["labs"]["team_id"]) == (400, None)
        series = {
            row["business_unit"]: row for row in house.lake.read("forecasts").to_pylist() if row["metric"] == "cost"
        }
        assert (series["Labs"]["settled_amount"], series["Labs"]["level"]) == (400, "budget")
        assert series["Product"]["settled_amount"] == 1030
        (line,) = budget_lines([september["labs"]], date(2026, 9, 1))
        assert line.of_what == "business unit Labs"


def test_a_purchase_that_is_awaited_is_of_the_unit_of_its_day(tmp_path: Path) -> None:
    """On the second of September the fee of the fifth is awaited: by then the team stands in Labs."""
    file = write_company(tmp_path)
    file.write_text(file.read_text() + UNITS.replace("2026-09-11", "2026-09-04"))
    with open_house(file, "run", clock=lambda: CLOCK) as house:
        write_references(house)
        billed(house, last=date(2026, 9, 4), unit=lambda day: "Product" if day < date(2026, 9, 4) else "Labs")
        build_forecasts(house, date(2026, 9, 6), date(2026, 9, 6))
        rows = house.lake.read("forecasts").to_pylist()
        awaited = {row["business_unit"]: row["scheduled_amount"] for row in rows if row["provider_name"] == ""}
        assert awaited == {"": 30, "Product": 0, "Labs": 30}
