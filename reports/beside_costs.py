"""What a team's statement tells beside its costs: what its outcomes cost, and how its month stands against budgets.

Here belongs: the two sections' tables. Here does not belong: which rows are told, and in which words. A team without
outcomes or budgets has no such section.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reports.budget_lines import BudgetLine, budget_lines
from reports.given import Period, Team
from reports.money import format_money, format_number, format_ratio, round_to
from reports.outcomes import OutcomeLine, team_outcome_lines
from reports.tables import NO_VALUE, Row, Table
from reports.wording import clean

NARROW = "\N{NARROW NO-BREAK SPACE}"
_SMALL = Decimal("0.0001")  # an outcome may cost less than a cent
_OUTCOMES = (
    "What the requests made for each kind of outcome cost, failed ones included, over what came of them: in US "
    "dollars, at the price book and on own GPUs. It is another view of the costs and not a part of the total."
)
_BUDGETS = "The month against the budgets that are this team's."


def outcome_tables(rows: Iterable[Mapping[str, Any]], period: Period, team: Team) -> Sequence[Table]:
    """The section of outcomes from the team's rows of `unit_costs`; none without any of the month."""
    lines = team_outcome_lines(rows, period.start, team.team_id)
    if not lines:
        return ()
    headings = ("Outcome", "Cost", "Cost per success")
    return (Table("outcomes", "What came of it", headings, tuple(map(_outcome, lines)), lead=_OUTCOMES),)


def budget_tables(rows: Iterable[Mapping[str, Any]], period: Period, team: Team) -> Sequence[Table]:
    """The section of budgets from the team's rows of `budget_status`; none without any of the month.

    Where a month ends is not told of one that is over.
    """
    lines = budget_lines(rows, period.start, team.team_id)
    if not lines:
        return ()
    headings = ("Budget", "Spent", "Left")
    return (Table("budgets", "Budgets", headings, tuple(map(_budget, lines)), lead=_BUDGETS),)


def _outcome(line: OutcomeLine) -> Row:
    ratio = "" if line.success_ratio is None else f" ({format_ratio(Decimal(str(line.success_ratio)))})"
    came = f"{_count(line.successes)} successes{ratio} of {line.cases:,} cases"
    each = NO_VALUE if line.cost_per_success is None else _small(line.cost_per_success)
    between = _interval(line.low, line.high)
    cells = (format_money(line.cost, "USD"), each)
    return Row(clean(line.kind), cells, "; ".join(filter(None, (came, line.told, between))))


def _budget(line: BudgetLine) -> Row:
    told = [f"{line.budget} for {line.of_what}", line.firmness]
    if line.is_current:
        told.append(f"month end {line.month_end}")
        told += [f"in eight of ten cases {line.interval}"] if line.interval else []
        told.append(f"chance to exceed {line.chance}")
        told += [f"burning: {line.burn}"] if line.is_burning else []
    return Row(clean(line.budget_id), (line.spent, line.remaining), "; ".join(told))


def _interval(low: Decimal | None, high: Decimal | None) -> str:
    if low is None or high is None:
        return ""
    return f"a success costs {_small(low)} to {_small(high)} with 95{NARROW}% confidence"


def _count(number: Decimal) -> str:
    """Outcomes are parted as their costs are: a tenth is shown where there is one."""
    tenths = round_to(number, Decimal("0.1"))
    return format_number(round_to(tenths, Decimal(1)) if tenths == tenths.to_integral_value() else tenths)


def _small(amount: Decimal) -> str:
    """Dollars, to a hundredth of a cent where it is less than ten."""
    if abs(amount) >= 10:
        return format_money(amount, "USD")
    return f"${format_number(round_to(amount, _SMALL))}"
