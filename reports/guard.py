"""The guard at the door: rows of another team, month or currency never reach a statement.

Here belongs: refusing what a statement must not be made from. Here does not belong: mending it.
"""

from datetime import date

import polars as pl

from reports.given import BESIDE, CUSTOMERS, Period, StatementError, Team, TeamRows

_BEFORE = "chargeback of the month before"


def require_own_rows(team: Team, period: Period, rows: TeamRows, currency: str) -> None:
    """Raises StatementError naming the first kind of row that does not belong, what was expected, and the remedy."""
    _require_team(rows.chargeback, "chargeback", team)
    _require_team(rows.gpu, "gpu_waste", team)
    if rows.customers is not None:
        _require_team(rows.customers, CUSTOMERS, team)
    require_period_and_currency(rows, period, currency)
    if rows.previous is not None:
        _require_team(rows.previous, _BEFORE, team)
    for field, (table, owner) in BESIDE.items():
        if told := getattr(rows, field):
            _require_team(pl.DataFrame({"team_id": [row[owner] for row in told]}), table, team)


def require_period_and_currency(rows: TeamRows, period: Period, currency: str) -> None:
    """Raises StatementError unless every row is of its month and every cost is reported in `currency`."""
    _require_period(rows.chargeback, "chargeback", period.start)
    _require_period(rows.gpu, "gpu_waste", period.start)
    _require_currency(rows.chargeback, "chargeback", currency)
    if rows.customers is not None:
        _require_period(rows.customers, CUSTOMERS, period.start)
        _require_currency(rows.customers, CUSTOMERS, currency)
    if rows.previous is not None:
        _require_period(rows.previous, _BEFORE, period.previous_start)
        _require_currency(rows.previous, _BEFORE, currency)


def _require_period(rows: pl.DataFrame, name: str, start: date) -> None:
    months = {str(value) for value in rows["billing_period"].unique()} - {str(start)}
    if months:
        raise StatementError(
            f"the {name} rows hold billing period {', '.join(sorted(months))}, but only {start} was expected; "
            "hand in one month at a time"
        )


def _require_currency(rows: pl.DataFrame, name: str, currency: str) -> None:
    currencies = set(rows["reporting_currency"].unique()) - {currency}
    if currencies:
        raise StatementError(
            f"the {name} rows are reported in {', '.join(sorted(map(str, currencies)))}, but statements are in "
            f"{currency}; amounts of different currencies are never added: rebuild the marts with that `currency`"
        )


def _require_team(rows: pl.DataFrame, name: str, team: Team) -> None:
    strangers = rows.filter(pl.col("team_id").ne_missing(pl.lit(team.team_id)))
    if not strangers.is_empty():
        owners = sorted({repr(value) if value else "no team" for value in strangers["team_id"].unique()})
        raise StatementError(
            f"{strangers.height} of {rows.height} {name} rows belong to {', '.join(owners[:3])}, not to team "
            f"{team.team_id!r}; a statement is made from its own team's rows only: filter by team_id first"
        )
