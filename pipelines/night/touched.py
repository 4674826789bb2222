"""The known errors on bills that touch a statement, out of the rows of `bill_errata`."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from models.errata import AWAITED
from reports.given import Erratum
from reports.money import exact_sum

_ABOUT = (
    *("erratum_id", "provider_name", "billing_period", "standing", "billing_currency"),
    *("reason", "evidence", "reviewed_by", "expires_on"),
)


def of_month(period: date) -> pl.Expr:
    """Whether a row of `bill_errata` changes what the month's chargeback says, or was to."""
    return pl.coalesce("posted_in", "billing_period") == period


def touched(rows: pl.DataFrame, team_id: str | None = None) -> tuple[Erratum, ...]:
    """The errata that change what a team is charged; without a team all of them, also those that change nothing."""
    mine = pl.col("team_id") == team_id if team_id else pl.col("account").is_null() | (pl.col("account") != AWAITED)
    return tuple(_told(rows.filter(mine)) if rows.height else ())


def _told(rows: pl.DataFrame) -> Iterator[Erratum]:
    for about, found in rows.group_by(_ABOUT):
        erratum, provider, month, standing, currency, *words = about
        changes = found["effective_change"].drop_nulls().to_list()
        yield Erratum(erratum, provider, month, standing, exact_sum(changes) if changes else None, currency, *words)
