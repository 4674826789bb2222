"""What every section of `farthing.yml` is made of: no unknown setting, nothing that changes, no value in an error."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Words = Annotated[str, StringConstraints(pattern=r"\S")]


class Strict(BaseModel):
    """A section of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)
