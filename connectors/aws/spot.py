"""AWS spot prices: what EC2's spot machines cost, change by change.

Here belongs: asking for a day, and one change as a row of `spot_prices`. Here does not belong: means over time
(`models.spot`).
"""

import re
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from connectors.aws.answers import AnswerPage, read_answer
from connectors.aws.api import chain, open_api
from connectors.aws.api_settings import AwsSpotSettings
from connectors.aws.delivery import Record, parsed_answers
from connectors.aws.values import instant, needed_text
from connectors.base import LandedPage, Page, Parsed, Source, SourceError, SourceSettings, Window
from connectors.deadline import Clock, begin_delivery
from connectors.fields import RowError, amount, shown, staged_amount, text
from connectors.gathered import StagedRow, extra_json
from connectors.windows import day_windows

OPERATION = "describe_spot_price_history"
MOST_RECORDS = 1000
_REGION_OF = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d+")  # also of a local zone: us-west-2-lax-1a
_KNOWN = frozenset(
    {"AvailabilityZone", "AvailabilityZoneId", "InstanceType", "ProductDescription", "SpotPrice", "Timestamp"}
)


class AwsSpotPrices:
    """EC2's history of spot prices. See `connectors.base.Source`."""

    kind: ClassVar[str] = "aws_spot_prices"
    fact: ClassVar[str] = "spot_prices"
    settings_model: ClassVar[type[SourceSettings]] = AwsSpotSettings

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def windows(self, settings: AwsSpotSettings, day: date) -> list[Window]:
        """One window a day: the trailing days, and the night's own."""
        return day_windows(day, settings.trailing_days)

    def fetch(self, settings: AwsSpotSettings, window: Window) -> Iterator[Page]:
        """Every region's pages of the day.

        EC2 answers with the price in force when the day began besides the changes within it, so that no price at all
        is no answer. Raises SourceError then: the day is older than what EC2 keeps, or nothing of it is sold there.
        """
        is_priced, deadline = False, begin_delivery(self._clock)
        query = {
            **_wanted(settings),
            "StartTime": window.start,
            "EndTime": window.end - timedelta(seconds=1),  # EC2 counts the end in; its instants are whole seconds
            "MaxResults": MOST_RECORDS,
        }
        for region in settings.regions:
            for page in chain(settings, deadline, "ec2", region, OPERATION, query):
                is_priced = is_priced or bool(read_answer(page.body, page.name).records)
                yield page
        if not is_priced:
            raise SourceError(
                f"EC2 tells no spot price of {', '.join(settings.instance_types)} for {window.slice_date} in "
                f"{', '.join(settings.regions)}. It keeps 90 days: an older day cannot be read any more. For a later "
                "one, see whether these types, product descriptions and regions go together."
            )

    def parse(self, settings: AwsSpotSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for a change of price; a change that is told twice is one."""
        priced = set[str]()

        def changes(page: AnswerPage) -> Iterator[Record]:
            if page.records:
                priced.add(page.region)
            return _changes(page, window.end)

        return parsed_answers(self.fact, settings, window, pages, changes, lambda: _without_prices(settings, priced))

    def probe(self, settings: AwsSpotSettings) -> str:
        """Whether the history may be read, and what it holds of the types in the first region."""
        region = settings.regions[0]
        with open_api(settings, "ec2", region) as ask:
            found = ask(OPERATION, {**_wanted(settings), "MaxResults": MOST_RECORDS})
        zones = {record.get("AvailabilityZone") for record in found["SpotPriceHistory"]}
        return f"EC2 in {region}: {len(found['SpotPriceHistory'])} spot prices in {len(zones)} zones"


SOURCE: Source = AwsSpotPrices()


def _wanted(settings: AwsSpotSettings) -> dict[str, Any]:
    return {
        "InstanceTypes": list(settings.instance_types),
        "ProductDescriptions": list(settings.product_descriptions),
    }


def _changes(page: AnswerPage, end: datetime) -> Iterator[Record]:
    for found in page.records:
        yield found, partial(_staged_change, found, end)


def _staged_change(found: Any, end: datetime) -> StagedRow:
    """One change as a row. It keeps its own instant, before the day where the price was in force when that began."""
    if not isinstance(found, dict):
        raise RowError("not_an_object", f"a spot price is {shown(found)}; an object was expected")
    changed_at = instant(found, "Timestamp")
    if changed_at >= end:
        raise RowError("outside_window", f"the price changed at {changed_at}, and the day ends at {end}", "Timestamp")
    zone = needed_text(found, "AvailabilityZone")
    region = _REGION_OF.match(zone)
    if region is None:
        raise RowError("unknown_zone", f"{zone!r} names no region; expected such as us-east-1b", "AvailabilityZone")
    price = amount(found, "SpotPrice")
    if price is None or price < 0:
        raise RowError("bad_price", f"SpotPrice is {shown(found.get('SpotPrice'))}; a price was expected", "SpotPrice")
    new = {name: value for name, value in found.items() if name not in _KNOWN}
    row = {
        "provider_name": "AWS",
        "region_id": region[0],
        "availability_zone": zone,
        "availability_zone_id": text(found, "AvailabilityZoneId"),
        "instance_type": needed_text(found, "InstanceType"),
        "product_description": needed_text(found, "ProductDescription"),
        "changed_at": changed_at,
        "unit_price": staged_amount(price)[0],
        "currency": "USD",
        "x_extra": extra_json(new),
    }
    return StagedRow(row, found, new)


def _without_prices(settings: AwsSpotSettings, priced: Collection[str]) -> Iterator[str]:
    """Regions that answered with nothing, when others answered with prices: what they sell is unknown, not free."""
    for region in settings.regions:
        if priced and region not in priced:
            yield f"{region} has no spot price of {', '.join(settings.instance_types)}"
