"""Azure API Management's log in Log Analytics: a day is queried when it is read."""

from collections.abc import Iterator
from typing import ClassVar

from connectors.azure_api_management.calls import ESSENTIAL, allowed, attempt
from connectors.azure_api_management.client import LIMITS, PATIENCE, ask, calls
from connectors.azure_api_management.settings import ApiManagementSettings
from connectors.azure_credentials import CredentialMaker, bearer_header, make_credential
from connectors.base import Page, SourceSettings, Window
from connectors.deadline import begin_delivery
from connectors.http import HttpSession, Pace
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.landing import land_rows
from connectors.logs.source import RequestLog


class ApiManagement(RequestLog[ApiManagementSettings]):
    """Calls of one workspace's gateways. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "azure_api_management"
    settings_model: ClassVar[type[SourceSettings]] = ApiManagementSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def __init__(self, credential: CredentialMaker = make_credential, pace: Pace | None = None) -> None:
        self._credential = credential
        self._pace = pace or Pace()

    def allow_list(self, settings: ApiManagementSettings) -> AllowList:
        """The columns of a call, without its messages."""
        return allowed(settings)

    def fetch(self, settings: ApiManagementSettings, window: Window) -> Iterator[Page]:
        """The day's calls after the allow-list. Raises SourceError where they cannot be had whole."""
        deadline = begin_delivery(self._pace.monotonic)
        with self._session(settings) as session:
            found = calls(settings, session, (window.start, window.end), deadline)
            yield from land_rows(found, window, self.allow_list(settings).redact)

    def read(self, settings: ApiManagementSettings, record: Record) -> Attempt:
        """See `calls`."""
        return attempt(settings, record)

    def probe(self, settings: ApiManagementSettings) -> str:
        """Whether the tables are there and may be read. Raises SourceError."""
        tables = ["ApiManagementGatewayLlmLog", *(["ApiManagementGatewayLogs"] if settings.gateway_log else [])]
        with self._session(settings) as session:
            for table in tables:
                ask(settings, session, f"{table} | take 0")
        return f"{settings.endpoint}: {' and '.join(tables)} can be read"

    def _session(self, settings: ApiManagementSettings) -> HttpSession:
        headers = {**bearer_header(settings, self._credential), **PATIENCE}
        return HttpSession(headers=headers, limits=LIMITS, pace=self._pace)


SOURCE = ApiManagement()
