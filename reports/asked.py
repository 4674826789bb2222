"""How to ask for what a section of a statement is made of: the command for each, with its names quoted.

Here belongs: the commands by section. Here does not belong: what they answer; docs/explain.md says that.
"""

import shlex
from collections.abc import Iterable

from reports.given import Period, Team
from reports.tables import Row, Table
from reports.wording import clean

_TABLES = {
    "gpu": ("gpu_waste", "month={month},team={team}"),
    "why": ("variance_bridge", "month={month},team={team}"),
    "customers": ("chargeback_by_customer", "month={month},team={team}"),
    "idle-gpus": ("idle_gpu_holders", "holder_team_id={team}"),
    "unusual": ("anomalies", "team={team}"),
    "forecast": ("forecasts", "month={month},team={team}"),
    "requests": ("request_costs", "month={month},team={team}"),
    "outcomes": ("unit_costs", "period_start={month}-01,team={team}"),
    "budgets": ("budget_status", "month={month},team={team}"),
    "savings": ("savings", "month={month},team={team}"),
}
"""Sections that are rows of a table, and which."""
_EXPLAINED = ("services", "features", "rules", "change")
_OF_ALL = ("log", "causes")


def ask_table(tables: Iterable[Table], team: Team, period: Period) -> Table:
    """Each command once, with the sections that it is for: `farthing explain` for costs, a query for other rows."""
    titles: dict[str, list[str]] = {}
    for table in tables:
        if command := _command(table.name, team, period):
            titles.setdefault(command, []).append(table.title)
    rows = tuple(Row("; ".join(sections), (), ask=command) for command, sections in titles.items())
    lead = "Down to the rules, the lines of bills and the delivered files; every level adds up to the figure."
    return Table("ask", "What a figure is made of", ("Section",), rows, lead=lead)


def _command(name: str, team: Team, period: Period) -> str:
    month, who = f"{period.start:%Y-%m}", clean(team.team_id)
    if name in _EXPLAINED:
        return f"farthing explain {month} {shlex.quote(who)}"
    if name == "bill":
        return f"farthing explain {month}"
    if name == "coverage":
        days = f"slice_date >= date '{period.start}' and slice_date < date '{period.end}'"
        return f'farthing query "select * from freshness where {days}"'
    if name.startswith(_OF_ALL):
        return f"farthing explain reconciliation_by_cause --where month={month}"
    if name not in _TABLES:
        return ""
    table, where = _TABLES[name]
    return f"farthing explain {table} --where {shlex.quote(where.format(month=month, team=who))}"
