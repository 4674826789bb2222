"""How to ask for what a section of a statement is made of: the command for each, with its names quoted.

Here belongs: the commands by section. Here does not belong: what they answer; docs/explain.md says that.
"""

import shlex
from collections.abc import Iterable

from reports.given import Period, Team
from reports.tables import Row, Table
from reports.wording import clean

_QUERIES = {
    "why": "variance_bridge where team_id = '{team}' and billing_period = date '{start}'",
    "idle-gpus": "idle_gpu_holders where holder_team_id = '{team}' and usage_date < date '{end}'",
    "unusual": "anomalies where team_id = '{team}' and onset_date < date '{end}'",
    "forecast": "forecasts where team_id = '{team}' and billing_period = date '{start}'",
    "outcomes": "unit_costs where team_id = '{team}' and period_start = date '{start}'",
    "budgets": "budget_status where team_id = '{team}' and billing_period = date '{start}'",
    "savings": "savings where team_id = '{team}' and billing_period = date '{start}'",
    "coverage": "freshness where slice_date >= date '{start}' and slice_date < date '{end}'",
}
"""Sections that are rows of a published table."""
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
    month, who = f"{period.start:%Y-%m}", shlex.quote(clean(team.team_id))
    if name in _EXPLAINED:
        return f"farthing explain {month} {who}"
    if name == "gpu":
        return f"farthing explain gpu_waste --where {shlex.quote(f'month={month},team={clean(team.team_id)}')}"
    if name == "bill":
        return f"farthing explain {month}"
    if name.startswith(_OF_ALL):
        return _query(f"reconciliation_by_cause where billing_period = date '{period.start}'")
    rows = _QUERIES.get(name)
    quoted = clean(team.team_id).replace("'", "''")
    return _query(rows.format(team=quoted, start=period.start, end=period.end)) if rows else ""


def _query(rows: str) -> str:
    text = f"select * from {rows}"
    return f'farthing query "{text}"' if not set(text) & set('"$`\\') else f"farthing query {shlex.quote(text)}"
