"""Budgets by hand: expected to date, thresholds at their very day, burn, chances between quantiles."""

import calendar
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.budgets import AlertRules, breach_chance, budget_status, burn_ratio, expected_to_date, highest
from models.frames import schema_of
from models.money import MONEY

RULES = AlertRules(
    (Decimal("0.5"), Decimal("0.8"), Decimal(1)), (Decimal("0.5"), Decimal("0.8")), Decimal(3), Decimal("1.5")
)
MONTH = date(2026, 10, 1)
CHARGED = {"metric": pl.String, "day": pl.Date, "account": pl.String, "provider_name": pl.String}
CHARGED |= {"model_id": pl.String, "feature": pl.String, "business_unit": pl.String, "amount": MONEY}
CHARGED |= {"billing_currency": pl.String, "period_state": pl.String}
BUDGET: dict[str, Any] = {"budget_id": "b", "metric": "cost", "account": "", "team_id": None, "provider_name": ""}
BUDGET |= {"model_id": "", "feature": "", "outcome_kind": "", "business_unit": "", "unit": "USD"}
BUDGET |= {"budget_amount": Decimal(31_000)}
BUDGET |= {"valid_from": date(1970, 1, 1), "valid_to": date(9999, 12, 31)}
FORECAST: dict[str, Any] = {"billing_period": MONTH, "metric": "cost", "settled_date": date(2026, 10, 10)}
FORECAST |= dict.fromkeys(("account", "provider_name", "model_id", "feature", "outcome_kind", "business_unit"), "")
FORECAST |= {"usage_last_day": Decimal(1000), "usage_last_7_days": Decimal(7000)}


