"""What a check says of a native bill before the first night: whether a file of it can be read under the settings.

Here belongs: the look at the beginning of one file, and whose export it seems to be when it is not the one that was
meant. Here does not belong: which file is the newest, and how its lines become charges: each source says that.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from connectors.base import IncompleteDeliveryError, LandedPage, Page, Parsed, SourceError
from connectors.bills.files import open_lines
from connectors.bills.names import column_key

_UNREAD = "0" * 64  # nothing of a check is landed: the digest stands in no table
_MARKS = {
    "a Cost and Usage Report of AWS (kind: aws_bill)": ("line_item_unblended_cost", "line_item_usage_type"),
    "Google's billing export (kind: gcp_bill)": ("usage_start_time", "cost_type", "currency_conversion_rate"),
    "a cost export of Azure (kind: azure_bill)": ("MeterCategory", "MeterSubCategory"),
    "a bill in FOCUS columns (kind: focus, or the setting of this source for FOCUS)": ("BilledCost", "ChargeCategory"),
}


def unlanded(page: Page) -> LandedPage:
    """A page that a check opens without landing it, as what readers take; its digest is none of its bytes."""
    return LandedPage(page.name, _UNREAD, page.body)


def look(page: Page, parse: Callable[[LandedPage], Iterator[Parsed]]) -> str:
    """That the beginning of a file becomes charges, in words; `parse` reads it as the source would.

    Raises SourceError for a file that is not whole, lacks a column that money hangs on, seems to be another provider's,
    or of whose first lines none can be staged, each with the remedy.
    """
    try:
        with closing(_generator(parse(unlanded(page)))) as chunks:
            first = next((chunk for chunk in chunks if chunk.rows.num_rows or chunk.rejects), None)
    except IncompleteDeliveryError as error:
        raise SourceError(f"{error}{whose(page)}") from None
    if first is None:
        return f"{page.name} holds no line yet"
    if not first.rows.num_rows:
        reject = first.rejects[0]
        raise SourceError(
            f"{page.name}: none of its lines can be staged; line {reject.row:,}: {reject.reason}: {reject.detail}. "
            "Correct the settings, or check that the location holds the bill that was meant"
        )
    currencies = ", ".join(sorted(first.rows["billing_currency"].unique().to_pylist()))
    return f"{page.name} can be read: its first {first.rows.num_rows:,} lines are charges in {currencies}"


def _generator(chunks: Iterator[Parsed]) -> Generator[Parsed]:
    yield from chunks


def whose(page: Page) -> str:
    """Whose export the columns seem to be, as the end of a sentence; empty where nothing tells, or nothing is read."""
    try:
        with open_lines(unlanded(page)) as lines:
            found = {column_key(column.name) for column in lines.names.columns.values()}
    except SourceError:
        return ""
    for words, marks in _MARKS.items():
        if {column_key(mark) for mark in marks} <= found:
            return f". Its columns are those of {words}: set `location` to the bill that was meant, or change `kind`"
    return ""
