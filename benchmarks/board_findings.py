"""What a board tells beside costs: why months moved, what could be saved or committed to, what a request costs.

Amounts are drawn to the twelfth decimal, as in `board_rows`; parts are drawn first and what they sum to follows.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from benchmarks.board_decisions import own_gpus, units_of_throughput
from benchmarks.board_frames import Ints, frame, money

FACTORS = (
    *(("volume", "gpt-5"), ("volume", "claude-sonnet-5"), ("mix", "gpt-5"), ("mix", "claude-sonnet-5")),
    *(("tokens_per_request", "gpt-5"), ("cache_rate", "gpt-5"), ("price", "gpt-5"), ("price", "claude-sonnet-5")),
    *(("gpu_hours", ""), ("gpu_price", ""), ("shared", ""), ("other", "")),
)
LEVERS = (
    *("failed_attempts", "idle_gpus", "output_cap", "prompt_bloat", "cheaper_model", "model_review"),
    *("exact_repeats", "prompt_cache", "batch"),
)
GRADES = {"failed_attempts": "A", "idle_gpus": "A", "output_cap": "B", "exact_repeats": "B", "batch": "B"}


def findings(draw: np.random.Generator, starts: list[date], teams: int) -> dict[str, pl.DataFrame]:
    """The tables, of every month; teams 0 to `teams` less one, and what rests with nobody."""
    accounts = [f"team:team-{n}" for n in range(teams)] + ["residual:idle"]
    return {
        "variance_bridge": _bridge(draw, starts, accounts),
        "savings": _savings(draw, starts, accounts),
        "request_costs": _request_costs(draw, starts, teams),
        "commitment_advice": _advice(starts),
        "provisioned_advice": units_of_throughput(starts),
        "break_even": own_gpus(),
        "bill_errata": _errata(starts[-1]),
        "verified_savings": _verified(),
    }


def _bridge(draw: np.random.Generator, starts: list[date], accounts: list[str]) -> pl.DataFrame:
    """Every account's change in dollars; the last team's in euros."""
    made: list[pl.DataFrame] = []
    for start in starts:
        rows = [(account, *factor) for account in accounts for factor in FACTORS]
        changes = draw.integers(-9_000_000_000_000, 10_000_000_000_000, len(rows))
        before = np.repeat(draw.integers(100_000_000_000_000, 900_000_000_000_000, len(accounts)), len(FACTORS))
        whole = np.repeat(changes.reshape(len(accounts), -1).sum(axis=1), len(FACTORS))
        told = {
            "billing_period": [start] * len(rows),
            "account": [account for account, _, _ in rows],
            "team_id": [account.removeprefix("team:") if account[:5] == "team:" else None for account, _, _ in rows],
            "billing_currency": ["EUR" if account == accounts[-2] else "USD" for account, _, _ in rows],
            "factor": [factor for _, factor, _ in rows],
            "model_id": [model for _, _, model in rows],
            "change_cost": money(changes),
            "previous_account_cost": money(before),
            "account_cost": money(before + whole),
        }
        made.append(frame("variance_bridge", told))
    return pl.concat(made)


def _savings(draw: np.random.Generator, starts: list[date], accounts: list[str]) -> pl.DataFrame:
    rows = [(start, account, n) for start in starts for account in accounts for n in range(len(LEVERS))]
    low = draw.integers(0, 50_000_000_000_000, len(rows))
    is_known = pl.Series([LEVERS[n] != "model_review" for _, _, n in rows])

    def known(units: Ints) -> pl.Series:
        return money(units).zip_with(is_known, pl.Series([None], dtype=pl.Decimal(38, 12)))

    team = [account.removeprefix("team:") for _, account, _ in rows]
    asked = "select * from request_shapes where date_trunc('month', usage_date) = date '{}' and team_id = '{}'"
    told = {
        "billing_period": [start for start, _, _ in rows],
        "account": [account for _, account, _ in rows],
        "billing_currency": ["USD"] * len(rows),
        "lever": [LEVERS[n] for _, _, n in rows],
        "lever_order": [n for _, _, n in rows],
        "confidence": [GRADES.get(LEVERS[n], "C") for _, _, n in rows],
        "saving": known(low + 5_000_000_000_000),
        "saving_p10": known(low),
        "saving_p50": known(low + 6_000_000_000_000),
        "saving_p90": known(low + 9_000_000_000_000),
        "unproven_cost": [Decimal(0) if told else Decimal("75.5") for told in is_known],
        "reason": [None if told else "never_compared" for told in is_known],
        "evidence_row_count": [n + 1 for _, _, n in rows],
        "evidence": [asked.format(start, name) for (start, _, _), name in zip(rows, team, strict=True)],
        "assumption": ["Half to all of it can be avoided: by limits, validation and fewer retries."] * len(rows),
    }
    return frame("savings", told)


def _request_costs(draw: np.random.Generator, starts: list[date], teams: int) -> pl.DataFrame:
    features = ("answers", "ranking", "summaries")
    about: list[tuple[str, str, str, str]] = [("company", "", "", "")]
    about += [("team", f"team-{n}", "", "") for n in range(teams)]
    about += [("feature", "", name, "") for name in features]
    about += [("all", f"team-{n}", name, "api") for n in range(teams) for name in features]
    rows = [(start, *one) for start in starts for one in about]
    parts = draw.integers(1, 90_000_000_000_000, (len(starts), teams, len(features)))
    units = np.concatenate([_at_each_level(month) for month in parts])
    calls = np.concatenate([_at_each_level(np.full_like(month, 250_000)) for month in parts])
    told = {
        "billing_period": [row[0] for row in rows],
        **{name: [row[at] for row in rows] for at, name in enumerate(("level", "team_id", "feature", "route"), 1)},
        "request_count": calls,
        "failure_count": calls // 20_000,
        "unpriced_count": [0] * len(rows),
        "user_count": [40] * len(rows),
        "unnamed_count": [0] * len(rows),
        "priced_cost_usd": money(units),
        "named_cost_usd": money(units),
        "cost_per_request_usd": money(units // calls // 1000 * 1000),
        "cost_per_user_usd": money(units // 40 // 1000 * 1000),
    }
    return frame("request_costs", told)


def _at_each_level(parts: Ints) -> Ints:
    """What teams have of features as the company's, each team's, each feature's, and each by itself: they add up."""
    return np.concatenate([[parts.sum()], parts.sum(axis=1), parts.sum(axis=0), parts.ravel()])