def frame(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    schema = schema_of(table)
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def charged(*rows: tuple[date, str, str | None], state: str = "open") -> pl.DataFrame:
    told = [
        ("cost", day, account, "Cloud", "", "", "", None if amount is None else Decimal(amount), "USD", state)
        for day, account, amount in rows
    ]
    return pl.DataFrame(told, schema=CHARGED, orient="row")


def each_day(amount: str, days: int, month: date = MONTH) -> pl.DataFrame:
    return charged(*((month + timedelta(days=day), "team:search", amount) for day in range(days)))


def status(
    month: date = MONTH, rows: pl.DataFrame | None = None, *, forecast: Any = None, **budget: Any
) -> dict[str, Any]:
    found = budget_status(
        month,
        frame("budgets", BUDGET | budget),
        charged() if rows is None else rows,
        frame("forecasts", FORECAST if forecast is None else forecast),
        RULES,
    )
    (row,) = found.to_dicts()
    return row


def test_what_forty_thousand_should_have_come_to_on_the_eleventh_of_twenty_eight() -> None:
    expected = expected_to_date(Decimal(40_000), date(2026, 2, 1), date(2026, 2, 11))
    assert round(expected, 2) == Decimal("15714.29")
    assert expected == Decimal("15714.285714285714")
    assert expected_to_date(Decimal(40_000), date(2026, 2, 1), date(2026, 2, 28)) == 40_000
    assert expected_to_date(Decimal(40_000), date(2026, 2, 1), date(2026, 1, 31)) == 0


@pytest.mark.parametrize("month", [date(2026, 2, 1), date(2028, 2, 1), date(2026, 4, 1), date(2026, 10, 1)])
def test_constant_spending_reaches_four_fifths_on_its_very_day(month: date) -> None:
    days = calendar.monthrange(month.year, month.month)[1]
    budget = Decimal(days) * 7
    reached = [
        day for day in range(1, days + 1) if (highest(RULES.spent, Decimal(7) * day, budget) or 0) >= Decimal("0.8")
    ]
    assert reached[0] == -(-days * 8 // 10)  # ceil(0.8 * days)
    row = status(month, each_day("7", reached[0], month), budget_amount=budget)
    assert row["spent_threshold"] == Decimal("0.8")
    row = status(month, each_day("7", reached[0] - 1, month), budget_amount=budget)
    assert row["spent_threshold"] == Decimal("0.5")


def test_spent_expected_and_remaining() -> None:
    rows = pl.concat([each_day("1000", 12), charged((date(2026, 10, 3), "residual:unallocated", "0.000000000001"))])
    row = status(rows=rows)
    assert row["spent_amount"] == Decimal("12000.000000000001")
    assert row["remaining_amount"] == Decimal("18999.999999999999")
    # ten settled days of 31, and a budget of a thousand a day
    assert (row["settled_date"], row["expected_amount"]) == (date(2026, 10, 10), Decimal(10_000))
    assert row["settled_amount"] == Decimal("10000.000000000001")
    assert row["spent_ratio"] == Decimal("0.387097")
    assert (row["is_current"], row["is_provisional"]) == (True, True)


def test_a_budget_is_of_what_it_names_and_no_more() -> None:
    rows = charged((MONTH, "team:search", "5"), (MONTH, "team:chat", "7"), (MONTH, "residual:unallocated", "11"))
    assert status(rows=rows)["spent_amount"] == 23
    assert status(rows=rows, account="team:chat", team_id="chat")["spent_amount"] == 7
    assert status(rows=rows, provider_name="Other")["spent_amount"] == 0
    assert status(rows=rows, metric="tokens", unit="tokens")["spent_amount"] == 0


def test_a_month_of_which_nothing_came_has_no_row() -> None:
    budgets, nothing = frame("budgets", BUDGET), frame("forecasts", FORECAST | {"billing_period": date(2026, 11, 1)})
    assert budget_status(MONTH, budgets, charged(), nothing, RULES).is_empty()
    assert status(forecast=FORECAST)["spent_amount"] == 0  # it has begun, and nothing has been billed so far
    assert status(MONTH, charged((MONTH, "team:ads", "5")), forecast={}, account="team:search")["spent_amount"] == 0


def test_overspent_is_below_zero_and_nothing_is_cut_off() -> None:
    row = status(rows=charged((MONTH, "team:search", "31000.01")))
    assert (row["remaining_amount"], row["spent_threshold"]) == (Decimal("-0.01"), Decimal(1))
    assert status(rows=charged((MONTH, "team:search", "-5")))["remaining_amount"] == 31_005


def test_what_has_no_rate_is_named_and_not_zero() -> None:
    rows = charged((MONTH, "team:search", "5"), (MONTH, "team:search", None))
    row = status(rows=rows)
    assert (row["spent_amount"], row["unconverted_currencies"]) == (Decimal(5), "USD")


def test_only_the_entry_that_holds_in_the_month_counts() -> None:
    entries = [
        BUDGET | {"valid_to": date(2026, 10, 1)},
        BUDGET | {"valid_from": date(2026, 10, 1), "valid_to": date(2026, 11, 1), "budget_amount": Decimal(5)},
        BUDGET | {"valid_from": date(2026, 11, 1)},
    ]
    billed = charged((MONTH, "team:ads", "1"))
    found = budget_status(MONTH, frame("budgets", *entries), billed, frame("forecasts"), RULES)
    assert found["budget_amount"].to_list() == [Decimal(5)]
    assert found["settled_date"].to_list() == [None]
    assert found["expected_amount"].to_list() == [None]


def test_burning_is_now_and_no_single_day() -> None:
    def burning(one: int, seven: int) -> Any:
        usage = {"usage_last_day": Decimal(one), "usage_last_7_days": Decimal(seven)}
        return status(forecast=FORECAST | usage)["is_burning"]

    # a thousand a day is the budget's part: more than three thousand today, and 10,500 in seven days
    assert burning(3001, 10_501)
    assert not burning(3000, 10_501)
    assert not burning(3001, 10_500)
    assert status(forecast=FORECAST | {"usage_last_7_days": None})["is_burning"] is None
    assert burn_ratio(Decimal(3001), 1, Decimal(31_000), MONTH) == Decimal("3.001")


def quantiles(**values: str) -> str:
    return json.dumps({name.replace("p", "0."): value for name, value in values.items()})


def test_the_chance_of_a_breach_is_read_between_quantiles() -> None:
    told = quantiles(p25="100", p50="200", p75="400")
    chances = {amount: breach_chance(told, Decimal(amount)) for amount in (99, 100, 150, 200, 300, 399, 400)}
    # half way between two quantiles; of 200 to 400 the last unit but one: 1 - (0.5 + 0.25 * 199/200)
    halves = {99: "1", 100: "0.75", 150: "0.625", 200: "0.5", 300: "0.375", 399: "0.25125", 400: "0"}
    assert chances == {amount: Decimal(chance) for amount, chance in halves.items()}
    assert breach_chance(None, Decimal(5)) is None


def test_a_likely_breach_has_its_threshold_and_an_unknown_one_its_reason() -> None:
    told = quantiles(p10="20000", p50="40000", p90="60000")
    row = status(forecast=FORECAST | {"quantiles": told, "month_end_p50": Decimal(40_000)})
    # 0.1 + 0.4 * 11/20 are below
    assert (row["breach_chance"], row["breach_threshold"], row["month_end_p50"]) == (
        Decimal("0.68"),
        Decimal("0.5"),
        40_000,
    )
    row = status(forecast=FORECAST | {"no_interval_reason": "too young"})
    assert (row["breach_chance"], row["no_chance_reason"], row["breach_threshold"]) == (None, "too young", None)


@pytest.mark.parametrize(("amount", "threshold"), [("30250", "0.5"), ("30000", "0.8")])
def test_a_chance_is_held_against_its_thresholds_before_it_is_rounded(amount: str, threshold: str) -> None:
    # of 30,250: 0.2 + 0.1 * 250/5000 are below, a chance of 0.795 that is shown as 0.80 and has not reached 0.8
    told = quantiles(p2="30000", p3="35000")
    row = status(forecast=FORECAST | {"quantiles": told}, budget_amount=Decimal(amount))
    assert (row["breach_chance"], row["breach_threshold"]) == (Decimal("0.80"), Decimal(threshold))


def test_a_month_that_is_over_is_judged_by_what_it_came_to() -> None:
    september = date(2026, 9, 1)
    row = status(september, each_day("1", 30, september))
    assert (row["is_current"], row["is_provisional"], row["settled_date"]) == (False, True, date(2026, 9, 30))
    assert (row["expected_amount"], row["no_chance_reason"]) == (31_000, "the month is over")
    final = each_day("1", 30, september).with_columns(period_state=pl.lit("final"))
    assert status(september, final)["is_provisional"] is False
    # of a team that the bill does not name yet: a late line may, until the bill is final
    assert status(september, each_day("1", 30, september), account="team:support")["is_provisional"] is True
    assert status(september, final, account="team:support")["is_provisional"] is False


@given(
    amounts=st.lists(st.decimals(-(10**9), 10**9, places=12), max_size=30),
    budget=st.decimals("0.01", 10**9, places=2),
)
def test_spent_and_remaining_are_the_budget_to_the_last_place(amounts: list[Decimal], budget: Decimal) -> None:
    row = status(rows=charged(*((MONTH, "team:search", str(amount)) for amount in amounts)), budget_amount=budget)
    assert row["spent_amount"] + row["remaining_amount"] == budget
    assert row["spent_amount"] == sum(amounts)
