"""What has to be said about one log of requests before it can be read."""

import re
from datetime import date, timedelta
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from connectors.base import SourceSettings, StoredSourceSettings

PATH = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"
_A_DAY = date(2026, 11, 21)
_HASH_KEY = "Key of the hashes that stand for users and customers, 16 characters or more. Changing it renames them all."
_DATE_FIELD = re.compile(r"\{date(:[^{}]*)?\}")


class LogSettings(SourceSettings):
    """What names a log's fields carry, and the key that makes people unrecognisable."""

    hash_key: SecretStr = Field(min_length=16, description=_HASH_KEY)
    team_id_field: str = Field(
        default="team_id",
        pattern=PATH,
        description="Field of the log's metadata that names the team; dots lead into objects.",
    )
    feature_key: str = Field(
        default="feature", min_length=1, description="Key of request metadata, or `key:` of a tag."
    )
    environment_key: str = Field(default="environment", min_length=1, description="The same for the environment.")
    outcome_keys: tuple[str, ...] = Field(default=(), description="Keys of request metadata that hold outcome ids.")
    deployed_models: dict[str, str] = Field(
        default={},
        description="What runs where the log tells only an alias that several deployments share: the model, by the "
        "log's id of the deployment or by how its address begins.",
    )
    trailing_days: int = Field(default=2, ge=0, le=31, description="Days before the night's own that are read again.")

    def model_at(self, deployment_id: str | None, api_base: str | None) -> str | None:
        """The model that runs in a deployment; None where `deployed_models` does not say.

        Of several beginnings of its address the longest decides.
        """
        if found := self.deployed_models.get(deployment_id or ""):
            return found
        begins = [start for start in self.deployed_models if f"{api_base}/".startswith(start)]
        return self.deployed_models[max(begins, key=len)] if begins else None

    @property
    def asked_keys(self) -> tuple[str, ...]:
        """The keys of request metadata that the settings ask for."""
        return (self.feature_key, self.environment_key, *self.outcome_keys)


class StoredRowsSettings(StoredSourceSettings):
    """Rows of people's doing whose files lie in a folder or an object store, filed by day or not."""

    leaves_out: ClassVar[str] = ""  # pattern of paths that are no part of it, whatever the layout says

    hash_key: SecretStr = Field(min_length=16, description=_HASH_KEY)
    location: str = Field(min_length=1, description="Folder, s3://bucket/prefix, gs://... or az://... of the files.")
    layout: str = Field(
        default="{date}/*",
        description="Which files hold a UTC day, below the location. `{date}` is 2026-11-21, `{date:%Y/%m/%d}` any "
        "other writing of it; `*` stands for anything. Without `{date}` every file is read for every day.",
    )
    folders_before: int = Field(default=0, ge=0, le=2, description="Days earlier that a row may be filed.")
    folders_after: int = Field(default=1, ge=0, le=2, description="Days later that a row may be filed.")

    @field_validator("layout")
    @classmethod
    def _layout_holds(cls, layout: str) -> str:
        rest = _DATE_FIELD.sub("", layout)
        if not layout or "{" in rest or "}" in rest or layout.startswith("/") or ".." in layout.split("/"):
            raise ValueError("layout is a path below the location; its only field is {date} or {date:%Y/%m/%d}")
        return layout

    @property
    def is_dated(self) -> bool:
        """Whether the layout names the day that a file belongs to."""
        return _DATE_FIELD.search(self.layout) is not None

    @property
    def any_day_pattern(self) -> str:
        """The layout with any sign in each place of a date's digits and letters."""
        return _DATE_FIELD.sub(lambda found: re.sub(r"\w", "[0-9A-Za-z]", found[0].format(date=_A_DAY)), self.layout)

    def pattern_of(self, day: date) -> str:
        """The layout with the day put in."""
        return self.layout.format(date=day)

    def reach(self, day: date) -> list[date]:
        """The days under which a row that started on `day` may be filed, oldest first."""
        return [day + timedelta(days=n) for n in range(-self.folders_before, self.folders_after + 1)]


class StoredLogSettings(LogSettings, StoredRowsSettings):
    """A log whose files lie in a folder or an object store."""
