"""What a team's requests cost each, and each of their users: rows of `request_costs` as a section of its statement.

Here belongs: which rows are told, and in which words. Here does not belong: the figures, which the mart has.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from models.minor_units import minor_unit
from reports.breakdown import LINE_LIMIT
from reports.given import Period
from reports.money import apportion, exact_sum, format_money, format_number, round_to
from reports.outcomes import ROUTES
from reports.tables import NO_VALUE, Row, Table
from reports.wording import clean

_USD = "USD"
_SMALL = Decimal("0.000001")  # a request may cost less than a hundredth of a cent
_FINE_BELOW = Decimal(1)
_LEAD = (
    "The log's attempts, failed ones included, at the price book and on own GPUs: in US dollars. A user is the "
    "customer whom the log tells, else who called. It is another view of the costs and not a part of the total."
)


def request_table(rows: Sequence[Mapping[str, Any]], period: Period) -> Table | None:
    """The team's features by route, the dearest first, and under them all its requests; None without any request.

    `rows` are the team's of `request_costs`. Costs add up to the last row as printed. Users do not, as one may use
    several features. What is not known is a dash.
    """
    mine = [row for row in rows if row["billing_period"] == period.start and row["request_count"]]
    whole = next((row for row in mine if row["level"] == "team"), None)
    if whole is None:
        return None
    parts = sorted((row for row in mine if row["level"] == "all"), key=_rank)
    known = [row for row in parts if _is_known(row)]
    cent = minor_unit(_USD)
    printed = apportion([row["priced_cost_usd"] for row in known], _rounded_sum(known), cent)
    costs = {(row["feature"], row["route"]): cost for row, cost in zip(known, printed, strict=True)}
    shown = parts if len(parts) <= LINE_LIMIT + 1 else parts[:LINE_LIMIT]
    lines = [_line(_name(row), row, costs.get((row["feature"], row["route"]))) for row in shown]
    if rest := parts[len(shown) :]:
        lines.append(_others(rest, [costs.get((row["feature"], row["route"])) for row in rest]))
    total = _line("All requests", whole, whole["priced_cost_usd"] if _is_known(whole) else None)
    headings = ("Feature", "Cost", "A request", "A user")
    return Table("requests", "What a request cost", headings, tuple(lines), total, _LEAD, f"All: {total.note}.")


def _rank(row: Mapping[str, Any]) -> tuple[Decimal, int, str, str]:
    return -row["priced_cost_usd"], -row["request_count"], row["feature"], row["route"]


def _is_known(row: Mapping[str, Any]) -> bool:
    return row["cost_per_request_usd"] is not None


def _rounded_sum(rows: Sequence[Mapping[str, Any]]) -> Decimal:
    return round_to(exact_sum(row["priced_cost_usd"] for row in rows), minor_unit(_USD))


def _name(row: Mapping[str, Any]) -> str:
    feature = clean(row["feature"]) or "No feature told"
    return f"{feature}, {ROUTES[row['route']]}" if row["route"] else feature


def _line(label: str, row: Mapping[str, Any], cost: Decimal | None) -> Row:
    each = (_each(row["cost_per_request_usd"]), _each(row["cost_per_user_usd"]))
    return Row(label, (NO_VALUE if cost is None else format_money(cost, _USD), *each), _note(row, row["user_count"]))


def _others(rows: Sequence[Mapping[str, Any]], costs: Sequence[Decimal | None]) -> Row:
    """Of several features together: their cost and how many requests they had; costs of one are in no figure here."""
    names = ("request_count", "failure_count", "unpriced_count")
    known = [cost for cost in costs if cost is not None]
    counts = {name: sum(row[name] for row in rows) for name in names}
    cost = format_money(exact_sum(known), _USD) if known else NO_VALUE
    return Row(f"{len(rows):,} others", (cost, NO_VALUE, NO_VALUE), _note(counts, None))


def _note(row: Mapping[str, Any], users: int | None) -> str:
    told = [_counted(row["request_count"], "request")]
    told += [_counted(users, "user")] if users else []
    told += [f"{row['failure_count']:,} failed"] if row["failure_count"] else []
    if row["unpriced_count"]:
        told.append(f"{row['unpriced_count']:,} without a known cost, which the figures lack")
    return "; ".join(told)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _each(amount: Decimal | None) -> str:
    """Dollars, to a millionth where it is less than one."""
    if amount is None:
        return NO_VALUE
    return format_money(amount, _USD) if abs(amount) >= _FINE_BELOW else f"${format_number(round_to(amount, _SMALL))}"
