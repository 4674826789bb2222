"""A company's year of marts for the board: any number of teams and months, the same for the same numbers.

Every amount is drawn to the twelfth decimal, so that a sum that lost a digit would not come out even. Some bills are in
euros, one currency has no rate, there are credits, charges dated outside of their month, and an adjustment.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

from benchmarks.board_findings import findings
from benchmarks.board_frames import frame, money
from contracts import contract
from pipelines.calendar import next_month
from reports.board import BoardMonth, BoardRows
from reports.given import Period, SharedFacts, SourceFreshness
from reports.money import exact_sum

FIRST = date(2025, 11, 1)
MODELS = ("gpt-5", "gpt-5-mini", "claude-sonnet-5", "claude-haiku-4-5", "gemini-3-pro", "")
FEATURES = ("answers", "ranking", "summaries", "tagging", "")
OFFERS = (
    ("OpenAI", "OpenAI API", "api", "USD", "direct"),
    ("Anthropic", "Claude API", "api", "USD", "priced_tokens"),
    ("AWS", "Amazon Bedrock", "api", "USD", "direct"),
    ("Nimbus", "GPU Instances", "gpu", "USD", "gpu_seconds"),
    ("Wolke", "GPU Instanzen", "gpu", "EUR", "gpu_seconds"),
    ("Alpen", "Speicher", "other", "CHF", "pool"),
)
RATES = {"USD": 1, "EUR": 2}
"""Whole numbers, so that a converted amount is exact; francs have none."""
STATES = ("effective", "under_used", "allocated_idle", "unallocated", "unknown", "unhealthy")


def company(teams: int, months: int, lines_a_day: int = 8, seed: int = 20260101) -> BoardRows:
    """Months up to October 2026, the last one provisional; about `lines_a_day` lines a team and day."""
    draw = np.random.default_rng(seed)
    starts = [_later(date(2026, 10, 1), -back) for back in reversed(range(months))]
    made = tuple(_month(draw, start, teams, lines_a_day, is_last=start == starts[-1]) for start in starts)
    return BoardRows(made, _tables(made, teams) | findings(draw, starts, teams))


def _later(start: date, months: int) -> date:
    number = start.year * 12 + start.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _month(draw: np.random.Generator, start: date, teams: int, lines: int, *, is_last: bool) -> BoardMonth:
    days = (next_month(start) - start).days
    chargeback = _chargeback(draw, start, days, teams, lines, "provisional" if is_last else "final")
    costs = chargeback["reporting_effective_cost"].drop_nulls()
    is_team = chargeback["team_id"].is_not_null()
    allocated = exact_sum(chargeback.filter(is_team)["reporting_effective_cost"].drop_nulls())
    idle = exact_sum(chargeback.filter(~is_team)["reporting_effective_cost"].drop_nulls())
    adjusted = chargeback.filter(pl.col("rule_kind") == "adjustment")["reporting_effective_cost"]
    missing = (start + timedelta(days=days - 1),) if is_last else ()
    shared = SharedFacts(
        company="Example Ltd",
        currency="USD",
        bill_total=exact_sum(costs),
        allocated_total=allocated,
        residuals=(("residual:idle", idle),),
        adjusted_total=exact_sum(adjusted.drop_nulls()),
        freshness=(SourceFreshness("bill", "committed"), SourceFreshness("gateway", "incomplete", missing)),
        snapshot_id="7",
        config_hash="5d41402abc4b2a76b9719d911017c592",
        contact="finops@example.com",
    )
    period = Period(start, "provisional" if is_last else "final", datetime(2026, 11, 3, 2, 10))
    gpu = _gpu(draw, start, days, teams)
    return BoardMonth(period, chargeback, gpu, _hours(draw, start, days), shared)


def _chargeback(draw: np.random.Generator, start: date, days: int, teams: int, lines: int, state: str) -> pl.DataFrame:
    count = (teams + 1) * days * lines
    team, day, line = (
        np.divmod(np.arange(count) // lines, days)[0],
        (np.arange(count) // lines) % days,
        np.arange(count) % lines,
    )
    offer = (team * 3 + line) % len(OFFERS)
    units = draw.integers(1, 90_000_000_000_000, count)
    units[draw.random(count) < 0.01] *= -1
    billed = units - draw.integers(0, 2, count) * 1_000_000_007
    is_team = team < teams
    currency = np.array([o[3] for o in OFFERS])[offer]
    rate = np.array([RATES.get(o[3], 0) for o in OFFERS])[offer]
    known = pl.Series(rate > 0)
    api = np.array([o[2] for o in OFFERS])[offer] == "api"
    rows = {
        "billing_period": [start] * count,
        "charge_date": pl.Series(np.datetime64(start) + day.astype("timedelta64[D]")).cast(pl.Date),
        "account": np.where(is_team, np.char.add("team:team-", team.astype(str)), "residual:idle"),
        "team_id": pl.Series(np.char.add("team-", team.astype(str))).zip_with(
            pl.Series(is_team), pl.Series([None], dtype=pl.String)
        ),
        "team_name": pl.Series(np.char.add("Team ", team.astype(str))).zip_with(
            pl.Series(is_team), pl.Series([None], dtype=pl.String)
        ),
        "business_unit": pl.Series(np.char.add("Unit ", (team % 7).astype(str))).zip_with(
            pl.Series(is_team), pl.Series([None], dtype=pl.String)
        ),
        "provider_name": np.array([o[0] for o in OFFERS])[offer],
        "service_name": np.array([o[1] for o in OFFERS])[offer],
        "model_id": np.where(api, np.array(MODELS)[(team + line) % len(MODELS)], ""),
        "feature": np.array(FEATURES)[(team * 5 + line) % len(FEATURES)],
        "product": np.array(("Search", "Desk", ""))[team % 3],
        "cost_kind": np.array([o[2] for o in OFFERS])[offer],
        "rule_kind": np.array([o[4] for o in OFFERS])[offer],
        "billing_currency": currency,
        "effective_cost": money(units),
        "billed_cost": money(billed),
        "reporting_currency": ["USD"] * count,
        "reporting_effective_cost": money(units * rate).zip_with(known, pl.Series([None], dtype=pl.Decimal(38, 12))),
        "reporting_billed_cost": money(billed * rate).zip_with(known, pl.Series([None], dtype=pl.Decimal(38, 12))),
        "exchange_rate": pl.Series(rate)
        .cast(pl.Decimal(18, 9))
        .zip_with(known, pl.Series([None], dtype=pl.Decimal(18, 9))),
        "period_state": [state] * count,
    }
    made = frame("chargeback", rows)
    return pl.concat([made, _oddities(made, start)])


def _oddities(made: pl.DataFrame, start: date) -> pl.DataFrame:
    """A charge of the day before the month, and a correction of the month before it."""
    two = made.filter(pl.col("reporting_effective_cost").is_not_null()).head(2)
    number = pl.Series([0, 1])
    return two.with_columns(
        charge_date=pl.when(number == 0).then(pl.lit(start - timedelta(days=1))).otherwise(pl.col("charge_date")),
        rule_kind=pl.when(number == 1).then(pl.lit("adjustment")).otherwise(pl.col("rule_kind")),
        corrected_period=pl.when(number == 1).then(pl.lit(_later(start, -1))),
        cause=pl.when(number == 1).then(pl.lit("bill_restated")),
    )


def _gpu(draw: np.random.Generator, start: date, days: int, teams: int) -> pl.DataFrame:
    holders = min(teams, 40)
    count = holders * days * len(STATES)
    at = np.arange(count)
    holder, day, state = at // (days * len(STATES)), (at // len(STATES)) % days, at % len(STATES)
    seconds = draw.integers(0, 86_400, count)
    units = draw.integers(0, 40_000_000_000_000, count)
    is_held = np.array(STATES)[state] != "unallocated"
    rows = {
        "billing_period": [start] * count,
        "charge_date": pl.Series(np.datetime64(start) + day.astype("timedelta64[D]")).cast(pl.Date),
        "cluster": np.char.add("cluster-", (holder % 6).astype(str)),
        "gpu_model_name": np.where(holder % 2 == 0, "NVIDIA H100 80GB HBM3", "NVIDIA L4"),
        "account": np.where(is_held, np.char.add("team:team-", holder.astype(str)), "residual:idle"),
        "model_id": [""] * count,
        "purchase_option": np.array(("on_demand", "reserved", "spot"))[holder % 3],
        "gpu_state": np.array(STATES)[state],
        "waste_layer": np.array(STATES)[state],
        "gpu_seconds": seconds,
        "observed_seconds": np.where(np.array(STATES)[state] == "unknown", 0, seconds),
        "assumed_seconds": [0] * count,
        "effective_cost": money(units),
        "under_used_cost": money(np.where(np.array(STATES)[state] == "under_used", units // 3, 0)),
        "billing_currency": ["USD"] * count,
    }
    return frame("gpu_waste", rows)


def _hours(draw: np.random.Generator, start: date, days: int) -> pl.DataFrame:
    count = 6 * days * 24 * 3
    at = np.arange(count)
    return pl.DataFrame(
        {
            "usage_date": pl.Series(np.datetime64(start) + ((at // 72) % days).astype("timedelta64[D]")).cast(pl.Date),
            "hour": ((at // 3) % 24).astype(np.int8),
            "cluster": np.char.add("cluster-", (at // (72 * days)).astype(str)),
            "gpu_state": np.array(("effective", "allocated_idle", "unallocated"))[at % 3],
            "is_warm_standby": np.zeros(count, dtype=bool),
            "billing_currency": ["USD"] * count,
            "gpu_seconds": draw.integers(0, 360_000, count),
            "effective_cost": money(draw.integers(0, 9_000_000_000_000, count)),
        }
    )


def _tables(months: tuple[BoardMonth, ...], teams: int) -> dict[str, pl.DataFrame]:
    """The small marts: ledgers whose causes sum to their difference, invoices, commitments, what was unusual."""
    starts = [month.period.start for month in months]
    ledgers = [(start, name) for start in starts for name in ("openai", "anthropic")]
    keys = {"billing_period": [start for start, _ in ledgers], "provider_id": [name for _, name in ledgers]}
    some = {name: [Decimal(number)] * len(ledgers) for name, number in _LEDGER.items()}
    counts = {"billed_tokens": None, "counted_tokens": 5_000_000, "logged_tokens": 4_900_000}
    ledger = pl.DataFrame({**keys, **some, **{name: [value] * len(ledgers) for name, value in counts.items()}})
    causes = [(start, name, cause) for start, name in ledgers for cause in ("bypass", "discount")]
    return {
        "ledgers": ledger,
        "reconciliation_summary": frame("reconciliation_summary", {**keys, **_nothing(len(ledgers))}),
        "reconciliation_by_cause": frame(
            "reconciliation_by_cause",
            {
                "billing_period": [start for start, _, _ in causes],
                "provider_id": [name for _, name, _ in causes],
                "account_id": ["one"] * len(causes),
                "part": ["volume", "rate"] * len(ledgers),
                "cause": [cause for _, _, cause in causes],
                "usd": [Decimal("120.25"), Decimal("-20.2499")] * len(ledgers),
            },
        ),
        **_bills(months),
        "commitments": _commitments(starts),
        "anomalies": _anomalies(starts, teams),
        **_outlook(starts[-1]),
        "commitment_coverage": pl.DataFrame(
            {
                "billing_period": starts,
                **{name: ["AWS"] * len(starts) for name in ("provider_name", "billing_account_id")},
                "billing_currency": ["USD"] * len(starts),
                "covered_list_cost": [Decimal(750)] * len(starts),
                "uncovered_list_cost": [Decimal(250)] * len(starts),
                "uncovered_cost": [Decimal("240.5")] * len(starts),
                "coverage_ratio": [0.75] * len(starts),
                "utilisation_ratio": [0.9] * len(starts),
                "effective_savings_rate": [-0.05] * len(starts),
                "next_term_end": [datetime(2027, 1, 1)] * len(starts),
            }
        ),
    }


_LEDGER = {"billed_cost": "1100.0001", "estimated_cost": "1000", "difference": "100.0001"}


def _nothing(count: int) -> dict[str, list[object]]:
    zeros = ("unexplained_difference", "unpriced_tokens", "left_out_tokens")
    return {**{name: [0] * count for name in zeros}, "unexplained_ratio": [0.0] * count}


def _bills(months: tuple[BoardMonth, ...]) -> dict[str, pl.DataFrame]:
    """An invoice a provider and month that is what was posted, and how settled each is."""
    keys = ["billing_period", "provider_name", "billing_currency"]
    own = [month.chargeback.filter(pl.col("corrected_period").is_null()) for month in months]
    sums = pl.concat(own).group_by(keys).agg(pl.col("billed_cost").sum(), pl.len().alias("n")).sort(keys)
    count = sums.height
    told = {name: sums[name] for name in keys}
    invoices = {**told, "invoice_id": ["1"] * count, "line_count": sums["n"], "billed_cost": sums["billed_cost"]}
    asked = {
        **invoices,
        "stated_total": sums["billed_cost"],
        "difference": [0] * count,
        "tie_out": ["tied_out"] * count,
    }
    counts = [name for name in contract("period_states").arrow_schema().names if name.endswith("_count")]
    states = {"billing_period": told["billing_period"], "provider_name": told["provider_name"]}
    settled = [
        months[-1].period.state if start == months[-1].period.start else "final" for start in told["billing_period"]
    ]
    return {
        "invoice_tie_out": frame("invoice_tie_out", asked),
        "period_states": frame(
            "period_states", {**states, "period_state": settled, **{n: [0] * count for n in counts}}
        ),
    }


def _outlook(month: date) -> dict[str, pl.DataFrame]:
    """Three budgets, one overspent and one of outcomes; three forecasts, one with an interval; outcomes of one kind."""
    series = {"provider_name": ["", "OpenAI", ""], "model_id": [""] * 3, "feature": [""] * 3, "unit": ["USD"] * 3}
    ends = {"month_end_p10": [900, None, None], "month_end_p50": [1000, 58, 30], "month_end_p90": [1150, None, None]}
    of = {"account": ["", "team:team-1", ""], "outcome_kind": ["", "", "ticket"], "business_unit": [""] * 3}
    three = {"billing_period": [month] * 3, **of, **series}
    amounts = {name: [None if x is None else Decimal(x) for x in values] for name, values in ends.items()}
    budgets = {
        "budget_id": ["company", "team-1", "tickets"],
        "budget_amount": [Decimal(1100), Decimal(50), Decimal(90)],
    }
    sums = {"spent_amount": ["700", "60.5", "20"], "remaining_amount": ["400", "-10.5", "70"]}
    spent = {name: [Decimal(text) for text in texts] for name, texts in sums.items()}
    days = {"settled_date": [month + timedelta(days=20)] * 3}
    known = {"settled_amount": [Decimal(650), Decimal("60.5"), Decimal(20)], **days, "is_current": [True] * 3}
    chances = {"unconverted_currencies": [None, "CHF", None], "breach_chance": [Decimal("0.22"), None, None]}
    metrics = ["cost", "cost", "outcome_cost"]
    settled = {
        "level": ["organisation", "budget", "budget"],
        "metric": metrics,
        "settled_amount": spent["spent_amount"],
        **days,
    }
    held = {"no_interval_reason": [None, *["too short a history"] * 2], "coverage_ratio": [0.81, None, None]}
    names = {"outcome_kind": ["ticket"] * 2, "level": ["kind", "team"], "team_id": ["", "team-1"], "feature": [""] * 2}
    about = {
        "period_kind": ["month"] * 2,
        "period_start": [month] * 2,
        **names,
        "route": [""] * 2,
        "model_id": [""] * 2,
    }
    counts = {"priced_cost_usd": [Decimal(500)] * 2, "outcome_count": [Decimal(250), Decimal(0)]}
    told = {"success_ratio": [0.8, None], "is_nowcast": [True, False], "reason": [None, "no_outcomes"]}
    cost = {"cost_per_success_usd": [Decimal("2.5"), None], "cost_per_success_low_usd": [Decimal("2.1"), None]}
    high = {"cost_per_success_high_usd": [Decimal(3), None]}
    return {
        "budget_status": pl.DataFrame({**three, **amounts, **budgets, **spent, **known, **chances}),
        "forecasts": pl.DataFrame({**three, **amounts, **settled, **held}),
        "unit_costs": pl.DataFrame({**about, **counts, **told, **cost, **high}),
    }


def _commitments(starts: list[date]) -> pl.DataFrame:
    both = [(start, n) for start in starts for n in range(4)]
    return frame(
        "commitments",
        {
            "billing_period": [start for start, _ in both],
            "provider_name": ["AWS"] * len(both),
            "billing_currency": ["USD"] * len(both),
            "commitment_discount_id": [f"plan-{n}" for _, n in both],
            "commitment_discount_name": [f"Plan {n}" for _, n in both],
            "term_end": [datetime(2026, 11, 20 + n) for _, n in both],
            "payment_option": ["no_upfront"] * len(both),
            "purchased_cost": [Decimal(1000 + n) for _, n in both],
            "used_cost": [Decimal(800) for _ in both],
            "unused_cost": [Decimal(200 + n) for _, n in both],
            "unexplained_cost": [Decimal(0)] * len(both),
            "utilisation_ratio": [0.8] * len(both),
        },
    )


def _anomalies(starts: list[date], teams: int) -> pl.DataFrame:
    both = [(start, n) for start in starts for n in range(max(2, teams // 10))]
    count = len(both)
    return frame(
        "anomalies",
        {
            "anomaly_id": [f"{start:%Y%m}-{n:04}" for start, n in both],
            "story_id": [f"{start:%Y%m}-{n - n % 2:04}" for start, n in both],
            "parent_id": [f"{start:%Y%m}-{n - 1:04}" if n % 2 else None for start, n in both],
            "level": ["team"] * count,
            "account": [f"team:team-{n}" for _, n in both],
            "model_id": [""] * count,
            "metric": ["cost"] * count,
            "direction": ["rise"] * count,
            "onset_date": [start + timedelta(days=n % 20) for start, n in both],
            "last_alarm_date": [start + timedelta(days=n % 20 + 2) for start, n in both],
            "resolved_date": [start + timedelta(days=n % 20 + 3) for start, n in both],
            "state": ["resolved"] * count,
            "observed_mean": [Decimal("512.5")] * count,
            "expected_mean": [Decimal("210.25")] * count,
            "excess_cost": [Decimal(900 + n) for _, n in both],
            "currency": ["USD"] * count,
            "is_alert": [n % 2 == 0 for _, n in both],
            "is_new_level": [False] * count,
            "cause": ["runaway_loop"] * count,
            "evidence": ["Key abc made 79 times its requests."] * count,
            "runbook": ["Stop the job."] * count,
            "contributors": ['[{"dimension": "feature", "element": "answers", "change_cost": "175.19"}]'] * count,
            "settled_date": [date(2026, 10, 30)] * count,
        },
    )
