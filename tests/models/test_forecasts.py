"""The rows of `forecasts`: months, parts and sums by hand, what is told of a young series, the same numbers every night."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from models.budgets import breach_chance
from models.forecasts import Told, forecasts
from models.open_months import open_months
from models.scheduled_costs import Scheduled, scheduled_costs
from models.scopes import Scope

NAMES = ("account", "provider_name", "model_id", "feature", "business_unit")
LAST = date(2026, 9, 14)
DAILY = {"day": pl.Date, **dict.fromkeys(NAMES, pl.String), "value": pl.Float64}
CHARGED = {"billing_period": pl.Date, "day": pl.Date, **dict.fromkeys(NAMES, pl.String), "units": pl.Int128}
SEARCH = ("team:search", "Cloud", "", "", "")
CHAT = ("team:chat", "Other", "gpt", "bot", "Labs")


def told(
    series: dict[tuple[str, ...], list[float]], settled: date = LAST, newest: date | None = None, **awaited: Any
) -> Told:
    """Series that end on the settled day, as usage and as what was charged; `extra` days are told beyond it."""
    rows = [
        (settled - timedelta(days=len(values) - 1 - place), *name, value)
        for name, values in series.items()
        for place, value in enumerate(values)
    ]
    charged = [(row[0].replace(day=1), *row[:-1], round(row[-1] * 10**12)) for row in rows]
    return Told(
        metric="cost",
        unit="USD",
        daily=pl.DataFrame(rows, schema=DAILY, orient="row"),
        charged=pl.DataFrame(charged, schema=CHARGED, orient="row"),
        settled=settled,
        newest=newest or settled,
        scheduled=awaited.get("scheduled", {}),
    )


def row_of(found: pl.DataFrame, **wanted: Any) -> dict[str, Any]:
    (row,) = found.filter(**wanted).to_dicts()
    return row


def noisy(days: int, seed: int, level: float = 100.0) -> list[float]:
    random = np.random.default_rng(seed)
    week = np.resize([1.0, 1.1, 1.0, 0.9, 1.0, 0.4, 0.3], days)
    return (level * week * np.exp(random.normal(0, 0.1, days))).round(6).tolist()


def test_a_series_that_never_varies_ends_the_month_where_it_must() -> None:
    found = row_of(forecasts(told({SEARCH: [100.0] * 200}), [Scope()]))
    assert (found["settled_amount"], found["month_end_p50"]) == (Decimal(1400), Decimal(3000))
    assert (found["month_end_p10"], found["month_end_p90"]) == (Decimal(3000), Decimal(3000))
    assert (found["remaining_days"], found["unsettled_days"], found["method"]) == (16, 0, "seasonal_naive")
    assert (found["usage_last_day"], found["usage_last_7_days"]) == (Decimal(100), Decimal(700))
    assert found["wape"] == 0


def test_the_month_s_end_is_the_sum_of_its_parts() -> None:
    awaited = [Scheduled(date(2026, 9, 20), *SEARCH[:2], "Support", "", "", 250 * 10**12)]
    given = told(
        {SEARCH: noisy(300, 1), CHAT: noisy(250, 2)},
        newest=LAST + timedelta(days=2),
        scheduled={date(2026, 9, 1): awaited},
    )
    scopes = [Scope(), Scope(account="team:search"), Scope(account="team:chat"), Scope(provider_name="Cloud")]
    found = forecasts(given, [*scopes, Scope(account="team:chat", model_id="gpt")])
    assert found["level"].sort().to_list() == ["account", "account", "budget", "organisation", "provider"]
    for row in found.iter_rows(named=True):
        parts = ("settled_amount", "scheduled_amount", "unsettled_estimate", "remaining_estimate")
        assert sum(row[name] for name in parts) == row["month_end_p50"]
        assert row["month_end_p10"] < row["month_end_p50"] < row["month_end_p90"]
        assert (row["unsettled_days"], row["remaining_days"]) == (2, 14)
    search = row_of(found, account="team:search")
    assert search["settled_amount"] == sum(map(Decimal, map(str, noisy(300, 1)[-14:])))
    assert (search["scheduled_amount"], search["scheduled_evidence"]) == (250, "Cloud Support on 2026-09-20")
    assert row_of(found, account="team:chat", model_id="")["scheduled_amount"] == 0
    assert search["team_id"] == "search"


def test_a_forecast_is_near_the_truth_and_beats_naive() -> None:
    weekly = noisy(316, 7)
    found = row_of(forecasts(told({SEARCH: weekly[:300]}), [Scope()]))
    truth = sum(weekly[286:])  # the month has 14 settled days
    assert abs(float(found["month_end_p50"]) - truth) / truth < 0.05
    assert found["method"] == "auto_ets"
    assert found["wape"] < found["naive_wape"]
    assert found["origin_count"] == 12


def test_the_same_days_make_the_same_forecast_whatever_else_is_asked() -> None:
    given = told({SEARCH: noisy(200, 1), CHAT: noisy(200, 2)})
    alone = forecasts(given, [Scope(account="team:search")])
    again = forecasts(given, [Scope(account="team:search"), Scope(account="team:search")])
    beside = forecasts(given, [Scope(), Scope(account="team:search")])
    assert alone.equals(again)
    middle = row_of(beside, account="team:search")["month_end_p50"]
    assert middle == alone["month_end_p50"].item()


def test_a_young_series_says_that_it_is_young() -> None:
    given = told({SEARCH: noisy(20, 1), CHAT: noisy(5, 2)})
    found = forecasts(given, [Scope(account="team:search"), Scope(account="team:chat"), Scope(feature="none")])
    search = row_of(found, account="team:search")
    assert (search["method"], search["month_end_p10"], search["quantiles"]) == ("seasonal_naive", None, None)
    assert search["month_end_p50"] > search["settled_amount"]
    assert "0 forecasts to learn from" in search["no_interval_reason"]
    assert "20 days of history" in search["method_reason"]
    chat = row_of(found, account="team:chat")
    assert (chat["method"], chat["month_end_p50"], chat["remaining_estimate"]) == ("none", None, None)
    assert chat["settled_amount"] == sum(map(Decimal, map(str, noisy(5, 2))))
    assert chat["no_interval_reason"] == "5 days of history, and a week is the least"
    assert row_of(found, feature="none")["settled_amount"] == 0


def test_a_day_of_which_nothing_is_told_is_not_a_day_without_cost() -> None:
    whole = told({SEARCH: [100.0] * 200})
    missing = LAST - timedelta(days=9)
    gap = Told(
        **{name: getattr(whole, name) for name in ("metric", "unit", "charged", "settled", "newest", "scheduled")},
        daily=whole.daily.filter(pl.col("day") != missing),
    )
    found = row_of(forecasts(gap, [Scope()]))
    assert found["month_end_p50"] == 3000
    newest = told({SEARCH: [100.0] * 200, CHAT: [1.0] * 200})
    hole = newest.daily.filter(pl.col("day") != LAST - timedelta(days=2))
    found = row_of(forecasts(Told(**{**newest.__dict__, "daily": hole}), [Scope()]))
    assert (found["usage_last_day"], found["usage_last_7_days"]) == (Decimal(101), None)


def test_at_a_month_s_edge_both_months_are_open() -> None:
    assert open_months(date(2026, 10, 29), date(2026, 10, 31)) == [date(2026, 10, 1)]
    assert open_months(date(2026, 10, 29), date(2026, 11, 1)) == [date(2026, 10, 1), date(2026, 11, 1)]
    assert open_months(date(2026, 10, 31), date(2026, 10, 31)) == [date(2026, 11, 1)]
    given = told({SEARCH: [100.0] * 300}, settled=date(2026, 10, 29), newest=date(2026, 11, 1))
    first, second = forecasts(given, [Scope()]).sort("billing_period").to_dicts()
    assert (first["month_end_p50"], first["unsettled_days"], first["remaining_days"]) == (3100, 2, 0)
    assert (second["month_end_p50"], second["unsettled_days"], second["remaining_days"]) == (3000, 1, 29)
    assert second["settled_amount"] == 0


def test_quantiles_rise_and_hold_the_interval() -> None:
    found = row_of(forecasts(told({SEARCH: noisy(300, 1)}), [Scope()]))
    quantiles = pl.Series([found["quantiles"]]).str.json_decode(
        pl.Struct({f"{s / 100:.2f}": pl.String for s in range(1, 100)})
    )
    told_of = {name: Decimal(value) for name, value in quantiles.to_list()[0].items()}
    assert len(told_of) == 99
    assert (told_of["0.10"], told_of["0.50"], told_of["0.90"]) == tuple(found[f"month_end_p{p}"] for p in (10, 50, 90))
    assert all(low <= high for low, high in pairwise(told_of[name] for name in sorted(told_of)))


def bursts(days: int, *, refund: bool, seed: int = 5) -> list[float]:
    """Something on about every third day; a refund longer ago than any method looks, from any origin."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(days) < 0.35, np.exp(random.normal(3, 0.8, days)), 0.0).round(6).tolist()
    return [values[0], -1.0, *values[2:]] if refund else values


