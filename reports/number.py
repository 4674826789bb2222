"""The number of a statement: the same in mail, page, PDF, workbook and Parquet, and again whenever it is rendered.

Here belongs: what a number is made of. Here does not belong: where it is printed.
"""

import hashlib

import polars as pl

from reports.filenames import safe_name
from reports.given import Period

_DIGITS = 8
_MARKS_OF_STATE = ("period_state",)  # locking a final month changes no figure: it keeps its number


def statement_number(team_id: str, period: Period, chargeback: pl.DataFrame) -> str:
    """Such as `2026-07-search-4F9C21E0`: month, team, and eight digits of a hash of the team's lines and their state.

    The same lines, in whatever order, have the same number; a bill that was restated has another, and so has a month
    whose bills became final. Locking it does not change it.
    """
    state = "final" if period.state == "locked" else period.state
    kept = sorted(set(chargeback.columns) - set(_MARKS_OF_STATE))
    lines = chargeback.select(pl.col(kept).cast(pl.String)).sort(kept, nulls_last=True)
    told = f"{team_id}\n{period.start}\n{state}\n{lines.write_csv(null_value='', quote_style='non_numeric')}"
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{period.start:%Y-%m}-{safe_name(team_id)}-{digest.upper()}"
