"""Rules that the settings of many sources share: what an address is, and that there is one way in.

Here belongs: checks that hold for any provider. Here does not belong: what one provider's credentials look like.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel

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
