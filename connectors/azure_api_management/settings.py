"""What has to be said about one gateway's log: where its tables are, and what names a team."""

from typing import Self

from pydantic import Field, model_validator

from connectors.azure_credentials import AzureCredentials
from connectors.logs.settings import PATH, LogSettings, StoredLogSettings
from connectors.settings_rules import WebAddress


class GatewayNames(LogSettings):
    """What stands for a team, and for the provider where the backend's address does not tell it.

    The tables have no metadata of callers: team, feature, environment and outcomes are taken from their own columns.
    """

    team_id_field: str = Field(
        default="ProductId",
        pattern=PATH,
        description="Column that names the team: ProductId, ApimSubscriptionId, ApiId, OperationId or BackendId.",
    )
    feature_key: str = Field(default="ApiId", min_length=1, description="Column that names the feature.")
    environment_key: str = Field(
        default="environment", min_length=1, description="Column that names the environment, if one does."
    )
    provider: str = Field(
        default="azure", min_length=1, description="Whose models those backends are whose address does not tell it."
    )


class ApiManagementSettings(GatewayNames, AzureCredentials):
    """One Log Analytics workspace."""

    endpoint: WebAddress = Field(
        default="https://api.loganalytics.io", description="Log Analytics' query API; sovereign clouds have their own."
    )
    workspace_id: str = Field(
        pattern=r"^[0-9A-Za-z-]{1,64}$", description="Id of the workspace (a GUID), as its overview shows it."
    )
    gateway_log: bool = Field(
        default=True,
        description="Whether ApiManagementGatewayLogs is joined, which knows subscription, product, API and backend.",
    )

    @model_validator(mode="after")
    def _says_who_asks(self) -> Self:
        self.require_way_in()
        return self


class ApiManagementExportSettings(GatewayNames, StoredLogSettings):
    """The table as a data export rule of the workspace writes it to a storage account."""

    location: str = Field(
        min_length=1, description="az://am-apimanagementgatewayllmlog, or a folder in it: the nearer, the less to list."
    )
    layout: str = Field(
        default="*y={date:%Y}/m={date:%m}/d={date:%d}/*.json",
        description="Which files hold a UTC day, below the location.",
    )