def test_no_month_ends_below_what_is_settled_unless_usage_was_ever_negative() -> None:
    last = date(2026, 9, 26)  # four days are left
    without, floored = (
        row_of(forecasts(told({SEARCH: bursts(390, refund=refund)}, settled=last), [Scope()]))
        for refund in (True, False)
    )
    settled = floored["settled_amount"]
    assert (without["settled_amount"], without["month_end_p10"] < settled) == (settled, True)
    assert floored["month_end_p10"] == settled
    free, bound = (json.loads(row["quantiles"]) for row in (without, floored))
    # the quantiles of max(0, usage) are those of usage, where these are not below 0
    assert {name: max(settled, Decimal(value)) for name, value in free.items()} == {
        name: Decimal(value) for name, value in bound.items()
    }
    same = ("method", "month_end_p50", "month_end_p90", "interval_factor", "coverage_ratio", "origin_count")
    assert [floored[name] for name in same] == [without[name] for name in same]
    # a budget that is spent already breaks for certain
    below = [breach_chance(row["quantiles"], settled - Decimal("0.01")) for row in (without, floored)]
    assert below[0] is not None
    assert below[0] < 1
    assert below[1] == 1


def test_days_of_which_nothing_is_told_come_to_nothing_at_least_unless_usage_was_ever_negative() -> None:
    """Seeded so that the middle of the three unsettled days alone lies above that of all four days that are left."""
    last = date(2026, 9, 26)
    for seed in (3, 8):
        free, bound = (
            row_of(forecasts(told({SEARCH: values}, settled=last, newest=last + timedelta(days=3)), [Scope()]))
            for values in (bursts(390, refund=refund, seed=seed) for refund in (True, False))
        )
        assert (free["remaining_estimate"] < 0, bound["remaining_estimate"]) == (True, 0)
        assert bound["month_end_p50"] == free["month_end_p50"]
        assert bound["unsettled_estimate"] == free["unsettled_estimate"] + free["remaining_estimate"]


