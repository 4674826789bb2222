"""The statement of one team and one month: every figure computed, every string ready to print.

Here belongs: the view-model of a statement. Here does not belong: markup, mail, files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import polars as pl

from reports.asked import ask_table
from reports.beside_costs import budget_tables, outcome_tables
from reports.breakdown import as_listed, grouped, split, sums_by
from reports.could_save import savings_table
from reports.currencies import converted, rates_of
from reports.customers import customers_table
from reports.given import Period, SharedFacts, Team, TeamRows
from reports.glance import glance_table
from reports.guard import require_own_rows
from reports.idle_holders import idle_table
from reports.lines import feature_sums
from reports.month import Month, build_month
from reports.month_end import forecast_table
from reports.number import statement_number
from reports.request_lines import request_table
from reports.tables import Row, Table, cost_table
from reports.unusual import unusual_table
from reports.wording import MONTHS, RULE_LABELS, clean


@dataclass(frozen=True)
class Statement:
    """One team's month. `unit_line` is its business unit and cost centre; strings are printed as they stand.

    `number` is the same wherever this statement is printed; `glance` is what its first page says of the sections.
    """

    number: str
    team_id: str
    team_name: str
    unit_line: str
    month: Month
    glance: tuple[Table, ...]
    team_tables: tuple[Table, ...]
    company_tables: tuple[Table, ...]


_ADJUSTMENT = "adjustment"
_FORMS = {
    ".customers.parquet": "What was for whom, as Parquet: in the folder alone",
    ".customers.parquet.sha256": "Hash of that file: in the folder alone",
    ".html": "Page",
    ".txt": "Plain text",
    ".pdf": "PDF",
    ".xlsx": "Workbook with every line",
    ".parquet": "Every line as Parquet",
    ".parquet.sha256": "Hash of the Parquet file",
}


def build_statement(
    team: Team,
    period: Period,
    rows: TeamRows,
    shared: SharedFacts,
    files: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Statement:
    """The statement, with tables that add up as printed. `files` are the names of its files, which it lists.

    `missing` are the names of files that could not be made, which it names beside them.

    Raises StatementError if a row is of another team, month or reporting currency, or the shared facts do not balance.
    """
    require_own_rows(team, period, rows, shared.currency)
    month = build_month(period, rows, _without_causes(shared))
    known = converted(rows.chargeback)
    purpose, rule = _purpose_and_rule(known, month.total, month.currency)
    whom = _if_any(customers_table(rows.customers, known, month.total, month.currency))
    costs = (*month.moved, month.services, purpose, *whom, *month.gpu, *_if_any(idle_table(rows.idle)), rule)
    beside = _beside(team, period, rows, shared.currency)
    told = (*costs, *month.errata, *month.currencies, *beside, *_files(files, missing))
    return Statement(
        number=statement_number(team.team_id, period, rows.chargeback),
        team_id=team.team_id,
        team_name=clean(team.team_name) or clean(team.team_id),
        unit_line=_unit_line(team),
        month=month,
        glance=glance_table(told),
        team_tables=told,
        company_tables=(month.bill, *month.checks, ask_table((*told, month.bill, *month.checks), team, period)),
    )


def _beside(team: Team, period: Period, rows: TeamRows, currency: str) -> tuple[Table, ...]:
    """What is told beside costs, each where there is any."""
    return (
        *_if_any(request_table(rows.requests, period)),
        *outcome_tables(rows.outcomes, period, team),
        *budget_tables(rows.budgets, period, team),
        *_if_any(forecast_table(rows.forecasts, period)),
        *_if_any(unusual_table(rows.anomalies, period)),
        *_if_any(savings_table(rows.savings, rates_of(rows.chargeback), period, currency)),
    )


def _files(names: Sequence[str], missing: Sequence[str]) -> tuple[Table, ...]:
    """Where else this statement is to be had, and where it is not; why a file is missing is told to operators."""
    made = tuple(Row(name, (_form(name),), link=name) for name in names)
    rows = (*made, *(Row(name, (f"{_form(name)}: could not be made",)) for name in missing))
    lead = "In one folder, or with the mail. All have this statement's number."
    remark = (
        "What could not be made is neither in the folder nor with the mail. It says what this statement says: ask for "
        "it by the statement's number; whoever runs Farthing was told why it is missing."
    )
    table = Table("files", "The same as files", ("File", "Form"), rows, lead=lead, remark=remark if missing else "")
    return (table,) if rows else ()


def _form(name: str) -> str:
    return next((form for end, form in _FORMS.items() if name.endswith(end)), "File")


def _if_any(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)


def _without_causes(shared: SharedFacts) -> SharedFacts:
    """What a source said went wrong names paths and settings: the overview tells operators, statements do not."""
    return replace(shared, freshness=tuple(replace(source, message=None) for source in shared.freshness))


def _purpose_and_rule(rows: pl.DataFrame, total: Decimal, currency: str) -> tuple[Table, Table]:
    charged = sums_by(rows.filter(pl.col("rule_kind") != _ADJUSTMENT), "rule_kind", RULE_LABELS)
    adjusted = rows.filter(pl.col("rule_kind") == _ADJUSTMENT)
    rules = [rule for rule in (*charged, *grouped(adjusted, ["corrected_period"], _adjustment)) if rule[2]]
    by_feature = split(feature_sums(rows), total, currency)
    return (
        cost_table("features", "What it was for", "Feature", by_feature, currency),
        cost_table("rules", "How it got here", "Rule", as_listed(rules, total, currency), currency),
    )


def _adjustment(month: date) -> tuple[str, str]:
    return f"Adjustment of {MONTHS[month.month - 1]} {month.year}, which is locked", "why: period_adjustments"


def _unit_line(team: Team) -> str:
    centre = clean(team.cost_centre or "")
    parts = (clean(team.business_unit or ""), f"Cost centre {centre}" if centre else "")
    return " \N{MIDDLE DOT} ".join(part for part in parts if part)
