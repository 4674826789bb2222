"""Google Cloud's commitments: what committed use of Compute Engine's resources says of itself.

Here belongs: which questions are asked. Here does not belong: what an answer says (`term_rows`).
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import count
from typing import Any, ClassVar

from connectors.base import Bytes, IncompleteDeliveryError, LandedPage, Page, Parsed, Source, SourceSettings, Window
from connectors.deadline import begin_delivery
from connectors.exact import exact_json
from connectors.gathered import Gathered, read_document
from connectors.gcp.access import bearer_header
from connectors.gcp.term_rows import read_commitments, stage_commitment
from connectors.gcp.terms_settings import GcpCommitmentsSettings
from connectors.http import HttpSession, Pace
from connectors.paging import Turn, paginate
from connectors.saved_answers import probe_saved, saved_pages
from connectors.windows import day_windows

FOLDER = "commitments"
ROLE = "the role Compute Viewer on the projects that hold commitments"
_MOST_PAGES = 1000


class GcpCommitmentsSource:
    """The source; see the README beside this file for what Google does not tell."""

    kind: ClassVar[str] = "gcp_commitments"
    fact: ClassVar[str] = "commitment_terms"
    settings_model: ClassVar[type[SourceSettings]] = GcpCommitmentsSettings

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()

    def windows(self, settings: GcpCommitmentsSettings, day: date) -> list[Window]:
        """The night's own day: Google says how things stand, and nothing of the days before."""
        del settings
        return day_windows(day, 0)

    def fetch(self, settings: GcpCommitmentsSettings, window: Window) -> Iterator[Page]:
        """The commitments of every project, all regions together. None is a true none.

        Raises AuthenticationError, SourceError, and IncompleteDeliveryError when pages do not end.
        """
        if settings.location is not None:
            yield from saved_pages(settings.location, settings.store_options, window, [FOLDER])
            return
        deadline, numbers = begin_delivery(self._pace.monotonic), count(1)
        with self._session(settings) as session:
            for project in settings.projects:

                def ask(token: str, project: str = project) -> Turn[bytes, str]:
                    deadline.require(_address(settings, project))
                    return _turn(session, settings, project, token)

                for body in paginate("", ask, _MOST_PAGES):
                    yield Page(f"{window.slice_date}/{FOLDER}/page-{next(numbers)}.json", Bytes(body))

    def parse(self, settings: GcpCommitmentsSettings, window: Window, pages: Iterable[LandedPage]) -> Iterator[Parsed]:
        """One row for each commitment.

        Raises IncompleteDeliveryError for an answer that is cut, or in which a region could not be reached.
        """
        gathered = Gathered(self.fact, settings, window)
        for page in sorted(pages, key=lambda page: page.digest):
            found = read_commitments(read_document(page.body, page.name), page.name)
            for number, item in enumerate(found, 1):
                gathered.take(page.page_id, number, item, partial(stage_commitment, item), page.name)
            if gathered.is_full:
                yield gathered.chunk()
        yield gathered.chunk(gathered.notices())

    def probe(self, settings: GcpCommitmentsSettings) -> str:
        """Whether the projects' commitments may be read, or which days are saved. Raises SourceError."""
        if settings.location is not None:
            return probe_saved(settings.location, settings.store_options, [FOLDER], monthly=False)
        with self._session(settings) as session:
            for project in settings.projects:
                _turn(session, settings, project, "")
        return f"{_host(settings)}: the commitments of {len(settings.projects)} projects can be read"

    @contextmanager
    def _session(self, settings: GcpCommitmentsSettings) -> Generator[HttpSession]:
        with HttpSession(headers=bearer_header(settings, _host(settings), ROLE), pace=self._pace) as session:
            yield session


SOURCE: Source = GcpCommitmentsSource()


def _host(settings: GcpCommitmentsSettings) -> str:
    return settings.endpoint or "https://compute.googleapis.com"


def _address(settings: GcpCommitmentsSettings, project: str) -> str:
    return f"{_host(settings)}/compute/v1/projects/{project}/aggregated/commitments"


def _turn(session: HttpSession, settings: GcpCommitmentsSettings, project: str, token: str) -> Turn[bytes, str]:
    query = {"maxResults": str(settings.page_size), **({"pageToken": token} if token else {})}
    answer = session.get(_address(settings, project), query)
    try:
        found: Any = exact_json(answer.body)
        following = found.get("nextPageToken") or None
    except (ValueError, AttributeError):
        raise IncompleteDeliveryError(
            f"{_address(settings, project)}: the answer is no list of commitments; was something put in its way?"
        ) from None
    return Turn(answer.body, following)