def _advice(starts: list[date]) -> pl.DataFrame:
    """Two ways of committing to one machine type, and one type whose use falls."""
    ways = (("p5.48xlarge", "reserved", 12, "4000"), ("p5.48xlarge", "savings_plan", 36, "6500.5"))
    offers: tuple[tuple[str, str, int, str | None], ...] = (*ways, ("g6.xlarge", "reserved", 12, None))
    rows = [(start, machine, way, term, saving) for start in starts for machine, way, term, saving in offers]
    is_advised = [saving is not None for *_, saving in rows]
    told: dict[str, Any] = {
        "billing_period": [row[0] for row in rows],
        **dict.fromkeys(("provider_name", "billing_account_id"), ["AWS"] * len(rows)),
        "billing_currency": ["USD"] * len(rows),
        "region_id": ["us-east-1"] * len(rows),
        "instance_type": [row[1] for row in rows],
        "sku_id": [""] * len(rows),
        "purchase_option": [row[2] for row in rows],
        "term_months": [row[3] for row in rows],
        "payment_option": ["no_upfront"] * len(rows),
        "first_day": [date(2026, 8, 1)] * len(rows),
        "last_day": [date(2026, 10, 29)] * len(rows),
        "mean_machines": [6.25 if known else 1.0 for known in is_advised],
        "peak_machines": [8.0] * len(rows),
        "on_demand_price": [Decimal("55.04")] * len(rows),
        "committed_price": [Decimal("31.5")] * len(rows),
        "advised_machines": [5 if known else None for known in is_advised],
        "first_step_machines": [2 if known else None for known in is_advised],
        "monthly_saving": [None if row[4] is None else Decimal(row[4]) for row in rows],
        "upfront_cost": [Decimal(0) if known else None for known in is_advised],
        "regret_at_70_percent": [Decimal("812.25") if known else None for known in is_advised],
        "reason": [None if known else "falling_use" for known in is_advised],
    }
    return frame("commitment_advice", told)


def _errata(month: date) -> pl.DataFrame:
    """One that two teams share and that waits apart; one that no line of the bill answers to."""
    changes: list[tuple[str | None, str | None]] = [("team:team-0", "-30.25"), ("team:team-1", "-9.75")]
    rows = [("double-seats", *change) for change in (*changes, ("residual:errata", "40"))] + [("gone", None, None)]
    told = {
        "erratum_id": [row[0] for row in rows],
        "billing_period": [month] * len(rows),
        "provider_name": ["OpenAI"] * len(rows),
        "standing": ["applied", "applied", "applied", "unmatched"],
        "line_count": [2, 2, 2, 0],
        "found_cost": [Decimal(80), Decimal(80), Decimal(80), Decimal(0)],
        "reviewed_cost": [Decimal(80)] * 3 + [Decimal(5)],
        "correct_cost": [Decimal(40)] * 3 + [Decimal(0)],
        "posted_in": [month, month, month, None],
        "account": [row[1] for row in rows],
        "effective_change": [None if row[2] is None else Decimal(row[2]) for row in rows],
        "billing_currency": ["USD"] * len(rows),
        "reason": ["Seats are billed twice"] * 3 + ["A search that nobody made"],
        "evidence": ["Ticket 4711"] * len(rows),
        "reviewed_by": ["ada"] * len(rows),
        "expires_on": [date(2027, 1, 31)] * len(rows),
    }
    return frame("bill_errata", told)


def _verified() -> pl.DataFrame:
    told: dict[str, Any] = {
        "change_id": ["search-cache", "late"],
        "what": ["Prompt caching switched on", "A smaller model at night"],
        "switched_on_date": [date(2026, 9, 10), date(2026, 10, 28)],
        "team_id": ["team-1", ""],
        "method": ["matched_days", "matched_days"],
        "before_day_count": [28, 28],
        "after_day_count": [28, 2],
        "claimed_saving_usd": [Decimal(1200), Decimal(90)],
        "realised_saving_usd": [Decimal("1100.5"), None],
        "realised_low_usd": [Decimal(900), None],
        "realised_high_usd": [Decimal(1300), None],
        "verdict": ["confirmed", "undecided"],
        "reason": [None, "too_few_days_after"],
        "evidence": ["merge request 411", "merge request 412"],
    }
    return frame("verified_savings", told)
