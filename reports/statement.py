"""The statement of one team and one month: every figure computed, every string ready to print.

Here belongs: the view-model of a statement. Here does not belong: markup, mail, files.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from reports.beside_costs import budget_tables, outcome_tables
from reports.breakdown import as_listed, split, sums_by
from reports.currencies import converted
from reports.given import Period, SharedFacts, Team, TeamRows
from reports.guard import require_own_rows
from reports.lines import feature_sums
from reports.month import Month, build_month
from reports.tables import Table, cost_table
from reports.wording import RULE_LABELS, clean


@dataclass(frozen=True)
class Statement:
    """One team's month. `unit_line` is its business unit and cost centre; strings are printed as they stand."""

    team_id: str
    team_name: str
    unit_line: str
    month: Month
    team_tables: tuple[Table, ...]
    company_tables: tuple[Table, ...]


def build_statement(team: Team, period: Period, rows: TeamRows, shared: SharedFacts) -> Statement:
    """The statement, with tables that add up as printed.

    Raises StatementError if a row is of another team, month or reporting currency, or the shared facts do not balance.
    """
    require_own_rows(team, period, rows, shared.currency)
    month = build_month(period, rows, _without_causes(shared))
    purpose, rule = _purpose_and_rule(converted(rows.chargeback), month.total, month.currency)
    costs = (*month.moved, month.services, purpose, *month.gpu, rule)
    beside = (*outcome_tables(rows.outcomes, period, team), *budget_tables(rows.budgets, period, team))
    return Statement(
        team_id=team.team_id,
        team_name=clean(team.team_name) or clean(team.team_id),
        unit_line=_unit_line(team),
        month=month,
        team_tables=(*costs, *month.errata, *month.currencies, *beside),
        company_tables=(month.bill, *month.checks),
    )


def _without_causes(shared: SharedFacts) -> SharedFacts:
    """What a source said went wrong names paths and settings: the overview tells operators, statements do not."""
    return replace(shared, freshness=tuple(replace(source, message=None) for source in shared.freshness))


def _purpose_and_rule(rows: pl.DataFrame, total: Decimal, currency: str) -> tuple[Table, Table]:
    rules = [rule for rule in sums_by(rows, "rule_kind", RULE_LABELS) if rule[2]]
    by_feature = split(feature_sums(rows), total, currency)
    return (
        cost_table("features", "What it was for", "Feature", by_feature, currency),
        cost_table("rules", "How it got here", "Rule", as_listed(rules, total, currency), currency),
    )


def _unit_line(team: Team) -> str:
    centre = clean(team.cost_centre or "")
    parts = (clean(team.business_unit or ""), f"Cost centre {centre}" if centre else "")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)
