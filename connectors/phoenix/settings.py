"""What has to be said about a Phoenix server before its spans can be read."""

from pydantic import Field, SecretStr

from connectors.logs.traces.settings import TraceSettings
from connectors.settings_rules import WebAddress


class PhoenixSettings(TraceSettings):
    """One project of a Phoenix server."""

    url: WebAddress = Field(description="Address of the server, such as https://phoenix.example.com.")
    project: str = Field(
        default="default", pattern=r"^[^/?#]+$", description="Name of the project; one source reads one project."
    )
    api_key: SecretStr | None = Field(default=None, description="Key of the server; servers without sign-in need none.")
    spans_per_answer: int = Field(
        default=200, ge=1, le=1000, description="Spans in one answer; each comes with its prompt and its completion."
    )
