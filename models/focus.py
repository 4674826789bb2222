"""Charges as FOCUS's Cost and Usage has them: one row a token class and account, conserved to the last unit.

Sums of billed and effective cost, by invoice, billing account and currency, are those of `charges`; effective cost, by
account, is what was posted. So is billed cost, but for what a savings plan covers (`models.focus_lines`).

Here belongs: the order of the steps. Here does not belong: the steps.
"""

import polars as pl

from models.focus_classes import by_class
from models.focus_columns import described, focus_columns
from models.focus_lines import focus_lines
from models.focus_shares import carriers, split_lines
from models.frames import require

FOCUS_RULES = "1"
"""Version of the rules of `models.focus*`: another version may give the same charges other rows."""

_LINE = ["x_source", "x_page", "x_row"]


def focus_rows(
    *,
    charges: pl.DataFrame,
    charge_lines: pl.DataFrame,
    postings: pl.DataFrame,
    usage: pl.DataFrame,
    price_book: pl.DataFrame,
    teams: pl.DataFrame,
) -> pl.DataFrame:
    """The rows of one billing period, in the shape of `focus_cost_and_usage`, ordered by line, class and account.

    Args:
        charges: the bill lines of the period.
        charge_lines: the same lines with the group that each is posted in.
        postings: the journal of the period, or the one that it would have today.
        usage: frame in the shape of `usage_by_team_daily`, for lines that name no token class.
        price_book: frame in the shape of `price_book`.
        teams: frame in the shape of `teams`.

    Raises:
        ValueError: a frame does not keep its contract, or a line's group was not posted.
    """
    found = charge_lines.select(*_LINE, "charge_group_id", "provider_id", "model_id", "token_class")
    lines = require(charges, "charges").join(found, on=_LINE, how="inner").sort(_LINE)
    if lines.height != charges.height:
        raise ValueError(f"{charges.height - lines.height} bill lines are of no charge group")
    classed = by_class(
        focus_lines(lines).sort(*_LINE, "part"),
        require(usage, "usage_by_team_daily"),
        require(price_book, "price_book"),
    )
    parts = described(carriers(require(postings, "postings")), require(teams, "teams"))
    return focus_columns(split_lines(classed, parts))
