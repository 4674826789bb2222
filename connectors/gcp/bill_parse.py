"""An invoice month's landed pages become charges.

Every page is read twice: once for what only the whole delivery tells (how many lines there are, the newest export, how
much of each legacy commitment was used), once to stage its lines.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from connectors.base import IncompleteDeliveryError, LandedPage, Page, Parsed, Window
from connectors.bills import Bill, parse_bill
from connectors.bills.files import Lines, open_lines
from connectors.bills.look import unlanded
from connectors.gcp.bill_settings import GcpBillSettings
from connectors.gcp.bill_shape import SEPARATOR, require_columns, shape
from connectors.gcp.pieces import read_source, unfold
from connectors.gcp.placing import know, look_at_placed, place
from connectors.gcp.survey import Survey, look_over, of_month
from connectors.gcp.utilisation import used_shares
from connectors.gcp.vertex import is_expected_to_be_read, is_generative, read_description

STATEMENT = b'{"farthing_statement":'
"""How the page begins that says what a query of the table announced."""


def parse_month(settings: GcpBillSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
    """Charges, rejects and notices of one invoice month.

    Raises IncompleteDeliveryError for a file that is not whole, for columns that money hangs on, and when a query of
    the table announced another number of lines.
    """
    delivered = list(pages)
    statement, data = _statement(delivered)
    survey = Survey()
    for page in data:
        with open_lines(page) as lines:
            require_columns(lines.names)
            read_source(lines)
            look_over(lines, window, survey)
    if statement is not None and statement["lines"] != survey.lines:
        raise IncompleteDeliveryError(
            f"the query announced {statement['lines']} lines, and the landed pages hold {survey.lines}: "
            "run the day again, so that the month is queried again as a whole"
        )
    fees, discounts = survey.fees.values(), survey.discounts.values()
    shares = used_shares(fees, discounts)
    placing = place(fees, discounts, shares)
    for page in data if placing.shares else ():
        with open_lines(page) as lines:
            read_source(lines)
            know(lines, placing)
            look_at_placed(lines, of_month(lines.names, window), placing)
    unread = set[str]()

    def opened(lines: Lines) -> None:
        read_source(lines)
        unfold(lines, shares, placing)

    def read_model(text: str) -> tuple[str | None, ...]:
        return _model(text, unread)

    bill = Bill(
        settings,
        window,
        data,
        lambda names: shape(names, settings, window, read_model),
        opened=opened,
        is_final=bool(statement and statement["is_final"]),
    )
    for chunk, is_last in _with_end(parse_bill(bill)):
        yield replace(chunk, notices=(*chunk.notices, *_told(survey, unread))) if is_last else chunk


def newest_month(page: Page) -> date | None:
    """The latest invoice month that a file's lines name; None where none does.

    Raises IncompleteDeliveryError for a file that is not whole.
    """
    with open_lines(unlanded(page)) as lines:
        month = lines.names.text("invoice.month")
        well_formed = f"regexp_full_match({month}, '20[0-9][0-9](0[1-9]|1[0-2])')"
        found = lines.connection.sql(f"select max({month}) from lines where {well_formed}").fetchall()[0][0]
    return date(int(found[:4]), int(found[4:]), 1) if found else None


def _with_end(chunks: Iterator[Parsed]) -> Iterator[tuple[Parsed, bool]]:
    """Every chunk, and whether it is the last one, which speaks for the delivery."""
    held = next(chunks)
    for chunk in chunks:
        yield held, False
        held = chunk
    yield held, True


def _told(survey: Survey, unread: set[str]) -> Iterator[str]:
    if survey.newest_export is not None:
        yield f"the newest line was exported at {survey.newest_export:%Y-%m-%d %H:%M:%S} UTC"
    if unread:
        shown = ", ".join(repr(words) for words in sorted(unread)[:5])
        yield f"{len(unread)} SKU descriptions name a model and could not be placed: {shown}"


def _model(text: str, unread: set[str]) -> tuple[str | None, ...]:
    """Model, token class, service tier and unit of a line, for the look-up."""
    service, description, unit, has_quantity = text.split(SEPARATOR)
    if not is_generative(service):
        return None, None, None, (unit or None) if has_quantity else None
    found = read_description(description, unit or None)
    if not found.is_read and is_expected_to_be_read(description):
        unread.add(description)
    return found.model_id, found.token_class, found.service_tier, found.unit if has_quantity else None


def _statement(pages: Sequence[LandedPage]) -> tuple[dict[str, Any] | None, list[LandedPage]]:
    """What the query of the table announced, if there was one, and the pages that hold lines."""
    statement, data = None, list[LandedPage]()
    for page in pages:
        with page.body.open() as stream:
            head = stream.read(len(STATEMENT))
            if head == STATEMENT:
                statement = _announced(page.name, head + stream.read(1 << 20))
                continue
        data.append(page)
    return statement, data


def _announced(name: str, content: bytes) -> dict[str, Any]:
    try:
        return orjson.loads(content)["farthing_statement"]
    except (orjson.JSONDecodeError, KeyError):
        raise IncompleteDeliveryError(f"{name} is cut off: run the day again") from None
