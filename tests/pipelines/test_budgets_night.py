"""Every month that changed is held against the budgets: of the configuration, of chargeback, of the forecast."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.house import open_house
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


def test_a_night_s_budgets(tmp_path: Path) -> None:
    with open_house(company(tmp_path), "run", clock=lambda: CLOCK) as house:
        billed(house)
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
