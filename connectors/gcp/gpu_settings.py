"""Settings of Cloud Monitoring's GPU metrics: which projects, and whose metrics."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.base import SourceSettings
from connectors.gcp.access import GoogleAccess

_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,}")
Family = Literal["agent", "dcgm", "gke"]


class GcpGpuMetricsSettings(GoogleAccess, SourceSettings):
    """GPU metrics of virtual machines and of GKE, from Cloud Monitoring."""

    kind: str = Field(default="gcp_gpu_metrics", pattern="^gcp_gpu_metrics$", description="Which connector reads it.")
    projects: tuple[str, ...] = Field(min_length=1, description="Projects whose machines and clusters have GPUs.")
    families: tuple[Family, ...] = Field(
        default=("agent", "dcgm", "gke"),
        min_length=1,
        description="Whose metrics are read: `agent` (the Ops Agent's own), `dcgm` (its DCGM receiver, both versions), "
        "`gke` (GKE's system metrics).",
    )
    step_seconds: int = Field(
        default=60, ge=60, le=300, multiple_of=60, description="Stretch that one sample is the mean of."
    )
    trailing_days: int = Field(
        default=1, ge=0, le=41, description="Days before the night's own that are read again. Minutes are kept 6 weeks."
    )

    @field_validator("projects")
    @classmethod
    def _are_projects(cls, projects: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [name for name in projects if not _PROJECT.fullmatch(name)]:
            raise ValueError(f"{', '.join(wrong)}: no project's id or number")
        if len(set(projects)) < len(projects):
            raise ValueError("names a project twice")
        return projects

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.require_access()
        if 86400 % self.step_seconds:
            raise ValueError("'step_seconds' must divide a day without rest: 60, 120, 180, 240 or 300 do")
        return self
