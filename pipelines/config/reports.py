"""The part of the schema that says where statements go and in which forms."""

from typing import Literal

from pydantic import Field

from pipelines.config.strict import Strict

Format = Literal["pdf", "xlsx", "parquet"]


class Reports(Strict):
    """Where rendered statements go."""

    directory: str = Field(default="reports", description="Folder for rendered statements, relative to this file.")
    contact: str = Field(default="", max_length=200, description="Whom to ask about a statement.")
    url: str = Field(
        default="",
        max_length=500,
        pattern=r"^(https?://[A-Za-z0-9.:/_~-]+)?$",
        description="Where that folder is served, such as https://reports.example.com/ai-costs: mails then link to it.",
    )
    formats: tuple[Format, ...] = Field(
        default=(),
        description="Files beside each statement's page: pdf, xlsx (what it says and the team's lines), parquet (the "
        "lines, and what of them was for which customer, each with a SHA-256).",
    )
    attached: tuple[Format, ...] = Field(default=(), description="Those that are attached to a statement's mail.")
