"""The guard at the door: rows of another team, month or currency never reach a statement.

Here belongs: refusing what a statement must not be made from. Here does not belong: mending it.
"""

from datetime import date

import polars as pl

from reports.given import Period, StatementError, Team, TeamRows


def require_own_rows(team: Team, period: Period, rows: TeamRows, currency: str) -> None:
    """Raises StatementError naming the first kind of row that does not belong, what was expected, and the remedy."""
    _require_team(rows.chargeback, "chargeback", team)
    _require_team(rows.gpu, "gpu_waste", team)
    require_period_and_currency(rows.chargeback, "chargeback", period.start, currency)
    require_period_and_currency(rows.gpu, "gpu_waste", period.start, currency)
    if rows.previous is not None:
        before = period.previous_start
        _require_team(rows.previous, "chargeback of the month before", team)
        require_period_and_currency(rows.previous, "chargeback of the month before", before, currency)


def require_period_and_currency(rows: pl.DataFrame, name: str, start: date, currency: str) -> None:
    """Raises StatementError unless every row is of the month that starts at `start` and in `currency`."""
    months = {str(value) for value in rows["billing_period"].unique()} - {str(start)}
    if months:
        raise StatementError(
            f"the {name} rows hold billing period {', '.join(sorted(months))}, but only {start} was expected; "
            "hand in one month at a time"
        )
    currencies = set(rows["billing_currency"].unique()) - {currency}
    if currencies:
        raise StatementError(
            f"the {name} rows hold {', '.join(sorted(map(str, currencies)))}, but statements are in {currency}; "
            "amounts of different currencies are never added: set `currency` in the configuration to the bill's own"
        )


def _require_team(rows: pl.DataFrame, name: str, team: Team) -> None:
    strangers = rows.filter(pl.col("team_id").ne_missing(pl.lit(team.team_id)))
    if not strangers.is_empty():
        owners = sorted({repr(value) if value else "no team" for value in strangers["team_id"].unique()})
        raise StatementError(
            f"{strangers.height} of {rows.height} {name} rows belong to {', '.join(owners[:3])}, not to team "
            f"{team.team_id!r}; a statement is made from its own team's rows only: filter by team_id first"
        )
