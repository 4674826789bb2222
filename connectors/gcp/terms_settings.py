"""Settings of Google Cloud's commitments: which projects hold them, or where answers were saved."""

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from connectors.base import StoredSourceSettings
from connectors.gcp.access import GoogleAccess

_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,}")


class GcpCommitmentsSettings(GoogleAccess, StoredSourceSettings):
    """Committed use of Compute Engine's resources, as its API describes it, or as saved answers of that API."""

    kind: str = Field(default="gcp_commitments", pattern="^gcp_commitments$", description="Which connector reads it.")
    projects: tuple[str, ...] = Field(
        default=(), description="Projects that hold commitments: the ones that they were bought in."
    )
    location: str | None = Field(
        default=None,
        min_length=1,
        description="Folder, s3://, gs:// or az:// location of saved answers, instead of `projects` and credentials.",
    )
    page_size: int = Field(default=500, ge=1, le=500, description="Most commitments in one answer.")

    @field_validator("projects")
    @classmethod
    def _are_projects(cls, projects: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in projects if not _PROJECT.fullmatch(name)]:
            raise ValueError(f"{', '.join(wrong)}: no project's id or number")
        if len(set(projects)) < len(projects):
            raise ValueError("names a project twice")
        return projects

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.location is None:
            if not self.projects:
                raise ValueError("give 'projects' with credentials (the API), or 'location' (saved answers)")
            self.require_access()
        elif self.projects or self.service_account_json is not None or self.credentials is not None:
            raise ValueError("give either 'location' (saved answers) or 'projects' with credentials, not both")
        return self
