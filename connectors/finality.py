"""When invoices say that a month is over: all lines bear one, and one of these is the month's own.

What is bought once, and refunds, have invoices of their own, within the month already: a month with nothing else is
not closed by them, however many there are. It is final when it was asked for after the last night that pulls it: what
else was charged would have come by then.
"""

import pyarrow as pa
import pyarrow.compute as pc

ONLY_PURCHASES = (
    "every line is of what was bought once, which is invoiced at once: the month's own invoice is not among them, so "
    "that the month is final only after the last night that pulls it"
)


def closes_month(rows: pa.Table) -> bool:
    """Whether lines in the shape of `charges` are of the bill that closes a month: usage, or what recurs."""
    category, frequency = rows["charge_category"], rows["charge_frequency"]
    is_own = pc.call_function(
        "or_kleene",
        [
            pc.call_function("equal", [category, pa.scalar("Usage")]),
            pc.call_function("equal", [frequency, pa.scalar("Recurring")]),
        ],
    )
    return pc.call_function("any", [is_own]).as_py() is True
