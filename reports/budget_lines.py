"""A month's budgets as people read them: the same few lines for a statement, a mail and a terminal.

Here belongs: rows of `budget_status` in words. Here does not belong: their figures, layout, sending.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from reports.money import format_money, format_number, format_ratio, round_to
from reports.wording import MONTHS, clean, day_label


@dataclass(frozen=True)
class BudgetLine:
    """One budget of one month. Texts are ready to be shown, and NULL of the table is said in words.

    `interval` is where the month ends in eight of ten cases; empty where nobody knows. `spent_ratio` is for bars.
    `unsettled` is how much of what is spent stands on days that may still grow; empty where none of it does.
    """

    budget_id: str
    of_what: str
    budget: str
    spent: str
    spent_ratio: Decimal
    unsettled: str
    expected: str
    remaining: str
    is_overspent: bool
    month_end: str
    interval: str
    chance: str
    is_burning: bool
    burn: str
    firmness: str
    is_current: bool


def budget_lines(rows: Iterable[Mapping[str, Any]], period: date, team_id: str | None = None) -> list[BudgetLine]:
    """The lines of a month's budgets by name: of a team's own, or with no team of all.

    Args:
        rows: rows of `budget_status`.
        period: first day of the month.
        team_id: whose budgets.
    """
    wanted = (row for row in rows if row["billing_period"] == period and team_id in (None, row["team_id"]))
    return [budget_line(row) for row in sorted(wanted, key=lambda row: row["budget_id"])]


def budget_line(row: Mapping[str, Any]) -> BudgetLine:
    """One row of `budget_status` in words."""
    unit = row["unit"]
    low, high = row["month_end_p10"], row["month_end_p90"]
    return BudgetLine(
        budget_id=row["budget_id"],
        of_what=_of_what(row),
        budget=amount_text(row["budget_amount"], unit),
        spent=_spent(row),
        spent_ratio=row["spent_ratio"],
        unsettled=_unsettled(row),
        expected=_known(row["expected_amount"], unit, "nothing settled yet"),
        remaining=amount_text(row["remaining_amount"], unit),
        is_overspent=row["remaining_amount"] < 0,
        month_end=_month_end(row),
        interval="" if low is None else f"{amount_text(low, unit)} to {amount_text(high, unit)}",
        chance=_chance(row),
        is_burning=bool(row["is_burning"]),
        burn=_burn(row),
        firmness=_firmness(row),
        is_current=row["is_current"],
    )


def month_label(period: date) -> str:
    """A month such as "October 2026"."""
    return f"{MONTHS[period.month - 1]} {period.year}"


def amount_text(amount: Decimal, unit: str) -> str:
    """Money, or a count of tokens, such as $12,000.00 or 5,000,000 tokens."""
    if unit == "tokens":
        return f"{format_number(round_to(amount, Decimal(1)))} tokens"
    return format_money(amount, unit)


def _of_what(row: Mapping[str, Any]) -> str:
    named = [(row["team_id"], "team"), (row["provider_name"], "provider"), (row["model_id"], "model")]
    named += [
        (row["feature"], "feature"),
        (row.get("outcome_kind"), "outcome"),
        (row.get("business_unit"), "business unit"),
    ]
    found = [f"{word} {clean(name)}" for name, word in named if name]
    return ", ".join(found) or "the company"


def _spent(row: Mapping[str, Any]) -> str:
    told = f"{amount_text(row['spent_amount'], row['unit'])} ({format_ratio(row['spent_ratio'])})"
    missing = row["unconverted_currencies"]
    return f"{told}, without costs in {missing}, for which there is no rate" if missing else told


def _unsettled(row: Mapping[str, Any]) -> str:
    """Only where a settled day is known is the rest known to be unsettled."""
    since = row["spent_amount"] - row["settled_amount"]
    if not row["is_current"] or row["settled_date"] is None or not since:
        return ""
    return f"{amount_text(since, row['unit'])} on days that may still change"


def _month_end(row: Mapping[str, Any]) -> str:
    """Days that are not settled are estimated, whatever they show so far: the sum can be less than what is spent."""
    middle = row["month_end_p50"]
    told = _known(middle, row["unit"], "the month is over" if not row["is_current"] else "not known")
    if middle is None or middle >= row["spent_amount"]:
        return told
    return f"{told}, less than is spent: days that may still change are estimated, not counted"


def _known(amount: Decimal | None, unit: str, otherwise: str) -> str:
    return otherwise if amount is None else amount_text(amount, unit)


def _chance(row: Mapping[str, Any]) -> str:
    if row["breach_chance"] is None:
        return f"not known: {row['no_chance_reason']}"
    return format_ratio(row["breach_chance"])


def _burn(row: Mapping[str, Any]) -> str:
    one, seven = row["burn_one_day"], row["burn_seven_days"]
    if one is None or seven is None:
        return "not known"
    return f"{one:.1f} times a day's part on the last settled day, {seven:.1f} times over seven days"


def _firmness(row: Mapping[str, Any]) -> str:
    if not row["is_provisional"]:
        return "final"
    settled = row["settled_date"]
    told = "provisional"
    if row["is_current"] and settled is not None and settled >= row["billing_period"]:
        told += f": settled up to {day_label(settled)}"
    unsettled = _unsettled(row)
    return f"{told}, of what is spent {unsettled}" if unsettled else told
