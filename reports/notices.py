"""What there is to tell beside statements: anomalies that last, sources that are late, the digest.

Here belongs: rows of published tables as notices. Here does not belong: who is told, which are due, sending.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from reports.budget_lines import BudgetLine, month_label
from reports.currencies import Amounts, amounts_text
from reports.filenames import safe_name
from reports.money import format_money
from reports.notice import Notice
from reports.unusual import anomaly_label, anomaly_note, excess_text
from reports.wording import clean, day_label

ANOMALY, STALE, DIGEST = "anomaly", "stale", "digest"
_PART_LIMIT = 40  # lines of each part of a digest: chats cut long messages off anywhere
_TROUBLE_DAYS = 100  # as far back as nights look for what changed; what is older was told when it was news
_OUTAGES = 3  # of one source that are told of at once: each names what else is in trouble
_FEW = 5  # slices that a notice names
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
        # by the day it was found, not by anomaly_id: later figures may move the day it began
        of = (row["level"], row["account"], row["model_id"], row["metric"], str(row["found_date"]))
        key = f"notice/{ANOMALY}/{'/'.join(of)}"
        yield Notice(key, ANOMALY, title, (title, anomaly_note(row)), row["team_id"])


def stale_notices(rows: Iterable[Mapping[str, Any]], last_day: date, stale_days: int) -> Iterator[Notice]:
    """Of rows of `freshness` a notice for each outage: of a source and account that is late, or of slices in trouble.

    The same outage is told once. A daily source's is known by the newest day that arrived, and nothing else is told of
    it meanwhile. Slices that are not the newest, and months, which are asked for night after night, are known by the
    day on which they last arrived as they should: those of one day are one outage, and others another.

    Args:
        rows: as the contract describes them, without withdrawn ones; with `answered_at`, when the slice was last taken
            in or confirmed (UTC), None where it never was.
        last_day: the newest day that sources were asked for.
        stale_days: days without delivery after which a daily source is late.
    """
    by_source: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_source.setdefault((row["x_source"], row["x_account"]), []).append(row)
    for _, found in sorted(by_source.items()):
        yield from _of_source(found, last_day, stale_days)


def _of_source(found: Sequence[Mapping[str, Any]], last_day: date, stale_days: int) -> Iterator[Notice]:
    newest = max(found, key=lambda row: row["slice_date"])
    since = max((row["slice_date"] for row in found if row["delivery_id"] is not None), default=None)
    recent = [row for row in found if row["slice_date"] >= last_day - timedelta(days=_TROUBLE_DAYS)]
    troubled = sorted((r for r in recent if r["status"] in _TROUBLES), key=lambda r: r["slice_date"], reverse=True)
    is_daily = newest["fact"] != "charges"
    is_late = is_daily and since is not None and (last_day - since).days >= stale_days
    is_newest = is_daily and (is_late or newest in troubled)
    source, account = newest["x_source"], newest["x_account"]
    name = clean(source if not account else f"{source} ({account})")
    label = day_label if is_daily else month_label
    arrived = "Nothing ever arrived of it." if since is None else f"The newest that arrived is of {label(since)}."
    for outage, shown in [(f"{since}", newest)] if is_newest else _outages(troubled):
        title = f"Source {name} {_TROUBLES.get(shown['status'], 'is late')}: {label(shown['slice_date'])}"
        others = [label(row["slice_date"]) for row in troubled if row is not shown]
        also = f"In trouble as well: {_few(others)}." if others else ""
        said = clean(shown["message"] or "", 300)
        key = f"notice/{STALE}/{source}/{account}/{outage}"
        yield Notice(key, STALE, title, tuple(filter(None, (title, arrived, also, said))))


def _outages(troubled: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """What each outage of slices, newest first, is known by while it lasts, and its newest slice; of many the first."""
    by_outage: dict[str, list[Mapping[str, Any]]] = {}
    for row in troubled:
        answered = row["answered_at"]
        by_outage.setdefault("never" if answered is None else f"after-{answered:%Y-%m-%d}", []).append(row)
    named = [
        (f"{name}-{own[-1]['slice_date']}" if name == "never" else name, own[0]) for name, own in by_outage.items()
    ]
    return named[:_OUTAGES]


def _few(labels: Sequence[str]) -> str:
    more = len(labels) - _FEW
    return ", ".join([*labels[:_FEW], *([f"{more} more"] if more > 0 else [])])


class Apart(NamedTuple):
    """What is in no sum of a digest: without an exchange rate, or converted to another currency than the digest's."""

    without_rate: Amounts = ()
    elsewhere: Amounts = ()


NOTHING_APART = Apart()


def digest_month(every: str, today: date, months: Sequence[date]) -> date | None:
    """Of months with costs, oldest first, the one that a digest is of: each week the newest, each month the last ended.

    None where there is none.
    """
    this_month = today.replace(day=1)
    known = [month for month in months if month < this_month or (every == "week" and month == this_month)]
    return known[-1] if known else None


def digest_notice(
    every: str,
    today: date,
    costs: Mapping[str, Decimal],
    currency: str,
    budgets: Sequence[BudgetLine],
    told: Sequence[Notice],
    month: date,
    apart: Apart = NOTHING_APART,
) -> Notice:
    """The company's month in one notice, of the week or month that `today` is in.

    `costs` are by account (team:... or residual:...) in `currency`; `apart` is in none of them; `told` are the other
    notices that hold today. Of each part the first lines stand, and how many more are.
    """
    week = today.isocalendar()
    mark = f"{week.year}-w{week.week:02}" if every == "week" else f"{today:%Y-%m}"
    total = sum(costs.values(), Decimal(0))
    title = f"AI costs of {month_label(month)}: {format_money(total, currency)}"
    ranked = sorted(costs.items(), key=lambda one: (-one[1], one[0]))
    lines = [f"{_account_name(account)}: {format_money(cost, currency)}" for account, cost in ranked[:_PART_LIMIT]]
    if rest := [cost for _, cost in ranked[_PART_LIMIT:]]:
        lines.append(f"and {len(rest)} more: {format_money(sum(rest, Decimal(0)), currency)}")
    if apart.without_rate:
        lines.append(f"Not in it, for want of an exchange rate: {amounts_text(apart.without_rate)}")
    if apart.elsewhere:
        lines.append(f"Not in it, as it was converted to another currency: {amounts_text(apart.elsewhere)}")
    lines += _first([f"Budget {clean(line.budget_id)}: {line.spent} of {line.budget} spent" for line in budgets])
    lines += _first([notice.title for notice in told])
    return Notice(f"notice/{DIGEST}/{safe_name(mark)}", DIGEST, title, (title, *lines))


def _account_name(account: str) -> str:
    """A team may be called as a residual is."""
    kind, _, name = account.partition(":")
    return clean(f"{name} (of no team)" if kind == "residual" else account.removeprefix("team:"))


def _first(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _PART_LIMIT
    return [*lines[:_PART_LIMIT], *([f"and {more} more"] if more > 0 else [])]