BOUGHT = {"day": pl.Date, "account": pl.String, "provider_name": pl.String, "service_name": pl.String}
BOUGHT |= {"model_id": pl.String, "feature": pl.String, "units": pl.Int128}


def bought(*rows: tuple[date, str, int]) -> pl.DataFrame:
    given = [(day, "team:search", "Cloud", service, "", "", units) for day, service, units in rows]
    return pl.DataFrame(given, schema=BOUGHT, orient="row")


def test_what_both_months_before_bought_is_awaited() -> None:
    month = date(2026, 9, 1)
    given = bought(
        (date(2026, 7, 20), "support", 100),
        (date(2026, 8, 20), "support", 120),
        (date(2026, 8, 21), "once", 500),
        (date(2026, 7, 3), "passed", 70),
        (date(2026, 8, 3), "passed", 70),
        (date(2026, 7, 31), "end of month", 9),
        (date(2026, 8, 31), "end of month", 9),
        (date(2026, 7, 25), "came early", 40),
        (date(2026, 8, 25), "came early", 40),
        (date(2026, 9, 2), "came early", 41),
    )
    found = scheduled_costs(given, month, date(2026, 9, 14))
    assert [(one.day, one.service_name, one.units) for one in found] == [
        (date(2026, 9, 20), "support", 120),
        (date(2026, 9, 30), "end of month", 9),
    ]


def test_of_two_fees_of_one_service_the_second_is_awaited_when_the_first_has_come() -> None:
    before = [(date(2026, month, day), "fees", units) for month in (9, 10) for day, units in ((1, 1000), (15, 5000))]
    month = date(2026, 11, 1)
    both = scheduled_costs(bought(*before), month, date(2026, 10, 31))
    assert [(one.day, one.units) for one in both] == [(date(2026, 11, 1), 1000), (date(2026, 11, 15), 5000)]
    came = scheduled_costs(bought(*before, (month, "fees", 1000)), month, date(2026, 11, 5))
    assert [(one.day, one.units) for one in came] == [(date(2026, 11, 15), 5000)]


def test_what_came_on_an_unsettled_day_counts_as_it_came() -> None:
    given = bought((date(2026, 7, 16), "fee", 10), (date(2026, 8, 16), "fee", 10), (date(2026, 9, 16), "fee", 11))
    found = scheduled_costs(given, date(2026, 9, 1), date(2026, 9, 14))
    assert [(one.day, one.units) for one in found] == [(date(2026, 9, 16), 11)]


def _on_days(amounts: dict[date, float], settled: date) -> Told:
    """A company of one team that is told of on these days alone."""
    rows = [(day, *SEARCH, value) for day, value in amounts.items()]
    charged = [(day.replace(day=1), day, *SEARCH, round(value * 10**12)) for day, value in amounts.items()]
    return replace(
        told({SEARCH: [1.0]}, settled),
        daily=pl.DataFrame(rows, schema=DAILY, orient="row"),
        charged=pl.DataFrame(charged, schema=CHARGED, orient="row"),
    )


def test_days_without_any_charge_are_days_without_usage_where_many_are() -> None:
    """Three charges in October, and none since: of November nothing is to come by the week before."""
    some = {date(2026, 10, 10): 3.0, date(2026, 10, 20): 40.0, date(2026, 10, 21): 29.5}
    found = row_of(forecasts(_on_days(some, date(2026, 11, 3)), [Scope()]), billing_period=date(2026, 11, 1))
    assert (found["settled_amount"], found["method"]) == (0, "seasonal_naive")
    assert found["month_end_p50"] < 10


def test_one_day_without_any_charge_among_many_is_missing() -> None:
    """Of 28 days at 10 dollars each one is not told of: the sixteen days of September that are left are 160."""
    days = [LAST - timedelta(days=number) for number in range(28)]
    found = row_of(forecasts(_on_days(dict.fromkeys(days[:3] + days[4:], 10.0), LAST), [Scope()]))
    assert found["month_end_p50"] == Decimal(130 + 160)
