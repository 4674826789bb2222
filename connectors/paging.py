"""Walking the pages of one delivery to their end, and noticing when there is none.

Here belongs: cursors. Here does not belong: how a page is fetched or what it holds.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.base import IncompleteDeliveryError

T = TypeVar("T")
C = TypeVar("C", bound=Hashable)


@dataclass(frozen=True)
class Turn(Generic[T, C]):
    """One page and the way on. `has_more`: the source's own word, where it gives one."""

    page: T
    next_cursor: C | None
    has_more: bool | None = None


def paginate(first: C, next_page: Callable[[C], Turn[T, C]], max_pages: int) -> Iterator[T]:
    """Walks pages to their end.

    Args:
        first: The cursor (offset, token, address) of the first page.
        next_page: Fetches the page at a cursor and says where the next one is.
        max_pages: More pages than any honest delivery has.

    Raises:
        IncompleteDeliveryError: A cursor repeats, more is announced without a cursor, or the pages do not end.
    """
    seen: set[C] = set()
    cursor = first
    for _ in range(max_pages):
        seen.add(cursor)
        turn = next_page(cursor)
        yield turn.page
        if turn.has_more is False or (turn.next_cursor is None and not turn.has_more):
            return
        if turn.next_cursor is None:
            raise IncompleteDeliveryError(
                f"page {len(seen)} announces more and gives no cursor to it. Nothing was committed; run again."
            )
        if turn.next_cursor in seen:
            raise IncompleteDeliveryError(
                f"page {len(seen)} points back to a page already read: the source turns in a circle. "
                "Nothing was committed; run again, and report it to the source if it stays."
            )
        cursor = turn.next_cursor
    raise IncompleteDeliveryError(
        f"the source has more than {max_pages} pages for one window. Nothing was committed; ask for a smaller window."
    )
