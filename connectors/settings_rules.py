"""Rules that the settings of many sources share: what an address is, and that there is one way in.

Here belongs: checks that hold for any provider. Here does not belong: what one provider's credentials look like.
"""

import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")


def _web_address(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError(
            "must be an address such as https://host or https://host:8443/path, without user, password and query"
        )
    return address.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""Where a server is, without a slash at its end. What could hold a secret (user, password, query) is refused."""


def _regular_expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_regular_expression)]
"""A regular expression as Python reads it."""


def require_one_way_in(settings: BaseModel, **ways: str) -> None:
    """Raises ValueError unless exactly one of two settings is given; `ways` are their names, and what each stands for.

    Such as `require_one_way_in(self, api_key="the API", location="saved answers")`.
    """
    if sum(getattr(settings, name) is not None for name in ways) != 1:
        named = " or ".join(f"'{name}' ({meaning})" for name, meaning in ways.items())
        raise ValueError(f"give either {named}, not both")


class Wrong(NamedTuple):
    """A setting that cannot hold: where it stands below the source's own, as `("words", "status", "ok")`, and why."""

    place: tuple[str | int, ...]
    problem: str


def refusal_of(wrong: Iterable[Wrong]) -> ValidationError:
    """What a validator of the whole raises so that each problem is told at its own line, not at the source's first."""

    def error(found: Wrong) -> InitErrorDetails:  # without its input: the problem's own words hold what they show
        said = PydanticCustomError("value_error", "{problem}", {"problem": found.problem})
        return InitErrorDetails(type=said, loc=found.place, input=None)

    return ValidationError.from_exception_data("settings", [error(found) for found in wrong], hide_input=True)
