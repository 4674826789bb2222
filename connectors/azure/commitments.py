"""Azure's commitments: what reservations, savings plans and provisioned deployments say of themselves.

Here belongs: which questions are asked, in which order. Here does not belong: what an answer says (`commitment_rows`).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from itertools import count
from typing import Any, ClassVar

from connectors.azure.commitment_answers import DEPLOYMENT, kind_of, read_answers
from connectors.azure.commitment_rows import row_maker
from connectors.azure.commitments_settings import AzureCommitmentsSettings
from connectors.azure.linked import Query, linked_pages
from connectors.azure_credentials import CredentialMaker, bearer_header, make_credential
from connectors.base import (
    Bytes,
    IncompleteDeliveryError,
    LandedPage,
    Page,
    Parsed,
    RefusedRequestError,
    Source,
    SourceSettings,
    Window,
)
from connectors.deadline import Deadline, begin_delivery
from connectors.exact import exact_json
from connectors.gathered import Gathered
from connectors.http import HttpSession, Pace
from connectors.saved_answers import probe_saved, saved_pages
from connectors.windows import day_windows

_CAPACITY = (("api-version", "2022-11-01"),)
_BENEFITS = (("api-version", "2022-11-01"),)
_MODELS = (("api-version", "2024-10-01"),)
_SCHEDULE = (*_CAPACITY, ("$expand", "schedule"))
DETAILS, DEPLOYMENTS = "orderDetails", "deployments"
"""Folders that are empty where there are no orders, or no accounts."""


class AzureCommitmentsSource:
    """The source; see the README beside this file for the rights it takes and what nobody tells."""

    kind: ClassVar[str] = "azure_commitments"
    fact: ClassVar[str] = "commitment_terms"
    settings_model: ClassVar[type[SourceSettings]] = AzureCommitmentsSettings

    def __init__(self, credential: CredentialMaker = make_credential, pace: Pace | None = None) -> None:
        self._credential = credential
        self._pace = pace or Pace()

    def windows(self, settings: AzureCommitmentsSettings, day: date) -> list[Window]:
        """The night's own day: Azure says how things stand, and nothing of the days before."""
        del settings
        return day_windows(day, 0)

    def fetch(self, settings: AzureCommitmentsSettings, window: Window) -> Iterator[Page]:
        """The answers, question by question. None is a true none.

        Raises AuthenticationError, SourceError, and IncompleteDeliveryError when pages do not end.
        """
        if settings.location is not None:
            yield from saved_pages(
                settings.location, settings.store_options, window, settings.folders, (DETAILS, DEPLOYMENTS)
            )
            return
        deadline = begin_delivery(self._pace.monotonic)
        with HttpSession(headers=bearer_header(settings, self._credential), pace=self._pace) as session:
            asking = _Asking(settings, session, deadline, str(window.slice_date))
            if settings.reservations:
                yield from asking.reservations()
            if settings.savings_plans:
                yield from asking.listed("savingsPlans", "/providers/Microsoft.BillingBenefits/savingsPlans", _BENEFITS)
            yield from asking.deployments()

    def parse(
        self, settings: AzureCommitmentsSettings, window: Window, pages: Iterable[LandedPage]
    ) -> Iterator[Parsed]:
        """One row for each commitment and each deployment of provisioned throughput.

        Raises IncompleteDeliveryError for an answer that is cut, or announces another that is not there.
        """
        gathered, answers, by_the_token = Gathered(self.fact, settings, window), read_answers(pages), 0
        for page, items in answers.pages:
            for number, item in enumerate(items, 1):
                stage = row_maker(item, kind_of(item))
                if stage is not None:
                    gathered.take(page.page_id, number, item, partial(stage, answers.explaining), page.name)
                else:
                    by_the_token += kind_of(item) == DEPLOYMENT
            if gathered.is_full:
                yield gathered.chunk()
        words = [f"{by_the_token:,} deployments are paid by the token, and are no commitments"] if by_the_token else []
        yield gathered.chunk([*gathered.notices(), *words])

    def probe(self, settings: AzureCommitmentsSettings) -> str:
        """Whether the lists may be read, or which days are saved. Raises SourceError."""
        if settings.location is not None:
            return probe_saved(settings.location, settings.store_options, settings.folders, monthly=False)
        deadline = begin_delivery(self._pace.monotonic)
        with HttpSession(headers=bearer_header(settings, self._credential), pace=self._pace) as session:
            asking = _Asking(settings, session, deadline, "probe")
            found = [(name, len(_items(next(pages)))) for name, pages in asking.first_questions()]
        return f"{settings.endpoint}: " + ", ".join(f"{number} {name}" for name, number in found)


