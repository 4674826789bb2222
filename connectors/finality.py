"""When invoices say that a month is over: all lines bear one, and one of these is the month's own.

What is bought once, and refunds, have invoices of their own, within the month already: a month with nothing else is
not closed by them, however many there are. It is final when it was asked for after the last night that pulls it: what
else was charged would have come by then.

What nobody used of a commitment, on a line that asks for no money, stands on no invoice and needs none: Azure makes
such lines up in its amortised view alone. The payment has an invoice of its own.
"""

import pyarrow as pa
import pyarrow.compute as pc

ONLY_PURCHASES = (
    "every line is of what was bought once, which is invoiced at once: the month's own invoice is not among them, so "
    "that the month is final only after the last night that pulls it"
)


def is_invoiced(rows: pa.Table) -> bool:
    """Whether every line in the shape of `charges` bears an invoice, but for unused commitments billed at nothing."""
    invoice = rows["invoice_id"]
    if invoice.null_count == 0:
        return True
    open_lines = rows.select(["charge_category", "commitment_discount_status", "billed_cost"]).filter(
        pc.call_function("is_null", [invoice])
    )
    needs_none = (
        (pc.field("charge_category") == "Usage")
        & (pc.field("commitment_discount_status") == "Unused")
        & (pc.field("billed_cost") == pa.scalar(0, rows.schema.field("billed_cost").type))
    )
    return open_lines.filter(needs_none).num_rows == open_lines.num_rows


def closes_month(rows: pa.Table) -> bool:
    """Whether lines in the shape of `charges` are of the bill that closes a month: invoiced usage, or what recurs."""
    category, frequency = rows["charge_category"], rows["charge_frequency"]
    is_own = pc.call_function(
        "or_kleene",
        [
            pc.call_function("equal", [category, pa.scalar("Usage")]),
            pc.call_function("equal", [frequency, pa.scalar("Recurring")]),
        ],
    )
    has_invoice = pc.call_function("is_valid", [rows["invoice_id"]])
    return pc.call_function("any", [pc.call_function("and_kleene", [is_own, has_invoice])]).as_py() is True
