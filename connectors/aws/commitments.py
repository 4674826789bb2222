"""AWS commitments: what reserved instances and savings plans say of themselves.

Here belongs: which questions are asked. Here does not belong: what a commitment means (`commitment_rows`).
"""

import time
from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from connectors.aws.answers import read_answer
from connectors.aws.api import chain, open_api, page_of
from connectors.aws.api_settings import AwsCommitmentsSettings
from connectors.aws.commitment_rows import CommitmentReading
from connectors.aws.delivery import parsed_answers
from connectors.base import LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.deadline import Clock, begin_delivery
from connectors.windows import day_windows

PLANS_REGION = "us-east-1"  # savings plans have one address for all regions
MOST_PLANS, MOST_RESERVATIONS = 1000, 1000


class AwsCommitments:
    """Reserved instances, savings plans, capacity reservations with an end. See `connectors.base.Source`."""

    kind: ClassVar[str] = "aws_commitments"
    fact: ClassVar[str] = "commitment_terms"
    settings_model: ClassVar[type[SourceSettings]] = AwsCommitmentsSettings

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def windows(self, settings: AwsCommitmentsSettings, day: date) -> list[Window]:  # noqa: ARG002 - the protocol's
        """The night's own day: AWS says what commitments are when it is asked, and nothing of the days before."""
        return day_windows(day, 0)

    def fetch(self, settings: AwsCommitmentsSettings, window: Window) -> Iterator[Page]:  # noqa: ARG002 - the protocol's
        """The account's own number, its savings plans, and its reservations region by region. None is a true none."""
        deadline = begin_delivery(self._clock)
        with open_api(settings, "sts", settings.regions[0], deadline) as ask:
            caller = ask("get_caller_identity", {})
        yield page_of("sts.get_caller_identity", settings.regions[0], {}, 1, {"Account": [caller["Account"]]})
        plans = {"maxResults": MOST_PLANS}
        yield from chain(settings, deadline, "savingsplans", PLANS_REGION, "describe_savings_plans", plans)
        for region in settings.regions:
            yield from chain(settings, deadline, "ec2", region, "describe_reserved_instances", {})
            if settings.capacity_reservations:
                query = {"MaxResults": MOST_RESERVATIONS}
                yield from chain(settings, deadline, "ec2", region, "describe_capacity_reservations", query)

    def parse(self, settings: AwsCommitmentsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for a commitment."""
        landed = list(pages)
        answers = (read_answer(page.body, page.name) for page in landed)
        account = next((page.records[0] for page in answers if page.api == "sts.get_caller_identity"), None)
        reading = CommitmentReading(account)
        return parsed_answers(self.fact, settings, window, landed, reading.records, reading.remarks)

    def probe(self, settings: AwsCommitmentsSettings) -> str:
        """Whether savings plans and reservations may be read."""
        with open_api(settings, "savingsplans", PLANS_REGION) as ask:
            plans = ask("describe_savings_plans", {"maxResults": MOST_PLANS})["savingsPlans"]
        with open_api(settings, "ec2", settings.regions[0]) as ask:
            reserved = ask("describe_reserved_instances", {})["ReservedInstances"]
        return f"AWS: {len(plans)} savings plans, {len(reserved)} reservations in {settings.regions[0]}"


SOURCE: Source = AwsCommitments()
