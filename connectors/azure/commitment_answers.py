"""The pages of Azure's lists put together: which of their items are rows, and which explain other ones.

Azure's items say themselves what they are (`type`). Orders tell what reservations cost, accounts where deployments are.

Here belongs: sorting items. Here does not belong: what an item means.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import IncompleteDeliveryError, LandedPage
from connectors.fields import JsonRow
from connectors.gathered import read_document

RESERVATION = "microsoft.capacity/reservationorders/reservations"
ORDER = "microsoft.capacity/reservationorders"
PLAN = "microsoft.billingbenefits/savingsplanorders/savingsplans"
DEPLOYMENT = "microsoft.cognitiveservices/accounts/deployments"
ACCOUNT = "microsoft.cognitiveservices/accounts"
_NUMBER = re.compile(r"(?P<folder>.*)/page-(?P<number>\d+)\.json")


@dataclass(frozen=True)
class Answers:
    """All items by page, those that explain others by their path in small letters."""

    pages: tuple[tuple[LandedPage, tuple[JsonRow, ...]], ...]
    explaining: Mapping[str, JsonRow]


def read_answers(pages: Iterable[LandedPage]) -> Answers:
    """The items of a delivery, in an order that does not depend on how its pages came.

    Raises IncompleteDeliveryError for a page that is cut or no list, and where the last page announces another.
    """
    found, links = list[tuple[LandedPage, tuple[JsonRow, ...]]](), dict[str, tuple[int, bool]]()
    for page in sorted(pages, key=lambda page: page.digest):
        document = read_document(page.body, page.name)
        found.append((page, tuple(_items(document, page.name))))
        if named := _NUMBER.fullmatch(page.name):
            link = int(named["number"]), bool(document.get("nextLink"))
            links[named["folder"]] = max(links.get(named["folder"], link), link)
    if unended := [folder for folder, (_, has_more) in links.items() if has_more]:
        raise IncompleteDeliveryError(
            f"{unended[0]}: the last page announces another, which is not there; fetch the day again, whole"
        )
    explaining = dict[str, JsonRow]()
    for item in (item for _, items in found for item in items if kind_of(item) in (ORDER, ACCOUNT)):
        path = path_of(item)
        is_richer = "planInformation" in properties_of(item)
        if is_richer or path not in explaining:  # an order is listed, and told by itself with what it costs
            explaining[path] = item
    return Answers(tuple(found), explaining)


def kind_of(item: JsonRow) -> str:
    """The item's type, in small letters; empty for none."""
    return str(item.get("type") or "").lower()


def path_of(item: JsonRow) -> str:
    """The item's path, in small letters."""
    return str(item.get("id") or "").lower().rstrip("/")


def properties_of(item: JsonRow) -> JsonRow:
    """The item's properties."""
    found = item.get("properties")
    return found if isinstance(found, Mapping) else {}


def _items(document: Any, name: str) -> Iterator[JsonRow]:
    listed = document.get("value", [document]) if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or not all(isinstance(item, Mapping) for item in listed):
        raise IncompleteDeliveryError(f"{name}: this is no answer of Azure's about commitments; fetch the day again")
    if "value" not in document and not kind_of(document):
        raise IncompleteDeliveryError(f"{name}: this is no answer of Azure's about commitments; fetch the day again")
    yield from listed
