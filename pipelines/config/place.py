"""Where the lake lies, for whoever only reads what is published: nothing else of the file is looked at.

Here belongs: the lake's address and its store's options. Here does not belong: any other setting, so that a question
needs no other secret than the store's own.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.config.positions import read
from pipelines.config.problems import ConfigError
from pipelines.config.resolved import resolved
from pipelines.config.schema import StoreOptions, revealed


class _Place(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    lake: str
    storage: StoreOptions = Field(default={}, repr=False)


def lake_place(file: Path, environment: Mapping[str, str] | None = None) -> tuple[str, dict[str, str]]:
    """The lake's address and its store's options in clear. Raises ConfigError when they are not there."""
    document = read(file)
    names = _Place.model_fields
    wanted = {name: value for name, value in document.content.items() if name in names}
    found = resolved(replace(document, content=wanted), environment)
    problems = list(found.problems)
    try:
        place = _Place.model_validate(found.content)
    except ValidationError as error:
        found_wrong = error.errors(include_url=False, include_input=False)
        problems += [document.problem(tuple(item["loc"]), str(item["msg"])) for item in found_wrong]
        place = None
    if problems or place is None:
        raise ConfigError(file, [found.blotted(problem) for problem in problems])
    return place.lake, revealed(place.storage)
