"""Lists of Azure's APIs, whose every page names the next one by a link.

Here belongs: following links. Here does not belong: what a page holds.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.base import IncompleteDeliveryError
from connectors.deadline import Deadline
from connectors.exact import exact_json
from connectors.http import HttpSession
from connectors.paging import Turn, paginate

Query = tuple[tuple[str, str], ...]
_MOST_PAGES = 5000


def linked_pages(
    session: HttpSession,
    address: str,
    query: Query,
    *,
    deadline: Deadline,
    rows: str = "value",
    link: str = "nextLink",
) -> Iterator[bytes]:
    """Every page of a list. Links are followed by their query alone, so that nothing is asked elsewhere.

    Args:
        session: Asks.
        address: The list's address, without query.
        query: The first page's query.
        deadline: Of the whole delivery; looked at before each page.
        rows: What a page calls its list.
        link: What it calls the way on.

    Raises SourceError when a page cannot be read, IncompleteDeliveryError when pages do not end or are no such list.
    """

    def ask(asked: Query) -> Turn[bytes, Query]:
        deadline.require(address)
        body = session.get(address, dict(asked)).body
        return Turn(body, _next_query(_document(body, address, rows), link))

    return paginate(query, ask, _MOST_PAGES)


def _document(body: bytes, address: str, rows: str) -> Mapping[str, Any]:
    try:
        found = exact_json(body)
    except ValueError:
        found = None
    if not isinstance(found, Mapping) or not isinstance(found.get(rows), list):
        raise IncompleteDeliveryError(f"{address}: the answer is no page of a list; was something put in its way?")
    return found


def _next_query(document: Mapping[str, Any], link: str) -> Query | None:
    following = document.get(link)
    return tuple(parse_qsl(urlsplit(str(following)).query, keep_blank_values=True)) if following else None
