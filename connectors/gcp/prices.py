"""Google Cloud list prices: GPUs and models in the Cloud Billing catalog."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from typing import ClassVar

from connectors.base import LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.gathered import Gathered, read_document
from connectors.gcp.answers import Patience
from connectors.gcp.catalog import catalog_pages
from connectors.gcp.price_rows import read_prices, stage_price
from connectors.gcp.prices_settings import GcpPricesSettings
from connectors.windows import day_windows

__all__ = ["SOURCE", "GcpPricesSettings", "GcpPricesSource"]


class GcpPricesSource:
    """The source; see the README beside this file. The list is read as it stands: there are no days to read again."""

    kind: ClassVar[str] = "gcp_prices"
    fact: ClassVar[str] = "sku_prices"
    settings_model: ClassVar[type[SourceSettings]] = GcpPricesSettings

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()

    def windows(self, settings: GcpPricesSettings, day: date) -> list[Window]:  # noqa: ARG002 - the protocol's shape
        """The day itself: the catalog says what holds now."""
        return day_windows(day, 0)

    def fetch(self, settings: GcpPricesSettings, window: Window) -> Iterator[Page]:  # noqa: ARG002 - as above
        """The answers of every service. Raises SourceError."""
        return catalog_pages(settings, self._patience)

    def parse(self, settings: GcpPricesSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """Prices and rejects. Raises IncompleteDeliveryError for a page that is no whole answer."""
        gathered = Gathered(self.fact, settings, window)
        for page in pages:
            document = read_document(page.body, page.name)
            for number, price in enumerate(read_prices(document, page.name, settings), 1):
                gathered.take(page.page_id, number, price.found, partial(stage_price, price, settings), page.name)
                if gathered.is_full:
                    yield gathered.chunk()
        yield gathered.chunk(gathered.notices())

    def probe(self, settings: GcpPricesSettings) -> str:
        """How many SKUs the first answer of the first service holds."""
        first = next(catalog_pages(settings.model_copy(update={"services": settings.services[:1]}), self._patience))
        count = len(read_document(first.body, first.name).get("skus", ()))
        return f"the Cloud Billing catalog answers: {count} SKUs of service {settings.services[0]} on its first page"


SOURCE: Source = GcpPricesSource()
