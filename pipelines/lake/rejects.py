"""Refused rows as rows of the table `rejects`: the reason and the payload, nothing lost."""

from collections.abc import Sequence

import pyarrow as pa

from connectors.base import Reject, SourceSettings, Window
from contracts import contract

REJECTS = "rejects"


def reject_rows(settings: SourceSettings, fact: str, window: Window, rejects: Sequence[Reject]) -> pa.Table:
    """The refused rows of one chunk, in the order they were met."""
    rows = [
        {
            "x_source": settings.name,
            "x_account": settings.account,
            "fact": fact,
            "x_slice_date": window.slice_date,
            "x_page": reject.page_id,
            "x_row": reject.row,
            "reason": reject.reason,
            "column_name": reject.column_name,
            "detail": reject.detail,
            "payload": reject.payload,
            "cost": reject.cost,
            "currency": reject.currency,
        }
        for reject in rejects
    ]
    return pa.Table.from_pylist(rows, schema=contract(REJECTS).arrow_schema())
