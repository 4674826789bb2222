"""Azure API Management's log as a data export of the workspace: the table's rows as JSON lines."""

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.azure_api_management.calls import ESSENTIAL, allowed, attempt
from connectors.azure_api_management.settings import ApiManagementExportSettings
from connectors.base import SourceSettings
from connectors.logs.allow_list import AllowList
from connectors.logs.attempt import Attempt, Record
from connectors.logs.instants import microseconds
from connectors.logs.source import StoredLog


class ApiManagementExport(StoredLog[ApiManagementExportSettings]):
    """Calls in a storage account. See the README for what is read, kept and dropped."""

    kind: ClassVar[str] = "azure_api_management_export"
    settings_model: ClassVar[type[SourceSettings]] = ApiManagementExportSettings
    essential: ClassVar[frozenset[str]] = ESSENTIAL

    def allow_list(self, settings: ApiManagementExportSettings) -> AllowList:
        """The columns of a call, without its messages."""
        return allowed(settings)

    def started(self, settings: ApiManagementExportSettings, row: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """When the gateway began with the call."""
        return microseconds(row.get("TimeGenerated"))

    def read(self, settings: ApiManagementExportSettings, record: Record) -> Attempt:
        """See `calls`."""
        return attempt(settings, record)


SOURCE = ApiManagementExport()
