"""AWS list prices: those of machines with GPUs and of Amazon Bedrock's tokens.

Here belongs: which questions are asked. Here does not belong: what an entry means (`price_rows`, `rate_rows`).
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from connectors.aws.answers import AnswerPage, read_answer
from connectors.aws.api import chain, open_api
from connectors.aws.api_settings import AwsPricesSettings
from connectors.aws.delivery import Record, parsed_answers
from connectors.aws.price_rows import PriceReading
from connectors.aws.rate_rows import rate_records
from connectors.base import LandedPage, Page, Parsed, Source, SourceError, SourceSettings, Window
from connectors.deadline import Clock, Deadline, begin_delivery
from connectors.windows import day_windows

_MACHINE: Mapping[str, str] = {
    "tenancy": "Shared",
    "capacitystatus": "Used",
    "preInstalledSw": "NA",
    "operatingSystem": "Linux",
    "operation": "RunInstances",
}
"""What leaves one product of a machine type in a region: the same machine is listed some hundred times."""

_GPUS = "GPU instance"
MOST_PRODUCTS, MOST_RATES = 100, 1000


class AwsPrices:
    """AWS's price list. See `connectors.base.Source`."""

    kind: ClassVar[str] = "aws_prices"
    fact: ClassVar[str] = "sku_prices"
    settings_model: ClassVar[type[SourceSettings]] = AwsPricesSettings

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def windows(self, settings: AwsPricesSettings, day: date) -> list[Window]:  # noqa: ARG002 - the protocol's
        """The night's own day: the list says what holds when it is read, and nothing of the days before."""
        return day_windows(day, 0)

    def fetch(self, settings: AwsPricesSettings, window: Window) -> Iterator[Page]:
        """Every list's pages for every region. Raises SourceError when nothing at all is listed."""
        is_listed = False
        for page in _pages(settings, begin_delivery(self._clock)):
            is_listed = is_listed or bool(read_answer(page.body, page.name).records)
            yield page
        if not is_listed:
            raise SourceError(
                f"AWS listed no price of {', '.join(settings.services)} on {window.slice_date}: regions "
                f"{', '.join(settings.regions)}, types {', '.join(settings.instance_types) or 'all'}. See whether they "
                "are spelled as AWS does."
            )

    def parse(self, settings: AwsPricesSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for a price on demand, a reservation's term, a rate of a savings plan."""
        reading = PriceReading()

        def records(page: AnswerPage) -> Iterator[Record]:
            return reading.records(page) if page.api == "pricing.get_products" else rate_records(page)

        return parsed_answers(self.fact, settings, window, pages, records, reading.remarks)

    def probe(self, settings: AwsPricesSettings) -> str:
        """Whether the price list may be read."""
        query = {**next(_questions(settings)), "MaxResults": 1}
        with open_api(settings, "pricing", settings.price_list_region) as ask:
            found = ask("get_products", query)["PriceList"]
        return (
            f"AWS's price list: {'it may be read' if found else 'it may be read, and is empty for the first question'}"
        )


SOURCE: Source = AwsPrices()


def _pages(settings: AwsPricesSettings, deadline: Deadline) -> Iterator[Page]:
    for question in _questions(settings):
        yield from chain(settings, deadline, "pricing", settings.price_list_region, "get_products", question)
    if settings.savings_plans:
        yield from chain(
            settings, deadline, "savingsplans", "us-east-1", "describe_savings_plans_offering_rates", _rates(settings)
        )


def _questions(settings: AwsPricesSettings) -> Iterator[dict[str, Any]]:
    """One for each list and region; for machines one for each type, where types are given."""
    for service in settings.services:
        for region in settings.regions:
            if service != "AmazonEC2":
                yield _question(service, {"regionCode": region})
            elif settings.instance_types:
                for name in settings.instance_types:
                    yield _question(service, {**_MACHINE, "regionCode": region, "instanceType": name})
            else:
                yield _question(service, {**_MACHINE, "regionCode": region, "instanceFamily": _GPUS})


def _question(service: str, fields: Mapping[str, str]) -> dict[str, Any]:
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    return {"ServiceCode": service, "Filters": filters, "FormatVersion": "aws_v1", "MaxResults": MOST_PRODUCTS}


def _rates(settings: AwsPricesSettings) -> dict[str, Any]:
    wanted = {
        "region": list(settings.regions),
        "instanceType": list(settings.instance_types),
        "productDescription": ["Linux/UNIX"],
        "tenancy": ["shared"],
    }
    return {
        "products": ["EC2"],
        "serviceCodes": ["AmazonEC2"],
        "filters": [{"name": name, "values": values} for name, values in wanted.items()],
        "maxResults": MOST_RATES,
    }
