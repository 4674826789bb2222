"""What there is to tell beside statements: anomalies that last, sources that are late, the digest.

Here belongs: rows of published tables as notices. Here does not belong: who is told, which are due, sending.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reports.budget_lines import BudgetLine, month_label
from reports.filenames import safe_name
from reports.money import format_money
from reports.notice import Notice
from reports.unusual import anomaly_label, anomaly_note, excess_text
from reports.wording import clean, day_label

ANOMALY, STALE, DIGEST = "anomaly", "stale", "digest"
_FRESH_DAYS = 7  # an alert found longer ago is in statements; whoever sets this up is not told of a year
_TROUBLES = {
    "failed": "failed",
    "incomplete": "came incomplete",
    "suspicious_empty": "came empty and waits to be confirmed",
    "suspicious_shrink": "came much smaller and waits to be confirmed",
    "suspicious_growth": "came much larger and waits to be confirmed",
}


def anomaly_notices(rows: Iterable[Mapping[str, Any]]) -> Iterator[Notice]:
    """Of rows of `anomalies` the alerts that were found within a week of the newest settled day and are not over."""
    for row in rows:
        is_fresh = row["settled_date"] - row["found_date"] < timedelta(days=_FRESH_DAYS)
        if not row["is_alert"] or row["state"] == "resolved" or not is_fresh:
            continue
        whose = clean(row["team_id"] or row["account"].removeprefix("residual:") or "the company")
        title = f"Unusual cost of {whose}: {anomaly_label(row)}, {excess_text(row)} beyond expectation"
        key = f"notice/{ANOMALY}/{row['anomaly_id']}"
        yield Notice(key, ANOMALY, title, (title, anomaly_note(row)), row["team_id"])


def stale_notices(rows: Iterable[Mapping[str, Any]], last_day: date, stale_days: int) -> Iterator[Notice]:
    """Of rows of `freshness` one notice for each source and account whose newest slice is in trouble, or that is late.

    Args:
        rows: as the contract describes them, without withdrawn ones.
        last_day: the newest day that sources were asked for.
        stale_days: days without delivery after which a daily source is late.
    """
    by_source: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_source.setdefault((row["x_source"], row["x_account"]), []).append(row)
    for (source, account), found in sorted(by_source.items()):
        newest = max(found, key=lambda row: row["slice_date"])
        served = [row["slice_date"] for row in found if row["delivery_id"] is not None]
        since = max(served, default=None)
        is_daily = newest["fact"] != "charges"
        late = None if since is None or not is_daily else (last_day - since).days
        trouble = _TROUBLES.get(newest["status"])
        if trouble is None and (late is None or late < stale_days):
            continue
        name = clean(source if not account else f"{source} ({account})")
        title = f"Source {name} {trouble or 'is late'}: {day_label(newest['slice_date'])}"
        told = "Nothing ever arrived of it." if since is None else f"The newest that arrived is of {day_label(since)}."
        said = clean(newest["message"] or "", 300)
        key = f"notice/{STALE}/{source}/{account}/{since}"
        yield Notice(key, STALE, title, tuple(filter(None, (title, told, said))))


def digest_notice(
    every: str,
    today: date,
    costs: Mapping[str, Decimal],
    currency: str,
    budgets: Sequence[BudgetLine],
    told: Sequence[Notice],
    month: date,
) -> Notice:
    """The company's month in one notice, of the week or month that `today` is in.

    `costs` are by team and residual in `currency`; `told` are the other notices that hold today.
    """
    week = today.isocalendar()
    mark = f"{week.year}-w{week.week:02}" if every == "week" else f"{today:%Y-%m}"
    total = sum(costs.values(), Decimal(0))
    title = f"AI costs of {month_label(month)}: {format_money(total, currency)}"
    ranked = sorted(costs.items(), key=lambda one: (-one[1], one[0]))
    lines = [f"{clean(name)}: {format_money(cost, currency)}" for name, cost in ranked]
    lines += [f"Budget {clean(line.budget_id)}: {line.spent} of {line.budget} spent" for line in budgets]
    lines += [notice.title for notice in told]
    return Notice(f"notice/{DIGEST}/{safe_name(mark)}", DIGEST, title, (title, *lines))