SOURCE: Source = AzureCommitmentsSource()


def _items(page: Page) -> list[Any]:
    with page.body.open() as stream:
        items: list[Any] = exact_json(stream.read())["value"]
    return items


class _Asking:
    """One night's questions: an address, a session, and a number for each page."""

    def __init__(self, settings: AzureCommitmentsSettings, session: HttpSession, deadline: Deadline, day: str) -> None:
        self._settings = settings
        self._session = session
        self._deadline = deadline
        self._day = day

    def listed(self, folder: str, path: str, query: Query, numbers: Iterator[int] | None = None) -> Iterator[Page]:
        """Every page of a list. `numbers` goes on where an earlier list of the folder ended."""
        address, numbers = f"{self._settings.endpoint}{path}", numbers or count(1)
        for body in linked_pages(self._session, address, query, deadline=self._deadline):
            yield Page(f"{self._day}/{folder}/page-{next(numbers)}.json", Bytes(body))

    def reservations(self) -> Iterator[Page]:
        """Reservations, their orders, and what each order costs, which only its own answer tells."""
        yield from self.listed("reservations", "/providers/Microsoft.Capacity/reservations", _CAPACITY)
        numbers = count(1)
        for page in self.listed("reservationOrders", "/providers/Microsoft.Capacity/reservationOrders", _CAPACITY):
            yield page
            for order in _items(page):
                address = f"{self._settings.endpoint}{_path(order, page)}"
                self._deadline.require(address)
                try:
                    answer = self._session.get(address, dict(_SCHEDULE))
                except RefusedRequestError as error:
                    if error.status != 404:
                        raise
                    continue  # given up since it was listed: its reservations are told without a price
                yield Page(f"{self._day}/{DETAILS}/page-{next(numbers)}.json", Bytes(answer.body))

    def deployments(self) -> Iterator[Page]:
        """The accounts of every subscription, and each account's deployments."""
        account_numbers, deployment_numbers = count(1), count(1)
        for subscription in self._settings.subscriptions:
            for page in self.listed("accounts", _accounts(subscription), _MODELS, account_numbers):
                yield page
                for account in _items(page):
                    path = f"{_path(account, page)}/deployments"
                    yield from self.listed(DEPLOYMENTS, path, _MODELS, deployment_numbers)

    def first_questions(self) -> Iterator[tuple[str, Iterator[Page]]]:
        """What a probe asks: the beginning of each list, and what it is called."""
        if self._settings.reservations:
            path = "/providers/Microsoft.Capacity/reservations"
            yield "reservations", self.listed("reservations", path, _CAPACITY)
        if self._settings.savings_plans:
            path = "/providers/Microsoft.BillingBenefits/savingsPlans"
            yield "savings plans", self.listed("savingsPlans", path, _BENEFITS)
        for subscription in self._settings.subscriptions:
            yield f"model accounts in {subscription}", self.listed("accounts", _accounts(subscription), _MODELS)


def _accounts(subscription: str) -> str:
    return f"/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/accounts"


def _path(item: Any, page: Page) -> str:
    """The path of a listed resource. Raises IncompleteDeliveryError for one without."""
    found = item.get("id") if isinstance(item, dict) else None
    if not isinstance(found, str) or not found.startswith("/"):
        raise IncompleteDeliveryError(f"{page.name}: an item has no id that is a path; nothing more can be asked of it")
    return found.rstrip("/")
