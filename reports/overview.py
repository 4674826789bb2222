"""The company's month on one page: every team with a link to its statement, and what no team was charged with.

Here belongs: the view-model of the index page. Here does not belong: one team's details.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from models.minor_units import minor_unit
from reports.breakdown import as_listed
from reports.change import comparable
from reports.company import bill_lines
from reports.coverage import awaited
from reports.currencies import amounts_text, converted, without_rate
from reports.filenames import statement_filename
from reports.given import IdleRule, Period, SharedFacts, StatementError, Team, TeamRows
from reports.guard import require_period_and_currency
from reports.machines import machine_tables
from reports.money import EXACT, ZERO, exact_sum, format_money, round_to
from reports.month import Month, build_month
from reports.tables import NO_VALUE, Row, Table
from reports.wording import clean


@dataclass(frozen=True)
class Overview:
    """The index page: the whole company's month, told as who owes what, what was bought, and whether it adds up."""

    month: Month
    owed: tuple[Table, ...]
    bought: tuple[Table, ...]
    checks: tuple[Table, ...]


def build_overview(
    teams: Sequence[Team], period: Period, rows: TeamRows, shared: SharedFacts, idle_rules: Sequence[IdleRule] = ()
) -> Overview:
    """The overview of all teams and residuals; `rows` are the whole company's rows of the month, residuals included.

    `idle_rules` are the owner rules that match nothing: whoever keeps the configuration reads this page.

    Teams without cost are listed with what they cost: nothing. Raises StatementError when rows are of another month
    or currency, name a team that is not among `teams`, or do not add up to the shared bill total.
    """
    require_period_and_currency(rows, period, shared.currency)
    _require_whole_bill(converted(rows.chargeback), shared)
    month = build_month(period, rows, shared)
    by_team = _team_table(teams, period, rows, shared)
    return Overview(
        month,
        (by_team, month.bill, *month.errata, *month.currencies),
        (*month.moved, month.services, *month.gpu),
        (*month.checks, *machine_tables(shared), *_idle_table(idle_rules)),
    )


def without_links(overview: Overview, pages: Collection[str]) -> Overview:
    """The overview without links to those `pages`: what could not be rendered is not there."""

    def unlinked(table: Table) -> Table:
        rows = tuple(replace(row, link="") if row.link in pages else row for row in table.rows)
        return replace(table, rows=rows)

    return replace(overview, owed=tuple(unlinked(table) for table in overview.owed))


def _idle_table(rules: Sequence[IdleRule]) -> tuple[Table, ...]:
    rows = tuple(Row(clean(r.rule_id), (f"line {r.line}",), clean(f"{r.message}. {r.remedy}", 300)) for r in rules)
    lead = "What they are meant for is charged to nobody by them: a name may be misspelt, or be used no more."
    headings = ("Rule", "Configuration")
    return (Table("idle-rules", "Owner rules that match nothing", headings, rows, lead=lead),) if rows else ()


def _require_whole_bill(rows: pl.DataFrame, shared: SharedFacts) -> None:
    found = exact_sum(rows["effective_cost"])
    if found != shared.bill_total:
        raise StatementError(
            f"the company's rows add up to {found} {shared.currency}, but its bill is {shared.bill_total}; "
            "hand in every row of the month, residuals included, from the same snapshot"
        )


def _team_table(teams: Sequence[Team], period: Period, rows: TeamRows, shared: SharedFacts) -> Table:
    """Teams by size; their costs add up to what the bill table says is allocated."""
    now = _by_team(rows.chargeback)
    strangers = sorted(set(now) - {team.team_id for team in teams})
    if strangers:
        raise StatementError(f"the rows name {strangers[0]!r}, which is not among the teams; add it to `teams`")
    currency = shared.currency
    allocated = bill_lines(shared).lines[0].amount
    found = exact_sum(cost for cost in now.values() if cost is not None)
    if found != shared.allocated_total:
        raise StatementError(
            f"teams' rows add up to {found} {currency}, but {shared.allocated_total} was allocated; "
            "take both from the same snapshot"
        )
    previous = None if awaited(shared.freshness) else rows.previous  # a part is compared with no whole
    before = None if previous is None else _by_team(comparable(previous, period))
    exact = {team.team_id: now.get(team.team_id, ZERO) for team in teams}
    ranked = sorted(teams, key=lambda team: (-(exact[team.team_id] or ZERO), team.team_id))
    listed = as_listed([("", "", exact[team.team_id] or ZERO) for team in ranked], allocated, currency)
    shown = tuple(
        Row(
            clean(team.team_name) or clean(team.team_id),
            _cells(None if exact[team.team_id] is None else line.amount, before, team.team_id, currency),
            _note(team, rows.chargeback),
            statement_filename(team.team_id, period),
        )
        for team, line in zip(ranked, listed.lines, strict=True)
    )
    total = Row("Allocated to teams", ("", format_money(allocated, currency)))
    return Table("teams", "Teams", ("Team", "Change", "Cost"), shown, total)


def _by_team(rows: pl.DataFrame) -> dict[str, Decimal | None]:
    """Every team that was charged, with what could be converted of it; None where nothing could."""
    owned = rows.filter(pl.col("team_id").is_not_null())
    costs: dict[str, Decimal | None] = dict.fromkeys(owned["team_id"])
    sums = converted(owned).group_by("team_id").agg(pl.col("effective_cost").sum())
    return costs | dict(sums.iter_rows())


def _cells(
    cost: Decimal | None, before: Mapping[str, Decimal | None] | None, team_id: str, currency: str
) -> tuple[str, str]:
    """Change and cost: what is not known is no zero."""
    previous = None if before is None else before.get(team_id, ZERO)
    if cost is None:
        return NO_VALUE, NO_VALUE
    if previous is None:
        return NO_VALUE, format_money(cost, currency)
    change = EXACT.subtract(cost, round_to(previous, minor_unit(currency)))
    return format_money(change, currency, signed=True), format_money(cost, currency)


def _note(team: Team, rows: pl.DataFrame) -> str:
    apart = without_rate(rows.filter(pl.col("team_id") == team.team_id))
    missing = f"Not in it: {amounts_text(apart)}, without an exchange rate" if apart else ""
    return " \N{MIDDLE DOT} ".join(filter(None, (clean(team.business_unit or ""), missing)))
