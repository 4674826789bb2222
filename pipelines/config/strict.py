"""What every section of `farthing.yml` is made of: no unknown setting, nothing that changes, no value in an error."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.validity import EVER, FOREVER

Words = Annotated[str, StringConstraints(pattern=r"\S")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]


class Strict(BaseModel):
    """A section of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class Dated(Strict):
    """A section that holds for some days."""

    valid_from: date = Field(default=EVER, alias="from", description="First day on which it holds (UTC).")
    valid_to: date = Field(default=FOREVER, alias="to", description="First day on which it no longer holds.")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.valid_to <= self.valid_from:
            raise ValueError(f"'to' ({self.valid_to}) must be after 'from' ({self.valid_from})")
        return self
