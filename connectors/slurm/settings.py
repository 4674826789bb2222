"""What `farthing.yml` says of a cluster's accounting: where its output lies, and how its times and shares are meant."""

import re
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from connectors.base import StoredSourceSettings
from connectors.dated_files import DatedLayout
from connectors.settings_rules import Pattern
from connectors.slurm.columns import LABEL_COLUMNS, NEEDED, canonical


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone; use a name such as Europe/Berlin or UTC") from None
    return name


def _finds_one(pattern: str) -> str:
    if re.compile(pattern).groups != 1:
        raise ValueError("must have one group, such as `^serve-(.+)$`: what it matches is the model")
    return pattern


def _labels(names: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(canonical(name) for name in names)
    if unknown := [name for name in found if name not in LABEL_COLUMNS]:
        raise ValueError(f"{', '.join(unknown)}: no such label; these can be: {', '.join(sorted(LABEL_COLUMNS))}")
    return found


class SlurmSettings(StoredSourceSettings):
    """Files of `sacct -X -P` (text) or `sacct --json`, by day."""

    location: str = Field(min_length=1, description="Folder, s3://, gs:// or az:// location of the files.")
    layout: DatedLayout | None = Field(
        default=None,
        description="Where a day's files are below `location`, such as `{date}/*.txt` or `sacct-{yyyymmdd}*`. "
        "Without it: every file that has the date in its path.",
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="Zone of the cluster's clock: sacct writes local times. Epoch seconds need none."
    )
    columns: tuple[str, ...] = Field(
        default=(), description="Columns of text without a header line (`sacct -n`), in their order."
    )
    delimiter: str = Field(default="|", min_length=1, max_length=8, description="What stands between columns of text.")
    slurm_cluster: str | None = Field(
        default=None, description="Which cluster's jobs are read, where the files hold several (`sacct -M`)."
    )
    label_columns: Annotated[tuple[str, ...], AfterValidator(_labels)] = Field(
        default=("Partition", "QOS"),
        description="Columns that become labels. People write what they like into Comment: it is read only if named.",
    )
    model_pattern: Annotated[Pattern, AfterValidator(_finds_one)] | None = Field(
        default=None,
        description="Regular expression with one group that finds the served model in a job's name or labels.",
    )
    shares_per_gpu: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={}, description="How many shares make a GPU, for shared ones: `{shard: 8, mps: 100}`."
    )
    job_namespace: str = Field(default="hpc-jobs", min_length=1, description="Namespace of jobs without an account.")
    later_days: int = Field(
        default=1,
        ge=1,
        le=31,
        description="Days after a day whose files are read for it, too: they tell how its jobs ended, and a cluster's "
        "day is not UTC's.",
    )
    trailing_days: int = Field(default=1, ge=0, le=31, description="Days before the night's own that are read again.")

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the cluster's clock."""
        return ZoneInfo(self.timezone)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        named = {canonical(name) for name in self.columns}
        if self.columns and (missing := sorted(NEEDED - named)):
            raise ValueError(f"'columns' lacks {', '.join(missing)}")
        if self.columns and not named & {"JobIDRaw", "JobID"}:
            raise ValueError("'columns' lacks JobIDRaw, by which a job is told from every other")
        return self
