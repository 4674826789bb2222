"""What has to be said about a Phoenix server before its spans can be read."""

import re

from pydantic import Field, SecretStr, field_validator

from connectors.logs.traces.settings import TraceSettings


class PhoenixSettings(TraceSettings):
    """One project of a Phoenix server."""

    url: str = Field(description="Address of the server, such as https://phoenix.example.com.")
    project: str = Field(
        default="default", pattern=r"^[^/?#]+$", description="Name of the project; one source reads one project."
    )
    api_key: SecretStr | None = Field(default=None, description="Key of the server; servers without sign-in need none.")
    spans_per_answer: int = Field(
        default=200, ge=1, le=1000, description="Spans in one answer; each comes with its prompt and its completion."
    )

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", url):
            raise ValueError("must be an address such as https://phoenix.example.com, without user and query")
        return url.rstrip("/")
