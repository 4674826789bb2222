"""What `farthing.yml` says of any source of Prometheus series: where, how dense, how far back a night looks."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from connectors.base import StoredSourceSettings
from connectors.dated_files import DatedLayout
from connectors.settings_rules import WebAddress, require_one_way_in

MOST_POINTS = 11_000  # a Prometheus server refuses a query_range of more points for one series


class PrometheusSettings(StoredSourceSettings):
    """Series from a Prometheus server (`url`) or from files of scrapes (`scrapes`): exactly one of them."""

    url: WebAddress | None = Field(
        default=None, description="Prometheus server, such as https://prometheus.example.com."
    )
    step_seconds: int = Field(
        default=60, ge=5, le=300, description="Distance of the samples that the server is asked for."
    )
    chunk_hours: int = Field(default=2, ge=1, le=24, description="Hours of samples in one request.")
    selector: str = Field(
        default="", description='More label matchers for the server, such as `cluster="prod"`, where it holds others.'
    )
    bearer_token: SecretStr | None = Field(default=None, description="Bearer token for the server.")
    username: str | None = Field(default=None, description="User of the server's basic authentication.")
    password: SecretStr | None = Field(default=None, description="Password of the server's basic authentication.")
    tenant: str | None = Field(default=None, description="Tenant of a shared server (X-Scope-OrgID).")

    scrapes: str | None = Field(
        default=None, description="Folder, s3://, gs:// or az:// location of the exporter's scrapes, plain or gzip."
    )
    layout: DatedLayout | None = Field(
        default=None,
        description="Where a day's files are below `scrapes`, such as `{date}/*.prom*` or `{yyyymmdd}-*`. "
        "Without it: every file that has the date in its path.",
    )
    trailing_days: int = Field(default=1, ge=0, le=31, description="Days before the night's own that are read again.")

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        require_one_way_in(self, url="a Prometheus server", scrapes="files")
        if (self.username is None) != (self.password is None):
            raise ValueError("'username' and 'password' go together")
        if self.bearer_token is not None and self.username is not None:
            raise ValueError("give either 'bearer_token' or 'username' and 'password', not both")
        chunk_seconds = self.chunk_hours * 3600
        if chunk_seconds % self.step_seconds:
            raise ValueError(f"'step_seconds' must divide {self.chunk_hours} h without rest: 15, 30, 60, 120 or 300 do")
        if chunk_seconds // self.step_seconds > MOST_POINTS or 24 % self.chunk_hours:
            raise ValueError(f"'chunk_hours' must divide 24 and hold at most {MOST_POINTS:,} steps; use fewer hours")
        return self
