"""Azure list prices: the retail price list of machines and models, as it stands on the day.

Here belongs: asking for the parts of the list, page by page. Here does not belong: what an item says (`price_items`).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from connectors.azure.linked import Query, linked_pages
from connectors.azure.price_items import read_prices, stage_price
from connectors.azure.prices_settings import AzurePricesSettings, Offer
from connectors.base import Bytes, LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.deadline import Deadline, begin_delivery
from connectors.exact import exact_json
from connectors.gathered import Gathered, read_document
from connectors.http import HttpSession, Pace
from connectors.windows import day_window

_API_VERSION = "2023-01-01-preview"  # the first that lists savings plans
_SOLD = "(priceType eq 'Consumption' or priceType eq 'Reservation')"


class AzurePricesSource:
    """The source; see the README beside this file for units, terms and what the list does not tell."""

    kind: ClassVar[str] = "azure_prices"
    fact: ClassVar[str] = "sku_prices"
    settings_model: ClassVar[type[SourceSettings]] = AzurePricesSettings

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()

    def windows(self, settings: AzurePricesSettings, day: date) -> list[Window]:
        """The day itself: yesterday's list is served by nobody."""
        del settings  # every list is read alike
        return [day_window(day)]

    def fetch(self, settings: AzurePricesSettings, window: Window) -> Iterator[Page]:
        """Every page of every part of the list.

        Raises SourceError when it cannot be read, IncompleteDeliveryError when its pages do not end.
        """
        deadline = begin_delivery(self._pace.monotonic)
        with HttpSession(pace=self._pace) as session:
            for number, query in enumerate(_queries(settings), 1):
                for count, content in enumerate(_pages(session, settings, query, deadline), 1):
                    yield Page(f"{window.slice_date}/part-{number}/page-{count}.json", Bytes(content))

    def parse(self, settings: AzurePricesSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Prices of the day's list. Raises IncompleteDeliveryError for pages that are cut or contradict each other."""
        gathered = Gathered(self.fact, settings, window)
        for page in pages:
            prices = read_prices(read_document(page.body, page.name), page.name)
            for number, price in enumerate(prices, 1):
                gathered.take(page.page_id, number, price.item, lambda p=price: stage_price(p, settings), page.name)
            if gathered.is_full:
                yield gathered.chunk()
        yield gathered.chunk(gathered.notices())

    def probe(self, settings: AzurePricesSettings) -> str:
        """Whether the list is served. Raises SourceError."""
        deadline = begin_delivery(self._pace.monotonic)
        with HttpSession(pace=self._pace) as session:
            first = next(_pages(session, settings, next(_queries(settings)), deadline))
        count = len(exact_json(first)["Items"])
        return f"{settings.endpoint}: {count} prices on the first page of {settings.offers[0].service}"


SOURCE: Source = AzurePricesSource()


def _queries(settings: AzurePricesSettings) -> Iterator[Query]:
    for offer in settings.offers:
        for region in offer.regions or (None,):
            yield (
                ("api-version", _API_VERSION),
                ("currencyCode", f"'{settings.currency}'"),
                ("$filter", _filter(offer, region)),
            )


def _filter(offer: Offer, region: str | None) -> str:
    terms = [f"serviceName eq {_quoted(offer.service)}"]
    if region is not None:
        terms.append(f"armRegionName eq {_quoted(region)}")
    if offer.skus:
        terms.append(f"({' or '.join(f'armSkuName eq {_quoted(sku)}' for sku in offer.skus)})")
    return " and ".join([*terms, _SOLD])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _pages(session: HttpSession, settings: AzurePricesSettings, query: Query, deadline: Deadline) -> Iterator[bytes]:
    return linked_pages(session, settings.endpoint, query, deadline=deadline, rows="Items", link="NextPageLink")
