"""The anomalies of a team's month: when, how much beyond expectation, why, and what to do first.

Here belongs: alerts of `anomalies` in words. Here does not belong: judging what is unusual.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from reports.given import Period
from reports.money import ZERO, format_money
from reports.tables import NO_VALUE, Row, Table
from reports.wording import clean, days_label

_METRICS: Mapping[str, str] = {
    "cost": "Cost",
    "cost_per_request": "Cost of a request",
    "tokens": "Tokens",
    "tokens_per_request": "Tokens of a request",
    "output_tokens_per_request": "Output tokens of a request",
    "cost_per_outcome": "Cost of an outcome",
}
_CAUSES: Mapping[str, str] = {
    "key_leak": "A key that may have leaked",
    "new_model": "A new model",
    "cache_collapse": "The cache is hit less",
    "price_change": "Prices changed",
    "runaway_loop": "A loop that does not end",
    "longer_requests": "Longer requests",
    "more_requests": "More requests",
    "burn_without_outcomes": "Money that nothing comes of",
    "gpu_cost": "GPUs cost more",
    "not_logged": "Billed, and not in the log",
}
_STATES: Mapping[str, str] = {"new": "new", "ongoing": "goes on", "resolved": "over"}
_LEAD = "Rises that are large in money and explained by nothing else. What was to be expected is an estimate."


def unusual_table(rows: Iterable[Mapping[str, Any]], period: Period) -> Table | None:
    """The month's alerts, the dearest first; None where there are none. `rows` are the team's of `anomalies`."""
    found = [row for row in rows if row["is_alert"] and _is_within(row, period)]
    if not found:
        return None
    ranked = sorted(found, key=lambda row: (-(row["excess_cost"] or ZERO), row["anomaly_id"]))
    headings = ("What", "Beyond expectation")
    return Table("unusual", "What was unusual", headings, tuple(map(_row, ranked)), lead=_LEAD)


def anomaly_label(row: Mapping[str, Any]) -> str:
    """Such as "Cost of gpt-5, 12–15 Jul"."""
    name = row["model_id"] or row.get("outcome_kind")  # snapshots from before the column have none
    of_what = f" of {clean(name)}" if name else ""
    first, last = row["onset_date"], row["last_alarm_date"]
    days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    return f"{_METRICS[row['metric']]}{of_what}, {days_label(days)}"


def anomaly_note(row: Mapping[str, Any]) -> str:
    """Its cause with the evidence, what to do first, and whether it is over."""
    cause = _CAUSES.get(row["cause"] or "", "No single cause is known")
    said = (
        f"{cause}{': ' if row['evidence'] else ''}{clean(row['evidence'] or '', 300)}",
        clean(row["runbook"] or "", 300),
    )
    return " ".join(f"{part.rstrip('.')}." for part in (*said, f"It {_is(row)}") if part)


def excess_text(row: Mapping[str, Any]) -> str:
    """What it came to beyond expectation."""
    amount: Decimal | None = row["excess_cost"]
    return NO_VALUE if amount is None else format_money(amount, row["currency"], signed=True)


def _is(row: Mapping[str, Any]) -> str:
    state = _STATES[row["state"]]
    return state if state == "goes on" else f"is {state}"


def _is_within(row: Mapping[str, Any], period: Period) -> bool:
    return row["onset_date"] < period.end and row["last_alarm_date"] >= period.start


def _row(row: Mapping[str, Any]) -> Row:
    return Row(anomaly_label(row), (excess_text(row),), anomaly_note(row))
