"""Which reservation an order is of: a recurring purchase names its order alone, usage the reservation below it.

Here belongs: what the delivery's own lines say of it. Here does not belong: what a commitment's id is (`words`).
"""

from collections.abc import Iterable, Mapping

from connectors.azure import words
from connectors.base import LandedPage
from connectors.bills.files import open_lines
from connectors.bills.names import Names, literal

_BELOW = "reservationorders/([^/]+)/reservations/([^/]+)"


def reservations_of_orders(pages: Iterable[LandedPage]) -> Mapping[str, str]:
    """By order its reservation, of those that have just one in these lines; both in small letters.

    An order that was split, or exchanged in part, has several: nobody can tell which of them a payment is for.
    Raises IncompleteDeliveryError for a file that is not whole.
    """
    found = dict[str, set[str]]()
    for page in pages:
        with open_lines(page) as lines:
            path = words.commitment_path(lines.names)
            pieces = ", ".join(f"regexp_extract({path}, '{_BELOW}', {group})" for group in (1, 2))
            below = f"select distinct {pieces} from lines where regexp_matches({path}, '{_BELOW}')"
            for order, reservation in lines.connection.sql(below).fetchall():
                found.setdefault(order, set()).add(reservation)
    return {order: next(iter(below)) for order, below in sorted(found.items()) if len(below) == 1}


def commitment_of(names: Names, orders: Mapping[str, str]) -> str:
    """SQL of the commitment's id, the reservation's where the line names an order that has just one."""
    own = words.commitment(names)
    if not orders:
        return own
    pairs = ", ".join(f"{literal(order)}: {literal(reservation)}" for order, reservation in orders.items())
    return f"coalesce(map {{{pairs}}}[{own}], {own})"
